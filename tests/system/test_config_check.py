"""riskgatectl check and the exit statuses of both programs, as the contract (§1, §2) has them: shipped files are valid, every error
of every file is told with its place, line, caret and the nearest name, hostile files end soon, and the daemon says the same words."""

import json
import os
import pathlib
import re
import resource
import subprocess
import unicodedata

import pytest

from conftest import SOURCE, program, wait_for

LIMIT_S = 60  # for what takes a second on an idle machine
MEMORY = 1 << 30  # address space; a gateway box has little more

HEAD = """gateway:
  id: gw-01
  enterprise: {code: "91350100M000100Y43", name: 示例}
"""
BUS = """buses:
  - {name: shop, tcp: "127.0.0.1:1502"}
"""
DEVICE = """devices:
  - {name: gas-1, bus: shop, unit: 1, points: [{name: lel, holding: 0, type: u16}]}
"""


def run(name, *words, **options):
    environment = {**os.environ, **options.pop("env", {})}
    return subprocess.run([program(name), *map(str, words)], capture_output=True, text=True, timeout=LIMIT_S, check=False,
                          stdin=subprocess.DEVNULL, env=environment, **options)


def check(file, *words, **options):
    return run("riskgatectl", "check", *words, file, **options)


def has_sanitizer():
    return b"__asan_init" in pathlib.Path(program("riskgatectl")).read_bytes()


def limit_memory():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


# ---- what is shipped ---------------------------------------------------------------------------------------------------


def shipped():
    config = SOURCE / "config"
    files = [*sorted(config.glob("*.yaml")), *sorted((config / "examples").glob("*.yaml"))]
    return [pytest.param(f, id=str(f.relative_to(config))) for f in files]


@pytest.mark.parametrize("file", shipped())
def test_shipped_files_are_valid(file):
    done = check(file)
    assert done.returncode == 0, done.stderr
    told = [line for line in done.stderr.splitlines() if ": warning: " in line]
    if file.name == "every-key.yaml":  # names files and groups that only a real machine has, and uses what is warned of
        told = [line for line in told if "on this machine" not in line and "as `insecure` allows" not in line]
    elif done.stderr:
        told = told or [done.stderr]
    assert told == [], "not even a warning"


def test_the_demos_gateway_is_valid(tmp_path):
    text = (SOURCE / "simulators/demo/gateway.yaml").read_text(encoding="utf-8")
    for word, value in {"@DIR@": str(tmp_path), "@MQTT_PORT@": "1883", "@TCP_PORT@": "1502", "@CONVERTER_PORT@": "1503"}.items():
        text = text.replace(word, value)
    file = tmp_path / "gateway.yaml"
    file.write_text(text, encoding="utf-8")
    done = check(file)
    assert done.returncode == 0 and done.stderr == "", done.stderr


# ---- errors with their place -------------------------------------------------------------------------------------------


def mark(text):
    """Takes the « out of a text: (text, line, column) of what stood behind it."""
    before, behind = text.split("«")
    return before + behind, before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def width(text):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def issues(stderr):
    """[(file, line, column, severity, text, source, caret column in cells)]"""
    lines = stderr.splitlines()
    found = []
    for number, one in enumerate(lines):
        match = re.fullmatch(r"(.+?):(\d+):(\d+): (error|warning): (.+)", one)
        if match:
            source, caret = lines[number + 1], lines[number + 2]
            assert caret.strip() == "^", stderr
            found.append((match[1], int(match[2]), int(match[3]), match[4], match[5], source.strip(), caret.index("^") -
                          (len(source) - len(source.lstrip())), source.lstrip()))
    return found


