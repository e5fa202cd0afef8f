"""riskgatectl as people use it: what is wrong at a glance, colours, --watch on a terminal and in a pipe, completion in a real bash, usage
and exit statuses of every command."""

import contextlib
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from conftest import PATIENCE, free_port, program, wait_for

SOURCE = Path(os.environ.get("RG_SOURCE_DIR", Path(__file__).parents[2]))


def ctl(*arguments, **options):
    return subprocess.run([program("riskgatectl"), *map(str, arguments)], capture_output=True, text=True, timeout=PATIENCE, check=False,
                          stdin=subprocess.DEVNULL, **options)


def all_commands():
    return re.findall(r"^  ([a-z][a-z-]*) ", ctl("--help").stdout, re.MULTILINE)


@pytest.fixture(scope="module")
def words():
    """One register at address 0 for each unit."""
    return [{"id": n, "registers": [{"holding": 0, "type": "u16", "value": 7}]} for n in (1, 2, 3)]


@pytest.fixture
def sick(plant, daemon, words, tmp_path):
    """A bus that refuses, a line whose adapter is gone, a mute unit beside one that answers and one that refuses, a line on which nobody
    answers, an uplink that is refused."""
    world = plant({"listeners": [{"name": "shop", "tcp": "127.0.0.1:0", "units": words}, {"name": "dumb", "tcp": "127.0.0.1:0", "units": words}]})
    for listener, unit in (("shop", 2), ("dumb", 1), ("dumb", 2)):
        world.control.fault(listener, unit, "mute")
    level = {"name": "level", "holding": 0, "type": "u16"}
    devices = [("good", "shop", 1, level), ("mute", "shop", 2, level), ("wrong", "shop", 3, {**level, "holding": 900}),
               ("gone-1", "gone", 1, level), ("gone-2", "gone", 2, level), ("usb-1", "usb", 1, level),
               ("dumb-1", "dumb", 1, level), ("dumb-2", "dumb", 2, level)]
    made = daemon({
        "buses": [{"name": "shop", "tcp": f"127.0.0.1:{world.ports['shop']}", "timeout": "100ms"},
                  {"name": "gone", "tcp": f"127.0.0.1:{free_port()}"}, {"name": "usb", "rtu": str(tmp_path / "ttyUSB0"), "baud": 9600},
                  {"name": "dumb", "tcp": f"127.0.0.1:{world.ports['dumb']}", "timeout": "100ms"}],
        "devices": [{"name": n, "bus": b, "unit": u, "poll": "200ms", "points": [p]} for n, b, u, p in devices],
        "uplinks": [{"name": "county", "url": f"mqtt://127.0.0.1:{free_port()}"}]})
    made.world = world
    return made


@pytest.fixture
def sound(plant, daemon, words):
    """One unit that answers."""
    world = plant({"listeners": [{"name": "shop", "tcp": "127.0.0.1:0", "units": words[:1]}]})
    made = daemon({"buses": [{"name": "shop", "tcp": f"127.0.0.1:{world.ports['shop']}"}],
                   "areas": [{"name": "hall"}],
                   "devices": [{"name": "gas", "label": "抛光车间", "bus": "shop", "unit": 1, "poll": "100ms", "area": "hall",
                                "points": [{"name": "lel", "holding": 0, "type": "u16"}]}],
                   "rules": [{"name": "high", "points": "gas.lel", "above": {"red": 50}}]})
    made.world = world
    wait_for(lambda: made.device("gas")["ok"] > 2, what="readings")
    return made


# ---- what is wrong -----------------------------------------------------------------------------------------------------


def problems(gateway):
    return {p["where"].split(" (")[0]: p for p in gateway.status()["problems"]}


def test_what_is_wrong_where_since_when_and_what_to_try(sick):
    wanted = {"bus gone", "bus usb", "bus dumb", "device mute", "device wrong", "uplink county"}

    def all_that_is_wrong():
        seen = problems(sick)
        return {w for w, p in seen.items() if p["weight"] == "fault"} == wanted and seen

    found = wait_for(all_that_is_wrong, timeout=60, what="all that is wrong")
    now_ms = int(time.time() * 1000)
    for where, word, advice in (("bus gone", "refused", "port"), ("bus usb", "no such file", "adapter"), ("bus dumb", "none of its 2", "line"),
                                ("device mute", "no answer within", "unit number"), ("device wrong", "illegal data address", "manual"),
                                ("uplink county", "not connected", "network")):
        assert word in found[where]["what"] and advice in found[where]["try"], (where, found[where])
        assert where == "device wrong" or 0 < found[where]["since_ts"] <= now_ms, found[where]
    assert found["device mute"]["bus"] == "shop" and found["device mute"]["unit"] == 2

    text = sick.ctl("status").stdout
    assert "\033" not in text
    shown, _, rest = text.partition("\n\n")[2].partition("\n\n")
    assert rest.startswith("BUS") and re.search(r"^FAULT    device mute \(bus shop, unit 2\), since .*\d\d:\d\d:\d\d \(\d+ (s|min)\)$", shown, re.MULTILINE)
    for where in wanted:
        p = found[where]
        assert " ".join(p["try"].split()) in " ".join(shown.split()), (p, shown)
    sick.world.control.clear()
    wait_for(lambda: not {"bus dumb", "device mute"} & problems(sick).keys(), timeout=60, what="the units' return")


