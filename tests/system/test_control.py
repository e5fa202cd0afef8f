"""riskgatectl and the control socket: shapes and exit statuses, hostile clients, a second daemon, the end of the daemon, a full disk."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time

import pytest

from conftest import PATIENCE, free_port, program, wait_for
from documents import hold, validator
from evidence import LONG, Listener, assert_store_is_sound, await_arrival, await_newest, descriptors, dice, head, rows, site_of, uplink, world_of


@pytest.fixture
def gateway(plant, broker, daemon):
    """A small site with one red alarm, connected."""
    world = plant(world_of(buses=1, units=2))
    world.control.set("bus-0", 1, "holding", 0, 60)
    made = daemon(site_of(world, [uplink(broker.port)], units=2, swings=False))
    made.world = world
    wait_for(lambda: made.alarms() and (s := made.status())["uplinks"][0]["last_ack_ts"] and all(d["ok"] for d in s["devices"]), what="the site at work")
    return made


def polls(gateway):
    return sum(d["ok"] for d in gateway.status()["devices"])


def assert_lives_on(gateway):
    """It answers somebody else, and polls."""
    before = polls(gateway)
    wait_for(lambda: polls(gateway) > before + 10, what="further polls")


# ---- riskgatectl -------------------------------------------------------------------------------------------------------


def test_status_has_every_member_of_the_contract(gateway):
    status = gateway.status()
    shape = {
        "version": str, "uptime_s": int, "level": str,
        "config": {"file": str, "sha256": str, "loaded_ts": int},
        "alarms": {"red": int, "orange": int, "yellow": int, "blue": int, "unacked": int, "shelved": int,
                   "suppressed": int, "since_ts": int, "raised": int, "per_10min": int, "peak_10min": int, "per_hour": (int, float),
                   "per_day": (int, float), "flood": bool, "floods": int, "chattering": int, "standing": int,
                   "chattering_alarms": list, "standing_alarms": list, "frequent_alarms": list},
        "store": {"ok": bool, "size": int, "free": int, "last_commit_ms": int, "lost": int},
        "loop": {"late_max_ms": int},
    }
    lists = {
        "buses": {"name": str, "state": str, "ok": int, "errors": int, "timeouts": int, "p50_ms": (int, float), "p99_ms": (int, float)},
        "devices": {"name": str, "state": str, "last_ok_ts": int, "ok": int, "errors": int, "poll_late_ms": int},
        "uplinks": {"name": str, "connected": bool, "last_ack_ts": int,
                    "pending": {"alarm": int, "telemetry": int, "event": int, "report": int}},
    }

    def check(value, wanted, path):
        if isinstance(wanted, dict):
            assert wanted.keys() <= value.keys(), (path, wanted.keys() - value.keys())
            for key, inner in wanted.items():
                check(value[key], inner, f"{path}.{key}")
        else:
            assert isinstance(value, wanted) and (wanted is bool or not isinstance(value, bool)), (path, value)

    check(status, shape, "status")
    for name, inner in lists.items():
        assert status[name], name
        for one in status[name]:
            check(one, inner, name)
    alarms = status["alarms"]
    counted = {"red": 1, "orange": 0, "yellow": 0, "blue": 0, "unacked": 1, "shelved": 0, "suppressed": 0, "raised": 1, "per_10min": 1}
    assert status["level"] == "red" and {key: alarms[key] for key in counted} == counted
    assert alarms["frequent_alarms"] == [{"rule": "gas-high", "point": "d-0-1.gas", "raises": 1}]
    assert status["devices"][0]["state"] == "online" and status["store"]["ok"] is True
    assert status["config"]["file"] == str(gateway.file) and status["store"]["size"] > 0


def test_reading_commands_for_people(gateway):
    for command, words in (("status", ("red", "d-0-1", "bus-0", "county")), ("alarms", ("gas-high", "d-0-1.gas", "red", "可燃气体浓度过高")),
                           ("points", ("d-0-1.gas", "d-0-2.swing", "%LEL", "60")), ("risk", ("hall", "plant", "red"))):
        text = gateway.ctl(command).stdout
        for word in words:
            assert word in text, (command, word, text)
        json.loads(gateway.ctl(command, "--json").stdout)
        assert "\x1b" not in text, "no colours into a file"
    assert gateway.ask("points")[0]["quality"] == "good"
    assert gateway.ask("risk")["areas"]["hall"]["level"] == "red"


def test_explaining(gateway):
    alarm = gateway.alarms()[0]["alarm"]
    for name in (alarm, "d-0-1.gas"):
        text = gateway.ctl("explain", name).stdout
        for word in ("gas-high", "d-0-1.gas", "red", alarm, "why now", "60 %LEL", ".yaml:"):
            assert word in text, (name, word, text)
    told = json.loads(gateway.ctl("explain", "d-0-2.swing", "--json").stdout)
    assert told["points"] and told["watches"][-1]["rule"] == "offline"
    refused = gateway.ctl("explain", "gw-01-99", check=False)
    assert refused.returncode == 1 and "gw-01-99" in refused.stderr
    assert gateway.ctl("explain", check=False).returncode == 2


def test_acknowledging(gateway):
    alarm = gateway.alarms()[0]["alarm"]
    assert gateway.ctl("ack", alarm, check=False).returncode == 2, "somebody must answer for it"
    assert gateway.ctl("ack", "gw-01-99", "--by", "李四", check=False).returncode == 1
    assert gateway.ctl("ack", alarm, "--by", "李" * 500, check=False).returncode == 1
    assert gateway.ctl("ack", alarm, "--by", "李四", "--comment", '引号 " 与\n换行').returncode == 0
    again = gateway.ctl("ack", alarm, "--by", "王五", check=False)
    assert again.returncode == 1 and "already" in again.stderr
    assert gateway.alarms()[0]["acked_by"] == "李四" and gateway.status()["alarms"]["unacked"] == 0
    wait_for(lambda: [r["event"] for _, r in gateway.records("alarm")] == ["raise", "ack"], what="the record")
    record = gateway.records("alarm")[1][1]
    assert record["by"] == "李四" and record["comment"] == '引号 " 与\n换行' and record["level"] == record["was"] == "red"


def test_exit_statuses(gateway):
    for arguments in ((), ("nonsense",), ("status", "too", "much"), ("ack", "--by", "x"), ("--nonsense", "status")):
        assert gateway.ctl(*arguments, check=False).returncode == 2, arguments
    for arguments in (("--help",), ("--version",)):
        assert gateway.ctl(*arguments).returncode == 0
    done = subprocess.run([program("riskgatectl"), "--socket", str(gateway.folder / "nobody"), "status"], capture_output=True, text=True,
                          timeout=PATIENCE, check=False)
    assert done.returncode == 3 and "nobody" in done.stderr
    gateway.kill()
    for command in ("status", "alarms", "points", "risk"):
        assert gateway.ctl(command, check=False).returncode == 3, "its socket is there, and nobody answers"
        assert gateway.ctl(command, "--json", check=False).returncode == 3


# ---- hostile clients ---------------------------------------------------------------------------------------------------


def connect(gateway):
    """Waits for a place in the queue, as a client without a time limit does."""
    peer = socket.socket(socket.AF_UNIX)
    peer.connect(str(gateway.socket))
    peer.settimeout(PATIENCE)
    return peer


def answer(peer):
    """One line as JSON; None when the peer was closed."""
    data = b""
    with contextlib.suppress(ConnectionResetError, BrokenPipeError):
        while not data.endswith(b"\n"):
            piece = peer.recv(65536)
            if not piece:
                break
            data += piece
    return json.loads(data) if data else None


def send(peer, data):
    """As much as it takes: it may close in the middle."""
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        peer.sendall(data)


def test_wrong_requests_are_answered_and_closed(gateway):
    numbers = dice()
    cases = [b"\n", b"{}\n", b"[]\n", b"null\n", b'"status"\n', b'{"command":1}\n', b'{"command":"nonsense"}\n', b'{"command":"status"\n',
             b'{"command":"ack"}\n', b'{"command":"ack","alarm":[],"by":{}}\n', b"\xff\xfe\x00\n", b"GET / HTTP/1.1\r\n\r\n",
             b"[" * 60000 + b"\n", b'{"a":' * 10000 + b"\n", b"x" * (1 << 20) + b"\n", b'{"command":"' + b"a" * (1 << 20) + b'"}\n',
             bytes(numbers.randrange(256) for _ in range(5000)) + b"\n"]
    for case in cases:
        peer = connect(gateway)
        send(peer, case)
        told = answer(peer)
        assert told is None and len(case) > 65536 or told["ok"] is False and told["error"], (case[:40], told)
        peer.close()
    assert_lives_on(gateway)


def test_half_messages_and_pieces(gateway):
    request = b'{"command":"risk"}\n'
    slow = connect(gateway)
    for byte in request:
        slow.sendall(bytes([byte]))
    assert answer(slow)["result"]["level"] == "red"
    slow.sendall(request * 3)
    with slow.makefile("rb") as lines:
        assert all(json.loads(lines.readline())["ok"] for _ in range(3)), "three in one piece, three answers"
    half = connect(gateway)
    half.sendall(request[:7])
    assert_lives_on(gateway)
    half.shutdown(socket.SHUT_WR)
    assert answer(half) is None
    for _ in range(50):
        gone = connect(gateway)
        gone.sendall(request)
        gone.close()  # does not wait for its answer
    assert_lives_on(gateway)
    slow.close()


def test_who_does_not_take_the_goodbye(gateway):
    """Answers wait for a peer that does not read, then it is told that its request is wrong: its place must not stay taken."""
    open_before = descriptors(gateway.child.pid)
    deaf = connect(gateway)
    send(deaf, b'{"command":"status"}\n' * 600 + b"\n")
    wait_for(lambda: descriptors(gateway.child.pid) <= open_before, what="the end of a peer that does not read")
    assert_lives_on(gateway)
    deaf.close()


def test_who_never_reads_and_a_hundred_at_once(gateway):
    open_before = descriptors(gateway.child.pid)
    deaf = [connect(gateway) for _ in range(40)]
    for peer in deaf:
        peer.settimeout(0.05)
        with contextlib.suppress(OSError):
            while True:
                peer.send(b'{"command":"status"}\n' * 100)
    assert_lives_on(gateway)
    crowd = [connect(gateway) for _ in range(100)]
    assert_lives_on(gateway)
    assert descriptors(gateway.child.pid) <= open_before + 2 * 16, "so many places there are"
    for peer in (*crowd, *deaf):
        peer.close()
    assert_lives_on(gateway)
    wait_for(lambda: descriptors(gateway.child.pid) <= open_before, what="the descriptors closed")
    assert gateway.stop() == 0


# ---- one store, one daemon ---------------------------------------------------------------------------------------------


def second(gateway, start, **changes):
    """A second daemon with the same configuration but for some sections; its output once it has ended."""
    config = {**gateway.config, **changes}
    file = gateway.folder / "second.yaml"
    file.write_text(json.dumps(config, ensure_ascii=False))
    child = start([program("riskgated"), "--config", file], name="second")
    assert child.wait() == 1
    return child.output()


def test_a_second_daemon_is_refused(gateway, start):
    before = gateway.status()["boot"]
    told = second(gateway, start)
    assert "riskgate.db" in told and ("another" in told or "in use" in told), told
    told = second(gateway, start, control={"socket": str(gateway.folder / "other.sock")})
    assert "riskgate.db" in told
    told = second(gateway, start, store={"path": str(gateway.folder / "other.db")})
    assert str(gateway.socket) in told
    assert gateway.socket.exists() and gateway.status()["boot"] == before
    assert_lives_on(gateway)
    gateway.stop()
    assert_store_is_sound(gateway)


def test_the_store_is_told_of_so_that_others_find_it(daemon):
    """`store.path` may be relative to the folder that the daemon was started in."""
    gateway = daemon({"buses": [], "devices": [], "store": {"path": "here.db"}}, run=False)
    gateway.start(cwd=gateway.folder)
    assert gateway.status()["store"]["path"] == str(gateway.folder / "here.db")
    gateway.stop()


def test_a_stale_socket_is_replaced_and_a_file_is_not(gateway, start):
    gateway.kill()
    assert gateway.socket.exists(), "nobody removed it"
    gateway.start()
    gateway.stop()
    gateway.socket.write_text("somebody's file")
    told = second(gateway, start)
    assert str(gateway.socket) in told
    assert gateway.socket.read_text() == "somebody's file"


# ---- the end -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_whatever_hangs(plant, daemon, start, number):
    """A platform that takes the connection and says nothing, one that refuses, a mute unit, an address that swallows all: still it ends."""
    world = plant(world_of(buses=2, units=2))
    world.control.fault("bus-0", 1, "mute")
    with socket.create_server(("127.0.0.1", 0)) as black_hole, socket.create_server(("127.0.0.1", 0), backlog=0) as dead_bus:
        uplinks = [uplink(black_hole.getsockname()[1], "hole"), uplink(free_port(), "refused"), {"name": "far", "url": "mqtt://192.0.2.1"}]
        site = site_of(world, uplinks, units=2)
        for device in site["devices"]:
            device["timeout"] = "10s"
        site["buses"].append({"name": "dead", "tcp": f"127.0.0.1:{dead_bus.getsockname()[1]}", "timeout": "10s"})
        site["devices"].append({**site["devices"][0], "name": "d-dead", "bus": "dead"})
        gateway = daemon(site)
        wait_for(lambda: gateway.device("d-1-1")["ok"] > 5 and world.control.listener("bus-0")["units"]["1"]["requests"], what="polls")
        began = time.monotonic()
        gateway.child.signal(number)
        gateway.child.signal(number)
        assert gateway.child.wait(60) == 0, gateway.child.output()[-2000:]
        assert time.monotonic() - began < 45, "flushing and leaving are bounded: 5 s + 2 s + 3 s, and a bus time-out of 10 s"
    last = gateway.records("event")[-1][1]
    assert last["kind"] == "stop" and last["reason"] == signal.Signals(number).name
    assert_store_is_sound(gateway)
    gateway.config["uplinks"], gateway.config["devices"] = [], gateway.config["devices"][2:3]
    gateway.write()
    gateway.start()

    def starts():
        return [r["clean"] for _, r in gateway.records("event") if r["kind"] == "start"]

    wait_for(lambda: len(starts()) >= 2, what="the second start's record")  # it answers before that is committed
    assert starts() == [True, True]


# ---- a full disk -------------------------------------------------------------------------------------------------------


def fill(place):
    """Takes all that is free, to the last byte."""
    with open(place / f"ballast-{time.monotonic_ns()}", "wb", buffering=0) as file:
        for size in (1 << 16, 4096, 1):
            with contextlib.suppress(OSError):
                while file.write(b"\0" * size) == size:
                    pass


def test_a_full_disk(plant, broker, daemon, platform, small_disk):
    world = plant(world_of(buses=2, units=2))
    watcher = platform(broker)
    site = site_of(world, [uplink(broker.port, backfill={"rate": "unlimited"})], units=2, swings=False)
    site["store"] = {"path": str(small_disk / "riskgate.db"), "commit": "100ms", "retention": {"max_size": "2MiB"}}
    gateway = daemon(site)
    gateway.database = small_disk / "riskgate.db"
    wait_for(lambda: head(gateway, "telemetry") > 50, what="records")
    await_arrival(gateway, watcher)

    with Listener(broker.port) as seen:
        def raised(all):
            """The raise of a new alarm, however it was told. (One that was told unstored comes again, as a record, at any time.)"""
            fill(small_disk)  # also what the store gives up to make room for itself
            return [(m.json, r) for m in all if m.kind == "alarm" for r in m.json["records"] if r["event"] == "raise" and r["alarm"] not in known]

        # There is not a byte free any more while alarms come and go. The store makes room in its own files, telemetry first, so mostly
        # they are stored; if one finds none just then, it goes out unstored (test_disk_faults.py stages that for certain).
        known = set()
        for _ in range(5):
            fill(small_disk)
            before = polls(gateway)
            world.control.set("bus-0", 1, "holding", 0, 60)
            message, record = seen.wait(raised, "the alarm", LONG)[0]
            known.add(record["alarm"])
            assert record["level"] == "red" and ("seq" in record) == (message.get("stored") is not False)
            wait_for(lambda: polls(gateway) > before + 50, what="polling goes on")
            assert gateway.status()["level"] == "red" and gateway.alarms()[0]["alarm"] == record["alarm"]
            world.control.set("bus-0", 1, "holding", 0, 0)
            wait_for(lambda: not gateway.alarms(), what="the end of the alarm")

        for ballast in small_disk.glob("ballast-*"):
            ballast.unlink()
        wait_for(lambda: gateway.status()["store"]["ok"], LONG, "the store to take records")
        seen.wait(lambda all: len([r for m in all if m.kind == "alarm" and m.json["first"] for r in m.json["records"]
                                   if r["event"] == "raise"]) >= 5, "the proper records", LONG)
    await_newest(gateway, watcher, "telemetry")
    goal = head(gateway, "telemetry")
    wait_for(lambda: not gateway.status()["uplinks"][0]["pending"]["telemetry"], LONG, "all that is left")
    gateway.stop()
    world.control.ask("quit")
    gateway.start()  # a loss is told once a minute, and what is not told yet at the start
    first = gateway.query("SELECT min(seq) FROM telemetry")[0][0]
    told = []

    def all_told():
        """What the platform has not, though the broker has nothing more for it, is told as lost."""
        missing = set(range(1, goal + 1)) - set(watcher.records("telemetry"))
        told[:] = [r for _, r in gateway.records("event") if r["kind"] == "lost" and r["first"]]
        return missing <= set().union(*(range(r["first"], r["last"] + 1) for r in told))

    wait_for(all_told, what=f"the loss of records told, the store begins at {first}")
    assert {r["cause"] for r in told} <= {"disk", "size"}
    assert not [e for r in told for e in validator("event", "lost").iter_errors(r)]
    wait_for(lambda: gateway.status()["uplinks"][0]["connected"], what="the connection")
    gateway.stop()
    # Alarms and events are all there. What of telemetry had to make room is told, record by record.
    stored = {stream: rows(gateway, stream) for stream in ("alarm", "event", "telemetry")}
    for stream in ("alarm", "event"):
        wait_for(lambda s=stream: set(stored[s]) <= set(watcher.records(s)), what=f"the last of {stream}")
    assert watcher.records("alarm") == stored["alarm"] and list(stored["alarm"]) == list(range(1, len(stored["alarm"]) + 1))
    assert watcher.records("event") == stored["event"] and list(stored["event"]) == list(range(1, len(stored["event"]) + 1))
    received = watcher.records("telemetry")
    assert all(received[seq] == text for seq, text in stored["telemetry"].items() if seq <= goal)
    report = watcher.finish()
    assert report["breach_count"] == 0, report["breaches"]
    assert len([t for t in stored["alarm"].values() if '"event":"raise"' in t]) == 5