def check_one(tmp_path, marked, *words):
    """Exactly one error, at the mark, with its line and a caret under the place; its text has these words."""
    text, line, column = mark(marked)
    file = tmp_path / "site.yaml"
    file.write_text(text, encoding="utf-8")
    done = check(file)
    assert done.returncode == 1, done.stderr
    found = issues(done.stderr)
    assert [(i[0], i[1], i[2], i[3]) for i in found] == [(str(file), line, column, "error")], done.stderr
    source = text.splitlines()[line - 1]
    shown, caret = done.stderr.splitlines()[1:3]
    assert shown.endswith(source) and not shown.removesuffix(source).strip(), done.stderr
    assert caret.index("^") == len(shown) - len(source) + width(source[:column - 1]), done.stderr
    assert all(word in found[0][4] for word in words), done.stderr


ERRORS = {
    "unknown key": (HEAD + "buses:\n  - {name: shop, «tpc: \"127.0.0.1:1502\", tcp: \"127.0.0.1:1502\"}\n", "tpc", "tcp"),
    "unknown section": (HEAD + BUS + DEVICE + "«ruels: []\n", "ruels", "rules"),
    "wrong type": (HEAD + BUS.replace("}", ", «timeout: [1s]}"), "timeout"),
    "not a duration": (HEAD + BUS + DEVICE.replace("unit: 1,", "unit: 1, poll: «5,"), "poll", "5"),
    "out of range": (HEAD + BUS + DEVICE.replace("unit: 1", "unit: «256"), "unit", "256"),
    "address out of range": (HEAD + BUS + DEVICE.replace("holding: 0", "holding: «65536"), "65536"),
    "dangling bus": (HEAD + BUS + DEVICE.replace("bus: shop", "bus: «shp"), "shp", "shop"),
    "dangling area": (HEAD + BUS + "areas: [{name: polishing}]\n" + DEVICE.replace("unit: 1,", "unit: 1, area: «polshing,"),
                      "polshing", "polishing"),
    "dangling point": (HEAD + BUS + DEVICE + "rules: [{name: r, points: «gas-1.lle, above: {red: 1}}]\n", "gas-1.lle", "gas-1.lel"),
    "glob that matches nothing": (HEAD + BUS + DEVICE + "rules: [{name: r, points: «\"*.co\", above: {red: 1}}]\n", "*.co"),
    "duplicate name": (HEAD + BUS + "  - {name: «shop, tcp: \"127.0.0.1:1503\"}\n", "shop"),
    "no order": (HEAD + BUS + DEVICE.replace("{name: lel, holding: 0, type: u16", "«{name: lel, holding: 0, type: f32"), "order"),
    "two addresses": (HEAD + BUS + DEVICE.replace("holding: 0", "«holding: 0, input: 3"), "input"),
    "thresholds out of order": (HEAD + BUS + DEVICE + "rules: [{name: r, points: gas-1.lel, above: {blue: 10, yellow: 20, red: «15}}]\n",
                                "red"),
    "thresholds out of order below": (HEAD + BUS + DEVICE + "rules: [{name: r, points: gas-1.lel, below: {orange: 4, red: «4.5}}]\n",
                                      "red"),
    "unknown level": (HEAD + BUS + DEVICE + "rules: [{name: r, points: gas-1.lel, above: {«read: 4}}]\n", "read", "red"),
    "unknown type": (HEAD + BUS + DEVICE.replace("u16", "«u17"), "u17", "u16"),
    "check character": (HEAD.replace("\"91350100M000100Y43", "«\"91350100M000100Y44"), "3"),
    "cycle of areas": (HEAD + "areas: [{name: a, parent: «b}, {name: b, parent: a}]\n", "a"),
    "wide characters before it": (HEAD + "areas: [{name: a, label: 抛光车间可燃气体, «partent: b}, {name: b}]\n", "partent", "parent"),
    "duplicate key": (HEAD + BUS + "«buses: []\n", "buses"),
    "broken YAML": (HEAD + "buses: [{name: shop, tcp: \"127.0.0.1:1502\"\n«areas: []\n",),
}