def test_nothing_is_wrong(sound):
    def well():
        return [p for p in sound.status()["problems"] if p["part"] not in ("clock", "gateway", "store")] == []
    wait_for(well, what="nothing wrong")

    def said():
        """A machine may have problems of its own at any time: then the next look decides."""
        before, text, after = sound.status()["problems"], sound.ctl("status").stdout, sound.status()["problems"]
        return bool(before or after) == ("nothing is wrong" not in text)
    wait_for(said, what="the same in words")


# ---- terminals ---------------------------------------------------------------------------------------------------------


class Terminal:
    """A command on a terminal of its own; seen: what it wrote."""

    def __init__(self, *arguments, term="xterm", **environment):
        self.seen = ""
        self.child, self.fd = pty.fork()
        if self.child == 0:
            for name in ("NO_COLOR", "CLICOLOR_FORCE", "COLUMNS"):
                os.environ.pop(name, None)
            os.environ.update(environment, TERM=term)
            os.execv(arguments[0], [str(a) for a in arguments])

    def read(self):
        """What has come meanwhile; False: it has ended."""
        while select.select([self.fd], [], [], 0)[0]:
            try:
                got = os.read(self.fd, 65536)
            except OSError:
                return False
            if not got:
                return False
            self.seen += got.decode(errors="replace")
        return True

    def await_(self, what):
        wait_for(lambda: self.read() is not None and what(self.seen), what=f"in {self.seen!r}")

    def end(self):
        """Reads to its end; its exit status."""
        wait_for(lambda: not self.read(), what="the end")
        status = os.waitstatus_to_exitcode(os.waitpid(self.child, 0)[1])
        os.close(self.fd)
        return status


def on_terminal(gateway, *arguments, **environment):
    terminal = Terminal(program("riskgatectl"), "--socket", gateway.socket, *arguments, **environment)
    assert terminal.end() == 0
    return terminal.seen.replace("\r\n", "\n")


def test_colours_on_a_terminal_only(sound):
    sound.world.control.set("shop", 1, "holding", 0, 60)
    wait_for(sound.alarms, what="the alarm")
    plain = sound.ctl("alarms").stdout
    coloured = on_terminal(sound, "alarms")
    assert "\033[1;31m" in coloured and "\033" not in plain and re.sub(r"\033\[[0-9;]*m", "", coloured) == plain
    assert on_terminal(sound, "alarms", NO_COLOR="1") == on_terminal(sound, "alarms", term="dumb") == plain
    forced = ctl("--socket", sound.socket, "alarms", env={**os.environ, "NO_COLOR": "", "CLICOLOR_FORCE": "1"})
    assert forced.stdout == coloured


def test_watching_on_a_terminal(sound):
    terminal = Terminal(program("riskgatectl"), "--socket", sound.socket, "alarms", "--watch", "0.2")
    terminal.await_(lambda seen: seen.count("no active alarms") >= 2)
    sound.world.control.set("shop", 1, "holding", 0, 60)
    terminal.await_(lambda seen: "gas.lel" in seen and "\033[1;31m" in seen)
    sound.kill()
    terminal.await_(lambda seen: "does not answer" in seen)
    sound.start()
    mark = len(terminal.seen)
    terminal.await_(lambda seen: "gas.lel" in seen[mark:])
    os.kill(terminal.child, signal.SIGINT)
    assert terminal.end() == 0
    frames = terminal.seen.split("\033[H")
    assert terminal.seen.count("\033[2J") == 1 and all("\033[?7h" in f for f in frames[1:-1]), "one screen, drawn over"
    assert all(line.endswith("\033[K") for line in frames[1].split("\033[J")[0].removeprefix("\033[2J\033[?7l").split("\r\n")[:-1])


def test_watching_in_a_pipe(sound):
    for arguments, count in ((("alarms", "--watch=0.1"), lambda t: len(re.findall(r"^# \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\nno active", t, re.MULTILINE))),
                             (("status", "--json", "--watch", "0.1"), lambda t: len([json.loads(x)["level"] for x in t.splitlines()[:-1]]))):
        child = subprocess.Popen([program("riskgatectl"), "--socket", str(sound.socket), *arguments], stdout=subprocess.PIPE)
        text = b""
        with contextlib.closing(child.stdout):
            while count(text.decode(errors="ignore")) < 3:  # a piece may end within a character
                got = os.read(child.stdout.fileno(), 65536)
                assert got, text
                text += got
                assert b"\033" not in text
            child.send_signal(signal.SIGTERM)
            assert child.wait(PATIENCE) == 0
    assert ctl("--socket", sound.folder / "nobody", "alarms", "--watch").returncode == 3, "it never was there"
    assert sound.ctl("explain", "nobody", "--watch", check=False).returncode == 1
    assert sound.ctl("permit", "open", "x", "--for", "1h", "--by", "y", "--watch", check=False).returncode == 2, "once is enough"


