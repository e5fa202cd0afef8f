"""riskgatectl probe, probe --scan and write: through the daemon while it polls, and alone; on devices of the plant and of pymodbus, and
with mbpoll reading the same registers."""

import json
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import time

import pytest

from conftest import PATIENCE, program, wait_for

ORDERS = {"ABCD": (0, 1, 2, 3), "CDAB": (2, 3, 0, 1), "BADC": (1, 0, 3, 2), "DCBA": (3, 2, 1, 0)}
REGISTERS = [{"holding": 0, "scale": 0.1, "value": 23.4, "writable": True},
             {"holding": 1, "type": "f32", "order": "CDAB", "value": 230.4}, {"holding": 3, "type": "f32", "order": "ABCD", "value": 20.9},
             {"holding": 8, "type": "u32", "order": "ABCD", "value": 123456}, {"holding": 10, "type": "i16", "value": -5},
             {"coil": 3, "value": 0, "writable": True}, {"coil": 4, "value": 1}]
MAPPED = {0, 1, 2, 3, 4, 8, 9, 10}


def ctl(*arguments):
    """riskgatectl with nothing but its arguments to tell it where the daemon is."""
    environment = {k: v for k, v in os.environ.items() if k != "RISKGATE_SOCKET"}
    return subprocess.run([program("riskgatectl"), *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False,
                          stdin=subprocess.DEVNULL, env=environment)


def asked(done, status=0):
    """Its JSON answer."""
    assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
    return json.loads(done.stdout)


def device(name, bus, unit, **more):
    return {"name": name, "bus": bus, "unit": unit, "poll": "50ms", "points": [{"name": "x", "holding": 0, "type": "u16"}], **more}


def registers_of(answer):
    """{address: register} of its first range."""
    return {r["address"]: r for r in answer["ranges"][0]["registers"]}


def check_views(registers):
    """Each register's views against Python's."""
    for address, r in registers.items():
        raw = struct.pack(">H", r["u16"])
        assert r["i16"] == struct.unpack(">h", raw)[0] and r["bits"] == f"{r['u16']:016b}"
        assert r["text"] == "".join(chr(b) if 32 <= b < 127 else "." for b in raw)
        if address + 1 not in registers:
            assert "f32" not in r
            continue
        wire = raw + struct.pack(">H", registers[address + 1]["u16"])
        for order, places in ORDERS.items():
            value = struct.unpack(">f", bytes(wire[i] for i in places))[0]
            told = r["f32"][order]["value"]
            if told is None:
                assert value != value or value in (float("inf"), float("-inf"))
            else:
                assert struct.pack(">f", told) == struct.pack(">f", value), (address, order)
        for order in ("ABCD", "CDAB"):
            data = bytes(wire[i] for i in ORDERS[order])
            assert r["int32"][order]["u32"] == struct.unpack(">I", data)[0] and r["int32"][order]["i32"] == struct.unpack(">i", data)[0]


@pytest.fixture
def world(plant, tmp_path):
    """A TCP device, and a line of three units at 9600 baud, of which number 3 refuses whatever a scan asks for."""
    made = plant({"listeners": [
        {"name": "shop", "tcp": "127.0.0.1:0", "units": [{"id": 1, "registers": REGISTERS}]},
        {"name": "line", "rtu": str(tmp_path / "line"), "baud": 9600,
         "units": [{"id": 1, "registers": REGISTERS}, {"id": 2, "registers": REGISTERS}, {"id": 3, "registers": [{"input": 7, "value": 1}]}]}]})
    made.buses = [{"name": "shop", "tcp": f"127.0.0.1:{made.ports['shop']}", "timeout": "5s"},
                  {"name": "line", "rtu": str(tmp_path / "line"), "baud": 9600, "timeout": "5s"}]
    return made


@pytest.fixture
def gateway(world, daemon):
    made = daemon({"buses": world.buses, "devices": [device("tcp-1", "shop", 1), device("line-1", "line", 1), device("line-2", "line", 2)]})
    made.world = world
    wait_for(lambda: all(p["quality"] == "good" for p in made.points().values()), what="all readings")
    return made


def lives_on(gateway):
    """All its devices go on being read, and nothing that was asked of them failed."""
    before = {d["name"]: d["ok"] for d in gateway.status()["devices"]}
    wait_for(lambda: all(d["ok"] > before[d["name"]] + 2 for d in gateway.status()["devices"]), what="further polls")
    for d in gateway.status()["devices"]:
        assert d["state"] == "online", d


# ---- probe -------------------------------------------------------------------------------------------------------------


def test_through_the_daemon_while_it_polls(gateway):
    """Eleven requests of ours on a slow line: its polls go on between them, none fails, and nobody talks over anybody."""
    control = gateway.world.control
    before = {unit: len(control.history("line", unit)) for unit in (1, 2)}
    answer = asked(gateway.ctl("probe", "--bus", "line", "--unit", "2", "--holding", "0-10", "--max", "1", "--json"))
    assert answer["via"] == "daemon" and answer["bus"] == "line" and answer["ranges"][0]["requests"] == 11
    registers = registers_of(answer)
    assert set(registers) == MAPPED
    check_views(registers)
    history = {unit: control.history("line", unit)[before[unit]:] for unit in (1, 2)}
    ours = [r["at_us"] for r in history[2] if r["address"] != 0]
    assert [r["address"] for r in history[2] if r["address"] != 0] == list(range(1, 11))
    polls = [r["at_us"] for unit in (1, 2) for r in history[unit] if r["address"] == 0]
    assert sum(ours[0] < at < ours[-1] for at in polls) >= 5, "polls between our requests"
    lives_on(gateway)
    assert all(d["errors"] == 0 for d in gateway.status()["devices"]), gateway.status()["devices"]
    assert control.listener("line")["overlapped"] == 0 and control.listener("line")["bad_frames"] == 0


def test_what_people_see(gateway):
    text = gateway.ctl("probe", "--bus", "shop", "--unit", "1", "--register", "40001-40012", "--coil", "0-7").stdout
    assert re.search(r"bus shop \(tcp 127.0.0.1:\d+\), unit 1, device tcp-1", text)
    # lessons.md #10: the right reading, and beside it the ones that only look right.
    assert re.search(r"^1 +40002 +0x6666 .* 230\.4\* ", text, re.M)
    assert re.search(r"^2 +40003 .* 230\.25645\? +20\.90791\? ", text, re.M)
    assert re.search(r"^3 +40004 .* 20\.9\* ", text, re.M)
    assert re.search(r"^8 +40009 .* 123456\? ", text, re.M)
    assert re.search(r"^10 +40011 +0xfffb +65531 +-5 ", text, re.M)
    assert re.search(r"^5-7 +40006-40008 +refused: illegal data address \(exception 2\)$", text, re.M)
    assert re.search(r"^3 +00004 +0 +1$", text, re.M) and "0-2" in text
    assert "\x1b" not in text


def mbpoll(port, first, count, kind):
    """{address: number} as mbpoll reads it."""
    done = subprocess.run(["mbpoll", "-0", "-1", "-q", "-m", "tcp", "-p", str(port), "-a", "1", "-t", kind, "-r", str(first), "-c", str(count),
                           "-o", "5", "127.0.0.1"], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return {int(a): float(v) for a, v in re.findall(r"^\[(\d+)\]:\s+(\S+)", done.stdout, re.M)}


def test_mbpoll_reads_the_same(gateway):
    port = gateway.world.ports["shop"]
    registers = registers_of(asked(gateway.ctl("probe", "--bus", "shop", "--unit", "1", "--holding", "0-10", "--json")))
    for first, count in ((0, 5), (8, 2)):
        for address, value in mbpoll(port, first, count, "4").items():
            assert registers[address]["u16"] == int(value) & 0xFFFF
    assert mbpoll(port, 1, 1, "4:float")[1] == pytest.approx(registers[1]["f32"]["CDAB"]["value"], rel=1e-4)
    assert mbpoll(port, 2, 1, "4:float")[2] == pytest.approx(registers[2]["f32"]["CDAB"]["value"], rel=1e-4)
    assert mbpoll(port, 8, 1, "4:int") == {8: registers[8]["int32"]["CDAB"]["i32"]}


@pytest.mark.parametrize("kind", ["tcp", "rtu", "rtu_over_tcp"])
def test_alone_on_a_device_nobody_here_wrote(peer, kind):
    """Every word order and hole; without any daemon."""
    image = {a: w for a, w in zip((*range(0, 6), 9, *range(20, 30), *range(120, 140)), (0x41A7, 0x3333, 0x3333, 0x41A7, 0xFFFF, 0x8000,
             0x4142, *range(60000, 60010), *range(100, 120)))}
    _, place = peer(kind, {"3": {"holding": image, "coil": {4: 1, 5: 0, 6: 1}, "input": {65535: 7}}})
    line = {"tcp": ["--tcp", f"127.0.0.1:{place}"], "rtu": ["--rtu", place, "--baud", "115200"],
            "rtu_over_tcp": ["--rtu-over-tcp", f"127.0.0.1:{place}"]}[kind]
    answer = asked(ctl("probe", *line, "--timeout", "5s", "--unit", 3, "--holding", "0-199", "--coil", "0-9", "--input", "65535", "--json"))
    assert answer["via"] == "direct" and answer["bus"] is None
    registers = registers_of(answer)
    assert {a: r["u16"] for a, r in registers.items()} == image
    check_views(registers)
    assert registers[0]["f32"]["ABCD"] == registers[2]["f32"]["CDAB"] == {"value": 20.9, "plausible": "likely"}
    holes = {a for part in answer["ranges"][0]["refused"] for a in range(part["address"], part["address"] + part["count"])}
    assert holes == set(range(200)) - set(image) and {p["exception"] for p in answer["ranges"][0]["refused"]} == {2}
    assert {b["address"]: b["value"] for b in answer["ranges"][1]["bits"]} == {4: 1, 5: 0, 6: 1}
    assert answer["ranges"][2]["registers"][0]["u16"] == 7


def test_a_unit_that_says_nothing(world, tmp_path):
    done = ctl("probe", "--rtu", tmp_path / "line", "--baud", 9600, "--unit", 77, "--holding", "0-20", "--timeout", "100ms")
    assert done.returncode == 1 and "unit 77: silent" in done.stderr and "0-20" in done.stdout
    nothing = ctl("probe", "--tcp", "127.0.0.1:1", "--unit", 1, "--holding", 0)
    assert nothing.returncode == 1 and "unreachable" in nothing.stderr and "connection refused" in nothing.stderr
    refused = ctl("probe", "--rtu", tmp_path / "line", "--baud", 9600, "--unit", 3, "--holding", "0-3", "--json")
    assert asked(refused, status=1)["ranges"][0]["refused"] == [{"address": 0, "count": 4, "exception": 2, "detail": "illegal data address"}]


# ---- who opens the line ------------------------------------------------------------------------------------------------


def test_who_opens_the_line(world, daemon):
    """The daemon of the configuration when it runs; else we; never both on one serial line."""
    made = daemon({"buses": world.buses, "devices": [device("line-1", "line", 1)]}, run=False)
    probe = ("probe", "--config", made.file, "--bus", "line", "--unit", "1", "--holding", "0", "--json")
    alone = ctl(*probe)
    assert asked(alone)["via"] == "direct" and "no daemon at" in alone.stderr and "opening bus line here" in alone.stderr
    made.start()
    wait_for(lambda: made.points()["line-1.x"]["quality"] == "good", what="the daemon on the line")
    assert asked(ctl(*probe))["via"] == "daemon"
    held = ctl("probe", "--rtu", world.ports["line"], "--baud", 9600, "--unit", 1, "--holding", 0)
    assert held.returncode == 1 and "in use by another program" in held.stderr, held.stderr
    lives_on(made)
    made.kill()  # its socket stays, and nobody answers
    assert asked(ctl(*probe))["via"] == "direct"
    gone = ctl("--socket", made.socket, "probe", "--bus", "line", "--unit", 1, "--holding", 0)
    assert gone.returncode == 3 and "--config" in gone.stderr


def test_wrong_usage(world, daemon):
    made = daemon({"buses": world.buses, "devices": [device("line-1", "line", 1)]}, run=False)
    tcp = ("--tcp", f"127.0.0.1:{world.ports['shop']}")
    for arguments in (("probe",), ("probe", *tcp), ("probe", *tcp, "--unit", 1), ("probe", *tcp, "--unit", 300, "--holding", 0),
                      ("probe", *tcp, "--unit", 0, "--holding", 0), ("probe", *tcp, "--unit", 1, "--holding", "20-0"),
                      ("probe", *tcp, "--unit", 1, "--holding", "0-5000"), ("probe", *tcp, "--unit", 1, "--register", "40001-30002"),
                      ("probe", *tcp, "--bus", "shop", "--unit", 1, "--holding", 0), ("probe", "--rtu", "x", "--unit", 1, "--holding", 0),
                      ("probe", *tcp, "--unit", 1, "--holding", 0, "--max", 126), ("probe", *tcp, "--unit", 1, "--holding", 0, "more"),
                      ("probe", "--scan", *tcp, "--unit", 1), ("probe", "--scan", *tcp, "--units", "0-9"), ("probe", "--nonsense"),
                      ("write", *tcp, "--unit", 1, "--coil", 3, "on"), ("write", *tcp, "--unit", 1, "--coil", 3, "on", "--by", "x"),
                      ("write", *tcp, "--unit", 1, "--coil", 3, "maybe", "--by", "x", "--yes"),
                      ("write", *tcp, "--unit", 1, "--coil", 3, "--by", "x", "--yes"),
                      ("write", *tcp, "--unit", 1, "--holding", "3-4", 1, "--by", "x", "--yes"),
                      ("write", *tcp, "--unit", 0, "--coil", 3, "on", "--by", "x", "--yes"),
                      ("write", *tcp, "--unit", 1, "--register", "30001", 1, "--by", "x", "--yes")):
        done = ctl(*arguments)
        assert done.returncode == 2 and done.stderr, (arguments, done)
    assert world.control.listener("shop")["requests"] == 0
    for command in ("probe", "write"):
        assert "--bus NAME" in ctl(command, "--help").stdout
    none = ctl("probe", "--config", made.file, "--bus", "nowhere", "--unit", 1, "--holding", 0)
    assert none.returncode == 1 and "no bus nowhere" in none.stderr
    assert ctl("probe", "--bus", "x", "--unit", 1, "--holding", 0, "--socket", made.folder / "nobody").returncode == 3


# ---- scan --------------------------------------------------------------------------------------------------------------


def found(answer):
    return {u["unit"]: (u["found"], u["device"]) for u in answer["units"]}


def test_a_scan_finds_the_units_of_a_line(world, tmp_path):
    """One that answers, one number that two units have (what they say is garbage), and one that answers with exceptions only."""
    world.control.fault("line", 2, "wrong_crc")
    line = ("--rtu", tmp_path / "line", "--baud", 9600, "--gap", "1ms")
    answer = asked(ctl("probe", "--scan", *line, "--timeout", "1s", "--units", "1-4", "--json"))
    assert found(answer) == {1: ("answers", None), 2: ("garbled", None), 3: ("refuses", None)}
    assert answer["asked"] == 4 and answer["whole"] is True and answer["units"][2]["exception"] == 2
    assert "two units with this number" in answer["units"][1]["detail"]
    assert len(world.control.history("line", 2)) == 2, "what is garbled is asked again, others once"
    assert len(world.control.history("line", 1)) == 1 and world.control.listener("line")["unknown_units"] == 1
    text = ctl("probe", "--scan", *line, "--timeout", "1s", "--units", "3-4", "--kind", "input", "--address", 7)
    assert text.returncode == 0 and re.search(r"^ +3  answers +- +reads 1$", text.stdout, re.M) and "2 units asked, 1 found" in text.stdout
    nobody = ctl("probe", "--scan", *line, "--timeout", "50ms", "--units", "100-119")
    assert nobody.returncode == 1 and "20 units asked, 0 found" in nobody.stdout


def test_a_scan_beside_the_polls(gateway):
    """It finds the configured units too, by name; the line belongs to the polls meanwhile."""
    answer = asked(gateway.ctl("probe", "--scan", "--bus", "line", "--units", "1-4", "--timeout", "1s", "--json"))
    assert answer["via"] == "daemon"
    assert found(answer) == {1: ("answers", "line-1"), 2: ("answers", "line-2"), 3: ("refuses", None)}
    lives_on(gateway)
    assert all(d["errors"] == 0 for d in gateway.status()["devices"])
    assert gateway.world.control.listener("line")["overlapped"] == 0


def test_a_scan_is_stopped(gateway, start):
    """Ctrl-C ends it at once, and with it what the daemon does for it."""
    control = gateway.world.control
    before = control.listener("line")["unknown_units"]
    scan = start([program("riskgatectl"), "--socket", gateway.socket, "probe", "--scan", "--bus", "line", "--units", "20-247", "--timeout", "50ms"], name="scan")
    wait_for(lambda: control.listener("line")["unknown_units"] >= before + 3, what="the scan under way")
    scan.signal(signal.SIGINT)
    assert scan.wait() == -signal.SIGINT
    gateway.status()  # who asks after its end is answered after the daemon has noticed that end
    asked_by_then = control.listener("line")["unknown_units"]
    for _ in range(3):
        lives_on(gateway)
    assert control.listener("line")["unknown_units"] <= asked_by_then + 1, "at most the one that was under way"


# ---- write -------------------------------------------------------------------------------------------------------------


def commands(gateway):
    return [r for _, r in gateway.records("event") if r["kind"] == "command"]


def test_a_write_through_the_daemon(gateway):
    write = ("write", "--bus", "line", "--unit", "2", "--holding", "0", "--by", "李四")
    asks = gateway.ctl(*write, "17", check=False)
    assert asks.returncode == 2 and "--yes" in asks.stderr, "there is no terminal to ask"
    assert gateway.world.control.listener("line")["units"]["2"]["writes"] == 0
    done = gateway.ctl(*write, "17", "--yes")
    assert "unit 2 is the device line-2" in done.stdout and "now: 234" in done.stdout and "to be written: 17" in done.stdout
    assert "written; reads 17 now" in done.stdout
    wait_for(lambda: gateway.points()["line-2.x"]["value"] == 17, what="the poll that reads it")
    wait_for(lambda: len(commands(gateway)) == 1, what="the record")
    told = commands(gateway)[0]
    assert {k: told[k] for k in ("command", "by", "uid", "bus", "unit", "device", "space", "address", "values", "old", "new", "outcome")} == \
        {"command": "write", "by": "李四", "uid": os.getuid(), "bus": "line", "unit": 2, "device": "line-2", "space": "holding",
         "address": 0, "values": [17], "old": [234], "new": [17], "outcome": "ok"}
    answer = asked(gateway.ctl("write", "--bus", "shop", "--unit", "1", "--coil", "3", "on", "--by", "x", "--yes", "--json"))
    assert (answer["old"], answer["new"], answer["result"], answer["via"]) == ([0], [1], "ok", "daemon")
    wait_for(lambda: len(commands(gateway)) == 2, what="its record")


def test_a_write_that_is_refused(gateway):
    """The status is 1 and the exception has its name; it is told like any other."""
    done = gateway.ctl("write", "--bus", "shop", "--unit", "1", "--coil", "4", "off", "--by", "x", "--yes", check=False)
    assert done.returncode == 1 and "refused: illegal data address (exception 2)" in done.stdout
    gateway.world.control.fault("shop", 1, "exception", 6)
    done = gateway.ctl("write", "--bus", "shop", "--unit", "1", "--holding", "0", "0xffff", "--by", "x", "--yes", "--json", check=False)
    answer = asked(done, status=1)
    assert (answer["result"], answer["exception"], answer["old"], answer["new"]) == ("exception", 6, None, None)
    assert "busy" in answer["detail"]
    wait_for(lambda: len(commands(gateway)) == 2, what="the records")
    assert [(c["outcome"], c["exception"], c["old"]) for c in commands(gateway)] == [("exception", 2, [1]), ("exception", 6, None)]


def test_an_output_is_named_before_it_is_written(world, daemon):
    """By the daemon that drives it, and without one by the configuration; another coil of the module is none."""
    made = daemon({"buses": world.buses, "areas": [{"name": "hall"}],
                   "devices": [device("relay", "shop", 1, area="hall")],
                   "outputs": [{"name": "siren", "device": "relay", "coil": 3, "when": {"area": "hall", "from": "red"}}]})
    for coil, named in ((3, True), (4, False)):
        done = made.ctl("write", "--bus", "shop", "--unit", 1, "--coil", coil, "on", "--by", "x", "--yes", check=False)
        assert ("this is the output siren" in done.stdout) is named and "unit 1 is the device relay" in done.stdout, done.stdout
    made.stop()
    done = ctl("write", "--config", made.file, "--bus", "shop", "--unit", 1, "--coil", 3, "on", "--by", "x", "--yes")
    assert done.returncode == 0 and "this is the output siren" in done.stdout and "written; reads on now" in done.stdout


def typed(words, *arguments):
    """riskgatectl on a terminal of its own, where words are typed when it asks: its status and what it showed."""
    child, terminal = pty.fork()
    if child == 0:
        os.execv(program("riskgatectl"), ["riskgatectl", *map(str, arguments)])
    shown, end = b"", time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                piece = os.read(terminal, 4096)
            except OSError:  # the terminal of an ended program
                break
            if not piece:
                break
            shown += piece
            if shown.endswith(b"Type yes to write: ") and words is not None:
                os.write(terminal, words)
                words = None
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), shown.decode()


def test_the_question_before_a_write(world):
    write = ("write", "--tcp", f"127.0.0.1:{world.ports['shop']}", "--unit", 1, "--holding", 0, 4711, "--by", "x")
    for words in (b"no\n", b"y\n", b"\n", b"\x04"):  # the last one: the end of the input
        status, shown = typed(words, *write)
        assert status == 1 and "nothing was written" in shown, (words, shown)
    assert world.control.listener("shop")["units"]["1"]["writes"] == 0
    status, shown = typed(b"yes\n", *write)
    assert status == 0 and "now: 234" in shown and "to be written: 4711" in shown and "reads 4711 now" in shown, shown
    assert world.control.listener("shop")["units"]["1"]["writes"] == 1


def test_several_registers_and_negative_ones(peer):
    _, place = peer("rtu", {"3": {"holding": {5: 1, 6: 2, 7: 3}, "coil": {0: 0, 1: 0}}})
    line = ("--rtu", place, "--baud", 115200, "--unit", 3, "--by", "x", "--yes", "--json")
    answer = asked(ctl("write", *line, "--register", "40006", "--", "-5", "0x10", "65535"))
    assert (answer["old"], answer["new"], answer["via"]) == ([1, 2, 3], [65531, 16, 65535], "direct")
    assert asked(ctl("write", *line, "--coil", 0, "on", "off"))["new"] == [1, 0]


# ---- hostile requests --------------------------------------------------------------------------------------------------


def say(gateway, *requests):
    """Their answers, over one connection."""
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(PATIENCE)
        peer.connect(str(gateway.socket))
        peer.sendall(b"".join(json.dumps(r).encode() + b"\n" for r in requests))
        with peer.makefile("rb") as lines:
            return [json.loads(lines.readline()) for _ in requests]


def test_hostile_requests(gateway):
    read = {"command": "raw", "bus": "shop", "unit": 1, "read": {"holding": 0, "count": 1}}
    write = {"command": "write", "bus": "shop", "unit": 1, "by": "x", "write": {"holding": 0, "values": [1]}}
    wrong = [{**read, "bus": "nowhere"}, {**read, "bus": []}, {**read, "unit": 300}, {**read, "unit": "1"}, {**read, "unit": -1},
             {**read, "read": {"holding": 0, "count": 10**9}}, {**read, "read": {"holding": 65530, "count": 125}}, {**read, "read": []},
             {**read, "read": {"holding": {"a": 1}, "count": 1}}, {**read, "timeout_ms": 10**12}, {"command": "raw"}, {"command": "write"},
             {"command": "bus"}, {"command": "bus", "bus": 7}, {**write, "by": ""}, {**write, "by": "x" * 5000}, {**write, "write": {}},
             {**write, "write": {"holding": 0, "values": [70000]}}, {**write, "write": {"holding": 0, "values": [0] * 1000}},
             {**write, "write": {"input": 0, "values": [1]}}, {**write, "unit": 0}]
    for answer in say(gateway, *wrong):
        assert answer["ok"] is False and answer["error"], answer
    assert gateway.world.control.listener("shop")["units"]["1"]["writes"] == 0 and commands(gateway) == []
    # Behind each other on one connection, each gets its own answer, in order.
    answers = say(gateway, *({**read, "read": {"holding": a, "count": 1}} for a in (0, 10, 8, 9, 0)), {"command": "risk"})
    assert [a["result"].get("values") for a in answers[:5]] == [[234], [65531], [1], [57920], [234]] and "level" in answers[5]["result"]


def test_a_crowd_that_asks_and_leaves(gateway):
    """Many reads of a silent unit, for nobody: they wait, bounded, for their turns between the polls; the rest is told to come again."""
    request = json.dumps({"command": "raw", "bus": "line", "unit": 77, "timeout_ms": 50, "read": {"holding": 0, "count": 1}}).encode()
    before = gateway.world.control.listener("line")["unknown_units"]
    for _ in range(100):
        with socket.socket(socket.AF_UNIX) as peer:
            peer.connect(str(gateway.socket))
            peer.sendall(request + b"\n")
    wait_for(lambda: gateway.world.control.listener("line")["unknown_units"] > before, what="the first of them")
    lives_on(gateway)
    assert all(d["errors"] == 0 for d in gateway.status()["devices"])
    gateway.stop()