LINE = "buses:\n  - {name: line, rtu: /dev/ttyS9, baud: 9600, parity: even}\n"
UNIT = """devices:
  - name: gas-1
    bus: line
    unit: 7
    poll: 5s
    points: [{name: lel, holding: 0, type: u16}]
"""

ERRORS |= {
    "mixed parity on one line": (HEAD + LINE + UNIT + "    line: {baud: 9600, parity: «none}\n", "parity", "none", "line", "even"),
    "another speed than the line's": (HEAD + LINE + UNIT + "    line: {baud: «19200}\n", "19200", "9600"),
    "echo on TCP": (HEAD + BUS.replace("}", ", «echo: true}") + DEVICE, "echo", "tcp"),
    "RS-485 behind a serial server": (HEAD + LINE.replace("rtu: /dev/ttyS9", "rtu_over_tcp: \"127.0.0.1:4001\", «rs485: {}"), "rs485"),
    "unknown quality": (HEAD + LINE + UNIT + "    status: {holding: 5, is: {2: «inhibit}}\n", "inhibit", "inhibited"),
    "a quality that is not the device's to say": (HEAD + LINE + UNIT + "    status: {holding: 5, bits: {6: «comm}}\n", "comm"),
    "a bit too high": (HEAD + LINE + UNIT + "    status: {holding: 5, bits: {«16: sensor}}\n", "16", "15"),
    "a status that says nothing": (HEAD + LINE + UNIT + "    status: {holding: 5, «is: {1: good}}\n", "is"),
    "a value that a mask hides": (HEAD + LINE + UNIT + "    status: {holding: 5, mask: 0x0f, is: {«16: sensor}}\n", "16", "15"),
    "both kinds of status": (HEAD + LINE + UNIT + "    status: {holding: 5, is: {1: sensor}, «bits: {1: sensor}}\n", "is", "bits"),
    "a heartbeat faster than the poll": (HEAD + LINE + UNIT + "    heartbeat: {holding: 5, within: «5s}\n", "within", "5s"),
    "a trigger that waits past the next poll": (HEAD + LINE + UNIT + "    trigger: {coil: 5, wait: «5s}\n", "wait", "5s"),
    "a trigger without a value": (HEAD + LINE + UNIT + "    trigger: «{holding: 5, wait: 1s}\n", "value"),
    "a trigger of what cannot be written": (HEAD + LINE + UNIT + "    trigger: {register: «30005, wait: 1s}\n", "30005"),
    "a broadcast on TCP": (HEAD + BUS + UNIT.replace("line", "shop") + "    trigger: {coil: 5, wait: 1s, «broadcast: true}\n", "tcp"),
    "decimals in a coil": (HEAD + BUS + DEVICE.replace("u16", "u16, decimals_from: {«coil: 1}"), "coil", "decimals_from"),
    "an enumeration with a scale": (HEAD + BUS + DEVICE.replace("u16", "u16, values: {1: on}, «scale: 0.1"), "scale", "values"),
    "the same word's value twice": (HEAD + BUS + DEVICE.replace("u16", "i16, values: {-1: on, «0xffff: off}"), "0xffff"),
}


def test_every_key_of_acquisition_at_once(tmp_path):
    file = tmp_path / "site.yaml"
    file.write_text(HEAD + """uplinks: [{name: county, url: "mqtt://127.0.0.1:1883"}]
buses:
  - {name: line, rtu: /dev/ttyS9, baud: 9600, parity: even, gap: 20ms, retry: 30s, echo: true,
     rs485: {send: high, before: 1ms, after: 0ms}}
devices:
  - name: gas-1
    bus: line
    unit: 7
    poll: 10s
    gap: 300ms
    start_up: 10s
    misses: 3
    probe: 60s
    line: {baud: 9600, parity: even, stop_bits: 1}
    order: CDAB
    status:
      - {holding: 5, bits: {6: sensor}}
      - {holding: 6, is: {1: good, 2: inhibited, 3: inhibited, 12: inhibited}, otherwise: sensor, mask: 0x00ff}
    heartbeat: {holding: 7, within: 20s}
    trigger: {holding: 0x118, value: 1, wait: 3s, broadcast: true}
    points:
      - {name: gas, holding: 2, type: f32, unit: "%LEL", range: [0, 100]}
      - {name: co, holding: 10, type: u16, decimals_from: {holding: 4, mask: 0xff00}}
      - {name: mode, holding: 6, type: u16, values: {1: normal, 2: warm-up}}
rules: [{name: high, points: gas-1.gas, above: {red: 50}}]
""", encoding="utf-8")
    done = check(file)
    assert done.returncode == 0 and done.stderr == "", done.stderr


