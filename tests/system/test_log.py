"""The log as an operator has it: one line an event with its level and what it is about, the same fault damped, no secret in it, and the
journal's own fields."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile

import pytest

from conftest import free_port, program, wait_for
from evidence import site_of, uplink, world_of

LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} (error|warning|info|debug) (\S.*)")
ABOUT = re.compile(r"(bus|uplink|output) \S+: |device \S+ \(bus \S+, unit \d+\): |alarm \S+ (raise|clear|escalate|deescalate): rule \S+, point \S+, |"
                   r"level of the gateway: |riskgated |configuration |metrics: ")


def test_lines_and_secrets(plant, daemon, tmp_path):
    """A plant with everything wrong in it: each fault is there once, as a line that says of what."""
    world = plant(world_of(buses=2, units=2))
    world.control.fault("bus-0", 1, "mute")
    world.control.set("bus-1", 1, "holding", 0, 60)
    secret = tmp_path / "password"
    secret.write_text("geheim-42\n")
    secret.chmod(0o600)
    site = site_of(world, [uplink(free_port(), "refused", username="user-7", password_file=str(secret)),
                           uplink(free_port(), "no-file", username="u", password_file=str(tmp_path / "not-there")),
                           uplink(free_port(), "plain")], units=2, swings=False)
    for device in site["devices"]:
        device["timeout"] = "100ms"
    site["buses"].append({"name": "nobody", "tcp": f"127.0.0.1:{free_port()}"})
    site["devices"].append({**site["devices"][0], "name": "d-nobody", "bus": "nobody"})
    gateway = daemon(site)

    def lines():
        return [line for line in gateway.child.output().splitlines() if LINE.fullmatch(line)]

    def about(text):
        return [line for line in lines() if text in line]

    wanted = ("warning bus nobody: down: ", "warning device d-0-1 (bus bus-0, unit 1): 3 polls in a row without an answer",
              "warning uplink refused: not connected: ", "warning uplink plain: not connected: ",
              "warning uplink no-file: not connected: password file `", "point d-1-1.gas, none -> red: ")
    wait_for(lambda: all(about(text) for text in wanted), what=f"{wanted} in the log")
    assert "there is no such file" in about("uplink no-file")[0]
    # A reload to a configuration with a password where none belongs: the error says so without it.
    site["uplinks"][2]["url"] = "mqtt://user-7:geheim-42@127.0.0.1:1883"
    site["uplinks"][2]["password"] = "geheim-42"
    gateway.reload()
    wait_for(lambda: about("error configuration "), what="the refusal")
    world.control.clear("bus-0", 1)
    wait_for(lambda: about("info device d-0-1 (bus bus-0, unit 1): answers again after "), what="the end of the silence")
    gateway.stop()
    told = gateway.child.output()
    assert "geheim-42" not in told and "geheim-42" not in str(gateway.records("event"))
    for text in wanted[:5]:
        assert len(about(text)) == 1, about(text)
    # Every line: time, level, what it is about. Before the first, the start shows its warnings with their place in the file.
    from_start = told[told.index(lines()[0]):].splitlines()
    assert [line for line in from_start if not LINE.fullmatch(line)] == []
    strange = [line for line in from_start if not ABOUT.match(LINE.fullmatch(line)[2]) and ".yaml:" not in line]
    assert strange == []


@contextlib.contextmanager
def full_pipe():
    """A pipe that whoever writes into it waits at: (end to read, end to write)."""
    taken, given = os.pipe()
    os.set_blocking(given, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(given, b"filled\n")
    os.set_blocking(given, True)
    os.set_blocking(taken, False)
    yield taken, given
    os.close(taken)
    os.close(given)


def test_a_log_that_nobody_reads(plant, broker, daemon, platform):
    """It holds up nothing, not even the end; who reads later finds it all."""
    world = plant(world_of(buses=1, units=1))
    watcher = platform(broker)
    gateway = daemon(site_of(world, [uplink(broker.port, "county")], units=1, swings=False), run=False)
    with full_pipe() as (taken, given):
        gateway.start(stderr=given)
        world.control.set("bus-0", 1, "holding", 0, 60)
        wait_for(lambda: '"event":"raise"' in "".join(watcher.records("alarm").values()), what="the alarm at the platform")
        world.control.set("bus-0", 1, "holding", 0, 0)
        wait_for(lambda: '"event":"clear"' in "".join(watcher.records("alarm").values()), what="the end of the alarm at the platform")
        told = b""

        def tell():
            nonlocal told
            with contextlib.suppress(BlockingIOError):
                while True:
                    told += os.read(taken, 65536)
            return told.decode()

        wait_for(lambda: " clear: rule " in tell(), what="the log")
        lines = [line for line in tell().splitlines() if line != "filled"]
        assert [line for line in lines if not LINE.fullmatch(line)] == []
        assert gateway.status()["log"]["lost"] == 0
        assert [line.split()[5] for line in lines if " alarm " in line] == ["raise:", "clear:"]
        gateway.stop()
        assert tell().endswith(" info riskgated ended\n")


def test_a_log_that_nobody_reads_does_not_hold_up_the_end(plant, broker, daemon):
    world = plant(world_of(buses=1, units=1))
    gateway = daemon(site_of(world, [uplink(broker.port, "county")], units=1, swings=False), run=False)
    with full_pipe() as (_, given):
        gateway.start(stderr=given)
        gateway.stop()


@contextlib.contextmanager
def journal():
    """A folder with a socket as the journal's is, and the fields of each message that came."""
    folder = tempfile.mkdtemp(prefix="rg-journal-")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as there:
        there.bind(f"{folder}/socket")
        there.setblocking(False)
        came = []

        def take():
            with contextlib.suppress(BlockingIOError):
                while True:
                    came.append(dict(line.split("=", 1) for line in there.recv(65536).decode().splitlines()))
            return came

        yield folder, take
    shutil.rmtree(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can put a journal in place")
def test_the_journal_gets_fields(plant, daemon, start, tmp_path):
    world = plant(world_of(buses=1, units=1))
    gateway = daemon(site_of(world, [uplink(free_port(), "county")], units=1, swings=False), run=False)
    with journal() as (folder, came):
        # In a mount name space of its own: on this machine nothing changes. Standard error is what JOURNAL_STREAM names.
        inside = (f'mount -t tmpfs none /run/systemd && mkdir /run/systemd/journal && mount --bind {folder} /run/systemd/journal && '
                  'JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2) exec "$@"')
        os.makedirs("/run/systemd", exist_ok=True)
        if subprocess.run(["unshare", "-m", "sh", "-c", inside, "x", "true"], capture_output=True, check=False).returncode != 0:
            pytest.skip("no mount name spaces here")
        gateway.child = start(["unshare", "-m", "sh", "-c", inside, "x", program("riskgated"), "--config", gateway.file], name="riskgated")
        world.control.set("bus-0", 1, "holding", 0, 60)
        wait_for(lambda: [m for m in came() if m.get("RISKGATE_ALARM")], what="the alarm")
        alarm = next(m for m in came() if "RISKGATE_ALARM" in m)
        assert alarm["PRIORITY"] == "4" and alarm["RISKGATE_DEVICE"] == "d-0-1" and alarm["RISKGATE_POINT"] == "d-0-1.gas"
        assert alarm["RISKGATE_RULE"] == "gas-high" and alarm["RISKGATE_AREA"] == "hall" and len(alarm["MESSAGE_ID"]) == 32
        assert alarm["MESSAGE"].startswith(f"alarm {alarm['RISKGATE_ALARM']} raise: ") and alarm["SYSLOG_IDENTIFIER"] == "riskgated"
        lost = wait_for(lambda: [m for m in came() if m.get("RISKGATE_UPLINK")], what="the uplink")[0]
        assert lost["RISKGATE_UPLINK"] == "county" and lost["MESSAGE"].startswith("uplink county: not connected: ")
        world.control.fault("bus-0", 1, "mute")
        silent = wait_for(lambda: [m for m in came() if m.get("RISKGATE_DEVICE") and "without an answer" in m["MESSAGE"]], what="the silence")[0]
        assert silent["RISKGATE_BUS"] == "bus-0" and silent["MESSAGE_ID"] != alarm["MESSAGE_ID"]
        gateway.child.signal(signal.SIGTERM)
        assert gateway.child.wait() == 0
        assert came()[-1]["MESSAGE"] == "riskgated ended"
        assert gateway.child.output() == "", "nothing twice: what the journal has is not on standard error"