# ---- completion --------------------------------------------------------------------------------------------------------


def completed(line, *, folder="/", **environment):
    """What a real bash offers behind this line."""
    if not shutil.which("bash"):
        pytest.skip("no bash")
    script = """
        . "$1"
        line=$2
        read -ra COMP_WORDS <<< "${line//=/ = }"
        [[ $line == *' ' || $line == *= ]] && COMP_WORDS+=('')
        [[ $line == *= ]] && unset 'COMP_WORDS[-1]'
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_LINE=$line COMP_POINT=${#line}
        COMP_WORDS[0]=$3
        compopt() { :; }
        _riskgatectl
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    done = subprocess.run(["bash", "--norc", "-c", script, "bash", str(SOURCE / "completion/riskgatectl.bash"), "riskgatectl " + line,
                           program("riskgatectl")], capture_output=True, text=True, timeout=PATIENCE, check=False, cwd=folder,
                          env={**os.environ, **environment})
    assert done.returncode == 0 and not done.stderr, done
    return done.stdout.split()


def test_completion_without_a_daemon(tmp_path):
    nobody = {"RISKGATE_SOCKET": str(tmp_path / "nobody")}
    (tmp_path / "one file.yaml").touch()
    (tmp_path / "other.yaml").touch()
    for line, wanted in (("", all_commands()), ("st", ["status"]), ("status --w", ["--watch"]), ("ack x --b", ["--by"]), ("permit ", ["open", "close", "list"]),
                         ("report --last ", ["daily", "monthly"]), ("report --last=m", ["monthly"]), ("report --last=", ["daily", "monthly"]),
                         ("probe --parity e", ["even"]), ("nonsense ", []), ("ack ", []), ("check ot", ["other.yaml"]), ("ack --by ", []),
                         ("profiles dampt", ["dampt100"]), ("history x --store oth", ["other.yaml"]), ("check a b", []), ("audit v", ["verify"])):
        assert sorted(completed(line, folder=tmp_path, **nobody)) == sorted(wanted), line
    assert set(completed("--")) == {"--socket", "--json", "--help", "--version"}
    for command in all_commands():
        options = set(re.findall(r"^  (--[a-z-]+)", ctl(command, "--help").stdout, re.MULTILINE))
        assert set(completed(f"{command} --")) == options, command


def test_completion_of_names(sound):
    sound.world.control.set("shop", 1, "holding", 0, 60)
    wait_for(sound.alarms, what="the alarm")
    alarm = sound.alarms()[0]["alarm"]
    here = {"RISKGATE_SOCKET": str(sound.socket)}
    assert completed("ack ", **here) == [alarm] == completed(f"--socket {sound.socket} ack {alarm[:4]}") == completed(f"ack --socket={sound.socket} ")
    assert completed("history g", **here) == ["gas.lel"] and completed("probe --bus ", **here) == ["shop"]
    assert set(completed("explain ", **here)) == {alarm, "gas.lel", "gas"}


# ---- usage -------------------------------------------------------------------------------------------------------------


def test_usage_of_every_command():
    commands = all_commands()
    assert len(commands) >= 22 and len(set(commands)) == len(commands) and "complete" not in commands
    for command in commands:
        done = ctl(command, "--help")
        usage, _, rest = done.stdout.partition("\n\n")
        assert done.returncode == 0 and not done.stderr and all(f"riskgatectl {command}" in line for line in usage.splitlines()), command
        assert usage.startswith("usage: ") and "\nOptions:\n" in rest and "\nExit status: 0 done;" in rest, command
        assert all(len(line) <= 120 for line in done.stdout.splitlines()), command
        wrong = ctl(command, "--nonsense")
        assert wrong.returncode == 2 and usage in wrong.stderr and not wrong.stdout, command
        assert f"riskgatectl {command} --help" in wrong.stderr
    assert "did you mean `status`?" in ctl("statsu").stderr
    assert ctl("shelve", "x", "--for", "soon", "--by", "y").stderr.startswith("riskgatectl: --for takes a duration")


def test_where_the_daemon_is_not(tmp_path):
    done = ctl("--socket", tmp_path / "nobody", "status")
    assert done.returncode == 3 and "systemctl status riskgate" in done.stderr
    done = ctl("--socket", "x" * 200, "status")
    assert done.returncode == 3 and "too long" in done.stderr