def test_mixed_parity_is_told_with_both_places(tmp_path):
    """Over two files, behind a serial server whose own setting nobody states: the first device's word against the second's."""
    first, line, column = mark(UNIT.replace("gas-1", "gas-0").replace("unit: 7", "unit: 6") + "    line: {parity: «even}\n")
    second, at_line, at_column = mark(UNIT + "    line: {parity: «odd}\n")
    (tmp_path / "site.yaml").write_text(HEAD + "include: [a.yaml, b.yaml]\n" +
                                        "buses: [{name: line, rtu_over_tcp: \"127.0.0.1:4001\"}]\n", encoding="utf-8")
    (tmp_path / "a.yaml").write_text(first, encoding="utf-8")
    (tmp_path / "b.yaml").write_text(second, encoding="utf-8")
    done = check(tmp_path / "site.yaml")
    assert done.returncode == 1
    assert [i[:4] for i in issues(done.stderr)] == [(str(tmp_path / "b.yaml"), at_line, at_column, "error")], done.stderr
    assert f"{tmp_path / 'a.yaml'}:{line}" in issues(done.stderr)[0][4] and column, done.stderr


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_is_told_with_its_place(tmp_path, name):
    check_one(tmp_path, *ERRORS[name])


def test_all_errors_of_all_files_at_once(tmp_path):
    """Each with the file it is in, over several files that include each other's siblings; the daemon tells the same and ends with 1."""
    parts = {
        "site.yaml": HEAD + "include: [parts/*.yaml, rules.yaml]\nbuses:\n  - {name: shop, «tpc: x, tcp: \"127.0.0.1:1502\"}\n",
        "parts/a.yaml": "devices:\n  - {name: gas-1, bus: «shpo, unit: 1, points: [{name: lel, holding: 0, type: u16}]}\n",
        "parts/b.yaml": "devices:\n  - {name: «gas-1, bus: shop, unit: 2, points: [{name: co, holding: 0, type: u16}]}\n",
        "parts/c.yaml": "# nothing wrong here\nareas: [{name: polishing}]\n",
        "rules.yaml": "rules:\n  - {name: r1, points: gas-1.lel, above: {yellow: 5, red: «2}}\n",
    }
    (tmp_path / "parts").mkdir()
    wanted = set()
    for name, marked in parts.items():
        text, line, column = mark(marked) if "«" in marked else (marked, 0, 0)
        (tmp_path / name).write_text(text, encoding="utf-8")
        if line:
            wanted.add((str(tmp_path / name), line, column))
    done = check(tmp_path / "site.yaml")
    assert done.returncode == 1
    found = issues(done.stderr)
    assert {i[:3] for i in found} == wanted and len(found) == len(wanted), done.stderr
    assert "shop" in next(i[4] for i in found if i[0].endswith("a.yaml"))
    assert done.stdout == ""

    daemon = run("riskgated", "--config", tmp_path / "site.yaml")
    assert daemon.returncode == 1
    said = done.stderr[:done.stderr.rindex(str(tmp_path / "site.yaml"))]  # all but the sum at the end
    assert said.count("error:") == len(wanted) and said in daemon.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["parts", "rules.yaml", "site.yaml"], "nothing was begun"


