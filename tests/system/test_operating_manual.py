"""docs/operating.md, walked through: its files are written, its commands run, in order, against a real daemon and a line of detectors.

A block `sh` is run; `sh by-hand` (packages, other machines, questions) is only held against the help. `yaml FILE` is that file, `yaml` a part of
one. Its Chinese twin has the same blocks. And docs/architecture.md names nothing that is not there.
"""

import contextlib
import os
import re
import shlex
import subprocess
import time

from conftest import SOURCE, Daemon, program, wait_for
from documents import DOCS

MANUALS = ("operating.md", "operating.zh.md")
PLACES = ("/etc/riskgate", "/var/lib/riskgate", "/run/riskgate")


def text_of(manual):
    return (DOCS / manual).read_text(encoding="utf-8")


def blocks(manual="operating.md"):
    """[(number of the section, kind, text)]"""
    found, section = [], "0"
    for match in re.finditer(r"^## (\d+)\.|^```([a-z].*)\n((?:.*\n)*?)```$", text_of(manual), re.M):
        if match[1]:
            section = match[1]
        else:
            found.append((int(section), match[2], match[3]))
    return found


def commands(kind):
    """The lines of the blocks of a kind."""
    return [line for _, found, text in blocks() if found == kind for line in text.splitlines()]


# ---- the text ----------------------------------------------------------------------------------------------------------


def test_both_say_the_same():
    assert blocks("operating.md") == blocks("operating.zh.md") and len(blocks()) > 25
    for what in (r"^## (\d+)\.", r"^(\d)\. ", r"\]\(([a-z]+)[^)]*\.md\)"):
        assert [re.findall(what, text_of(m), re.M) for m in MANUALS][0] == [re.findall(what, text_of(m), re.M) for m in MANUALS][1], what
    rows = [[row.count("|") for row in text_of(m).splitlines() if row.startswith("|")] for m in MANUALS]
    assert rows[0] == rows[1]


def test_the_links_lead_somewhere():
    for manual in (*MANUALS, "architecture.md"):
        for link in re.findall(r"\]\(([^)]+)\)", text_of(manual)):
            assert (DOCS / link).exists(), (manual, link)


def test_the_architecture_names_what_is_there():
    names = re.findall(r"`((?:daemon|drivers|tests|config|docs|systemd|simulators)/[^`]*)`", text_of("architecture.md"))
    missing = [name for name in names if not list(SOURCE.glob(name))]
    assert len(names) > 40 and not missing, missing