def test_the_daemon_refuses_and_a_valid_file_starts(tmp_path, start):
    file = tmp_path / "site.yaml"
    text = HEAD + BUS + DEVICE + f"store: {{path: {tmp_path}/r.db}}\ncontrol: {{socket: {tmp_path}/s}}\n"
    file.write_text(text.replace("unit: 1", "unit: 0"), encoding="utf-8")
    refused = run("riskgated", "--config", file)
    assert refused.returncode == 1 and f"{file}:7:" in refused.stderr and not (tmp_path / "r.db").exists()
    file.write_text(text, encoding="utf-8")
    assert check(file).returncode == 0
    child = start([program("riskgated"), "--config", file])
    wait_for(lambda: run("riskgatectl", "--socket", tmp_path / "s", "status").returncode == 0, what="the daemon")
    assert child.stop() == 0, child.output()


def test_a_line_that_cannot_carry_its_polls_is_a_warning(tmp_path):
    """100 registers at 1200 baud: 8 + 205 characters of 10 bits are 1.775 s, more than the second they are asked in; told, and valid."""
    points = ", ".join(f"{{name: p{n}, holding: {n}, type: u16}}" for n in range(100))
    text = HEAD + "buses:\n  - {name: slow, rtu: /dev/ttyS9, baud: 1200}\n" + \
        f"devices:\n  - {{name: far, bus: slow, unit: 1, poll: 1s, points: [{points}]}}\n"
    file = tmp_path / "site.yaml"
    file.write_text(text, encoding="utf-8")
    done = check(file)
    assert done.returncode == 0, done.stderr
    found = issues(done.stderr)
    assert {i[3] for i in found} == {"warning"} and any("far" in i[4] for i in found), done.stderr
    told_ms = [int(n) for i in found if "far" in i[4] for n in re.findall(r"(\d+) ms", i[4])]
    assert any(1775 <= n <= 2100 for n in told_ms), done.stderr
    assert any(775 <= n <= 1100 for n in told_ms), "by how much"
    share = [int(n) for i in found if "slow" in i[4] for n in re.findall(r"(\d+) %", i[4])]
    assert any(177 <= n <= 210 for n in share), done.stderr

    file.write_text(text.replace("baud: 1200", "baud: 19200"), encoding="utf-8")
    done = check(file)
    assert done.returncode == 0 and not [i for i in issues(done.stderr) if "mute" not in i[4]], done.stderr


# ---- hostile files -----------------------------------------------------------------------------------------------------


def laughs():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join(f'*a{n - 1}' for _ in range(9))}]" for n in range(1, 12)]
    return "\n".join(lines) + "\n"


def many_watches():
    points = ", ".join(f"{{name: p{n}, holding: {n}, type: u16}}" for n in range(2000))
    rules = "".join(f"  - {{name: r{n}, points: \"*\", above: {{red: 1}}}}\n" for n in range(3000))
    return HEAD + BUS + f"devices:\n  - {{name: d, bus: shop, unit: 1, points: [{points}]}}\nrules:\n" + rules


HOSTILE = {
    "billion laughs": laughs,
    "deep lists": lambda: "buses: " + "[" * 200000,
    "deep maps": lambda: "".join("  " * n + "a:\n" for n in range(2000)),
    "deep flow maps": lambda: "a: " + "{a: " * 100000,
    "long scalar": lambda: "gateway: " + "x" * (7 << 20) + "\n",
    "long quoted scalar without an end": lambda: "gateway: \"" + "x" * (7 << 20),
    "too large": lambda: "# " + "x" * (20 << 20) + "\n",
    "many unknown keys": lambda: "".join(f"k{n}: 1\n" for n in range(200000)),
    "the same key for ever": lambda: "a: 1\n" * 200000,
    "many broken devices": lambda: HEAD + BUS + "devices:\n" + "  - {name: 5 5, bus: x, unti: 3}\n" * 50000,
    "many devices of one name": lambda: HEAD + BUS + "devices:\n" +
    "  - {name: d, bus: shop, unit: 1, points: [{name: x, coil: 1}]}\n" * 30000,
    "globs of stars": lambda: HEAD + BUS + DEVICE + f"rules: [{{name: r, points: \"{'*a' * 200}\", above: {{red: 1}}}}]\n",
    "rules on everything": many_watches,
    "a status for every register": lambda: HEAD + BUS + DEVICE.replace("unit: 1,", "unit: 1, status: [" + ", ".join(
        f"{{holding: {n}, bits: {{0: sensor}}}}" for n in range(65536)) + "],"),
    "a quality for every value": lambda: HEAD + BUS + DEVICE.replace("unit: 1,", "unit: 1, status: {holding: 1, is: {" + ", ".join(
        f"{n}: sensor" for n in range(65536)) + "}},"),
    "a word for every value": lambda: HEAD + BUS + DEVICE.replace("u16", "u16, values: {" + ", ".join(
        f"{n}: x" for n in range(65536)) + "}"),
    "zero bytes": lambda: "\0" * 100000,
    "noise": lambda: bytes((n * 7919 + (n >> 3)) & 0xFF for n in range(300000)),
    "not UTF-8": lambda: b"gateway: {id: \xff\xfe\xfd}\n",
    "cursor movements": lambda: "gateway: \x1b[2J\x1b]0;x\x07\n",
    "nothing": lambda: "",
    "only comments": lambda: "# nothing\n" * 10,
    "several documents": lambda: HEAD + "---\n" + HEAD,
    "itself as alias": lambda: "a: &a [*a]\n",
    "an alias to nothing": lambda: "buses: *nowhere\n",
    "merge of itself": lambda: "a: &a\n  <<: *a\n",
    "a tag": lambda: "gateway: !!python/object/apply:os.system [id]\n",
    "includes itself": lambda: "include: [site.yaml]\n" + HEAD,
    "includes all": lambda: "include: [\"*\"]\n" + HEAD,
    "includes a folder": lambda: "include: [.]\n" + HEAD,
    "includes a device": lambda: "include: [/dev/zero]\n" + HEAD,
    "includes a pipe": lambda: "include: [pipe]\n" + HEAD,
    "includes nothing": lambda: "include: [no/such/file.yaml]\n" + HEAD,
    "numbers": lambda: HEAD + BUS + DEVICE.replace("unit: 1", "unit: 99999999999999999999999999").replace("holding: 0", "holding: 1e999"),
}

@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_end_soon(tmp_path, name):
    """Refused with status 1 and a reason, within bounds of time, memory and words; nothing reaches the terminal that moves its cursor."""
    text = HOSTILE[name]()
    file = tmp_path / "site.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    os.mkfifo(tmp_path / "pipe")
    done = subprocess.run([program("riskgatectl"), "check", str(file)], capture_output=True, timeout=LIMIT_S, check=False,
                          stdin=subprocess.DEVNULL, preexec_fn=None if has_sanitizer() else limit_memory)
    said = done.stderr.decode("utf-8")  # always valid
    assert done.returncode == 1, (done.returncode, said[-2000:])
    assert "error: " in said
    assert len(said) < 200000
    assert not any(unicodedata.category(c) == "Cc" and c not in "\n\t" for c in said)
    assert "out of memory" not in said