def options_of(command):
    done = subprocess.run([program("riskgatectl"), command, "--help"], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, (command, done.stderr)
    return set(re.findall(r"--[a-z][a-z-]*", done.stdout))


def test_every_command_is_one():
    """Also those in the sentences."""
    for manual in (*MANUALS, "architecture.md"):
        for words in re.findall(r"riskgatectl ([a-z][^`\n]*)", text_of(manual)):
            name = re.match(r"[a-z-]+", words)[0]
            assert set(re.findall(r"(?<= )--[a-z][a-z-]*", words)) <= options_of(name), (manual, words)


def test_what_is_typed_by_hand():
    for line in commands("sh by-hand"):
        assert subprocess.run(["bash", "-n", "-c", line], check=False, timeout=60).returncode == 0, line


def test_parts_are_taken(tmp_path):
    site = "gateway: {id: gw, enterprise: {code: 91350100M000100Y43, name: x}}\n"
    parts = [text for _, kind, text in blocks() if kind == "yaml"]
    assert len(parts) >= 2
    (tmp_path / "site.yaml").write_text(site + "".join(parts))
    check = subprocess.run([program("riskgatectl"), "check", tmp_path / "site.yaml"], capture_output=True, text=True, check=False, timeout=60)
    assert check.returncode == 0, check.stderr


# ---- the walk ----------------------------------------------------------------------------------------------------------

LINE = {"listeners": [{"name": "hall", "baud": 9600, "units": [
    {"id": unit, "fill": True, "registers": [
        {"holding": 0, "type": "u16", "scale": 0.1, "value": 2},
        {"holding": 1, "type": "i16", "scale": 0.1, "value": 21.5},
        {"holding": 20, "type": "u16", "value": 0}]} for unit in (3, 4)]}]}


class Walk:
    """A machine for one reader: the manual's places lie below a folder, its service is a child of the test."""

    def __init__(self, start, root, broker, line):
        self.start, self.root, self.broker, self.line = start, root, broker, line
        self.gateway, self.alarm = None, None
        for place in (*PLACES, "/home"):
            (root / place[1:]).mkdir(parents=True)
        self.environment = {**os.environ, "HOME": str(root / "home"), "RISKGATE_SOCKET": str(root / "run/riskgate/control.sock"),
                            "PATH": os.path.dirname(program("riskgatectl")) + ":" + os.environ["PATH"]}

    def here(self, text):
        """The manual's words with the places, line, broker and alarm of this machine."""
        for place in PLACES:
            text = re.sub(rf"(?<![\w.]){place}", str(self.root) + place, text)
        text = text.replace("tar -C / ", f"tar -C {self.root} ").replace("/dev/ttyS1", str(self.line))
        text = re.sub(r'\{name: county, url: [^}]*\}', f'{{name: county, url: "{self.broker.url}"}}', text)
        return text.replace("gw-01-42", self.alarm) if self.alarm else text

    def write(self, name, text):
        path = self.root / name[1:]
        path.parent.mkdir(exist_ok=True)
        path.write_text(self.here(text), encoding="utf-8")

    def service(self, words):
        if words[-2:] == ["enable", "--now"] or words[0] in ("start", "enable"):
            self.gateway = Daemon.__new__(Daemon)
            self.gateway.start_child = self.start
            self.gateway.file = self.root / "etc/riskgate/riskgate.yaml"
            self.gateway.database = self.root / "var/lib/riskgate/riskgate.db"
            self.gateway.socket = self.root / "run/riskgate/control.sock"
            self.gateway.start()
        else:
            assert words[0] == "stop", words
            self.gateway.stop()

    def settled(self):
        """Whether the alarms are in the store as the daemon has them: who reads the manual is slower than a commit, this test is not."""
        if not self.gateway.child.running:
            return True
        stored = dict(self.gateway.query("SELECT alarm, acked FROM v_alarm"))
        return all(stored.get(a["alarm"]) == a["acked"] for a in self.gateway.alarms())

    def run(self, line):
        """What it printed."""
        words = shlex.split(line)
        words = words[1:] if words[0] == "sudo" else words
        if words[0] == "systemctl":
            self.service(words[1:])
            return ""
        if "/riskgate.db" in line:
            wait_for(self.settled, what="what was done in the store")
        done = subprocess.run(["bash", "-c", self.here(line.removeprefix("sudo "))], env=self.environment, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, f"{line}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def log(self):
        return self.gateway.child.output()

    def log_and_status(self):
        return self.log() + self.run("riskgatectl status")


def section(walk, number, seen):
    """Everything of one section; seen(line, output) looks at what came."""
    for where, kind, text in blocks():
        if where == number and kind.startswith("yaml /"):
            walk.write(kind.removeprefix("yaml "), text)
        elif where == number and kind == "sh":
            for line in text.splitlines():
                seen[line] = walk.run(line)


def said(seen, beginning):
    """What the last command printed that begins so."""
    return [out for line, out in seen.items() if line.removeprefix("sudo ").startswith(beginning)][-1]


def faults(walk, world):
    """The texts of the table, as they come. Each is looked for in the manual, too."""
    def expect(*texts, there=walk.log_and_status):
        for text in texts:
            assert f"`{text}`" in text_of("operating.md"), text

            def come(text=text):
                found = text in there()
                time.sleep(0 if found else 0.2)  # each look is a program that is started
                return found

            wait_for(come, timeout=60, what=text)

    gateway, hall = walk.gateway, walk.root / "etc/riskgate/site/hall.yaml"
    # So that what comes and goes here is found out soon.
    hall.write_text(hall.read_text().replace("unit: 3", "unit: 3\n    probe: 1s").replace("timeout: 500ms", "timeout: 500ms, retry: 1s"))
    gateway.ctl("reload")
    for code, text in ((4, "server device failure"), (2, "illegal data address")):
        world.control.fault("hall", 3, "exception", code)
        expect(text)
        world.control.clear()
    world.control.fault("hall", 3, "wrong_crc")
    expect("answer with a wrong CRC")
    world.control.clear()
    world.control.fault("hall", 3, "mute")
    expect("no answer within 500 ms", "suspended")
    world.control.clear()
    world.control.fault("hall", "*", "refuse")
    expect("no such file or directory", "down")
    world.control.clear()
    walk.broker.stop()
    expect("TCP/TLS connect failure")
    before = gateway.file.read_text()
    gateway.file.write_text(before + "nonsense: 1\n")
    done = gateway.ctl("reload", check=False)
    assert done.returncode == 1 and "nonsense" in done.stdout + done.stderr
    gateway.file.write_text(before)
    done = gateway.ctl("probe", "--tcp", "127.0.0.1:1", "--unit", 1, "--holding", 0, check=False)
    expect("connection refused", there=lambda: done.stdout + done.stderr)


def test_the_walk(start, tmp_path, broker, plant):
    LINE["listeners"][0]["rtu"] = str(tmp_path / "ttyS1")
    world = plant(LINE)
    walk = Walk(start, tmp_path / "machine", broker, tmp_path / "ttyS1")
    seen = {}
    for number in (1, 2):
        section(walk, number, seen)
    assert "hall" in said(seen, "riskgatectl status") and "is valid" in said(seen, "riskgatectl check")
    section(walk, 3, seen)
    found = said(seen, "riskgatectl probe --scan")
    assert re.search(r"^ *3 +answers", found, re.M) and re.search(r"^ *4 +answers", found, re.M), found
    assert "0x0014" in said(seen, "riskgatectl probe --bus hall --unit 3"), seen
    assert "gas-1" in said(seen, "riskgatectl diff"), seen
    wait_for(lambda: walk.gateway.points().get("gas-1.lel", {}).get("value") == 2, what="the first reading")
    section(walk, 4, seen)
    # Who reads on is slower than this test: what was done is on the disk by then.
    asked = next(line for line in seen if line.removeprefix("sudo ").startswith("sqlite3"))
    wait_for(lambda: '"what":"rule.lel-high.above.yellow","old":"20","new":"15"' in walk.run(asked), what="the change in the store")
    world.control.set("hall", 3, "holding", 0, 30)
    wait_for(walk.gateway.alarms, what="the alarm")
    walk.alarm = walk.gateway.alarms()[0]["alarm"]
    section(walk, 5, seen)
    assert "可燃气体浓度过高" in said(seen, "riskgatectl explain") and "李四" in said(seen, "riskgatectl audit trace")
    section(walk, 6, seen)
    assert (tmp_path / "machine/home/gas-1-before.json").stat().st_size > 100
    section(walk, 7, seen)
    assert walk.gateway.alarms()[0]["alarm"] == walk.alarm, "it went on standing"
    section(walk, 8, seen)
    assert "good" in said(seen, "riskgatectl audit verify --store ~/gw-01-backup.db")
    section(walk, 11, seen)
    assert "# EOF" in said(seen, "riskgatectl metrics")
    assert set(seen) >= set(commands("sh")), "a section was left out"
    faults(walk, world)
    walk.gateway.stop()
    assert walk.gateway.ctl("status", check=False).returncode == 3
    with contextlib.suppress(OSError):
        world.control.close()