def test_a_file_that_is_none(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for file in (tmp_path / "no", tmp_path, tmp_path / "pipe", "/dev/zero", ""):
        done = check(file)
        assert done.returncode == 1 and "error: " in done.stderr, (file, done.returncode, done.stderr)


def test_includes_in_a_ring(tmp_path):
    (tmp_path / "site.yaml").write_text(HEAD + "include: [a.yaml]\n", encoding="utf-8")
    (tmp_path / "a.yaml").write_text("include: [b.yaml]\n", encoding="utf-8")
    (tmp_path / "b.yaml").write_text("include: [a.yaml]\n", encoding="utf-8")
    done = check(tmp_path / "site.yaml")
    assert done.returncode == 1 and [i[1:3] for i in issues(done.stderr)] == [(1, 11)], done.stderr
    assert issues(done.stderr)[0][0] == str(tmp_path / "b.yaml")


# ---- what it will take -------------------------------------------------------------------------------------------------


def test_memory_is_told_beforehand(tmp_path):
    """A day of seconds takes 2,048 cells at most, of 32 bytes each."""
    file = tmp_path / "gateway.yaml"
    rule = "rules:\n  - {name: r, points: gas-1.lel, SIGNAL above: {red: 50}}\n"
    memory = {}
    for signal in ("", "mean: 1s, ", "mean: 24h, "):
        file.write_text(HEAD + BUS + DEVICE + rule.replace("SIGNAL ", signal), encoding="utf-8")
        done = check(file, "--json")
        assert done.returncode == 0, done.stderr
        memory[signal] = json.loads(done.stdout)["rules_memory"]
    assert 0 < memory["mean: 1s, "] - memory[""] < 1000
    assert 60000 < memory["mean: 24h, "] - memory[""] <= 66000
    done = check(file)
    assert f"{memory['mean: 24h, '] / (1 << 20):.1f} MiB" in done.stdout


def test_who_shares_instants_is_told_beforehand(tmp_path):
    file = tmp_path / "gateway.yaml"
    file.write_text(HEAD + BUS + DEVICE, encoding="utf-8")
    done = check(file, "--json")
    assert json.loads(done.stdout)["instants"] == {"devices": 1, "poll_ms": 1000, "poll_offset_ms": 0}
    assert "at one instant" not in check(file).stdout


# ---- exit statuses -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [[], ["nonsense"], ["check"], ["check", "a", "b"], ["--nonsense"], ["status", "more"], ["ack"],
                                   ["ack", "gw-01-1"], ["status", "--socket"], ["ack", "gw-01-1", "more", "--by", "x"]])
def test_wrong_usage_of_riskgatectl(words):
    done = run("riskgatectl", *words)
    assert done.returncode == 2 and done.stderr and not done.stdout


@pytest.mark.parametrize("words", [[], ["--config"], ["--nonsense"], ["--config", "x", "more"], ["x"]])
def test_wrong_usage_of_riskgated(words):
    done = run("riskgated", *words)
    assert done.returncode == 2 and "--config FILE" in done.stderr and not done.stdout


@pytest.mark.parametrize("name", ["riskgated", "riskgatectl"])
def test_help_and_version(name):
    assert run(name, "--version").returncode == 0 and re.fullmatch(rf"{name} \d+\.\d+\S*\n", run(name, "--version").stdout)
    done = run(name, "--help")
    assert done.returncode == 0 and name in done.stdout and not done.stderr


@pytest.mark.parametrize("words", [["status"], ["alarms"], ["points"], ["risk"], ["ack", "gw-01-1", "--by", "x"], ["status", "--json"]])
def test_no_daemon(tmp_path, words):
    import socket  # a socket file that a dead daemon has left

    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(tmp_path / "dead"))
    dead.close()
    for path in (tmp_path / "nothing", tmp_path / "dead", tmp_path, "x" * 300):
        done = run("riskgatectl", "--socket", path, *words)
        assert done.returncode == 3 and done.stderr and not done.stdout, (path, done)
    assert run("riskgatectl", *words, env={"RISKGATE_SOCKET": str(tmp_path / "nothing")}).returncode == 3


def test_what_failed_is_1(daemon):
    """Reached, and refused: an alarm that is not there."""
    gateway = daemon({"buses": [], "devices": []})
    done = gateway.ctl("ack", "gw-01-1", "--by", "张三", check=False)
    assert done.returncode == 1 and "gw-01-1" in done.stderr
    for command in ("status", "alarms", "points", "risk"):
        assert gateway.ctl(command).returncode == 0
    gateway.stop()
