"""The unit: what systemd-analyze says of it, and the service itself under a systemd that was booted for it."""

import ctypes
import json
import pathlib
import re
import shutil
import struct
import subprocess
import time

import pytest

from booted import BUILD, UNITS, booted, prefix, stage, sysconf  # noqa: F401
from conftest import wait_for
from staged import Disk, library
from test_daemon_basic import site

LONG = 60  # seconds
WORLD = {"listeners": [{"name": "shop", "tcp": "127.0.0.1:0", "units": [{"id": 1, "registers": [{"holding": 0, "value": 123}]}]}]}
pytestmark = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")


def analyse(*arguments):
    return subprocess.run(["systemd-analyze", *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False)


def test_units_are_right(tmp_path):
    """No unknown key, no program that is not there, no dependency that leads nowhere."""
    stage(tmp_path)
    targets = tmp_path / "usr/lib/systemd/system"
    targets.mkdir(parents=True, exist_ok=True)
    for target in pathlib.Path("/usr/lib/systemd/system").glob("*.target"):
        shutil.copy(target, targets)
    for unit in UNITS:
        done = analyse("verify", "--man=no", f"--root={tmp_path}", unit)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
    broken = tmp_path / str(prefix()).lstrip("/") / "lib/systemd/system/riskgate.service"  # it would have told
    broken.write_text(broken.read_text().replace("ProtectHome=yes", "ProtectHomes=yes"))
    assert "ProtectHomes" in analyse("verify", "--man=no", f"--root={tmp_path}", UNITS[0]).stderr


@pytest.mark.parametrize("unit, tenths", [("riskgate.service", 15), ("riskgate-clock.service", 10)])
def test_exposure(unit, tenths):
    """At most that by systemd's own measure; and each thing that is left open has its reason in the unit."""
    path = BUILD / "systemd" / unit
    done = analyse("security", "--offline=true", f"--threshold={tenths}", "--no-pager", path)
    assert done.returncode == 0, done.stdout.splitlines()[-1]
    comments = "\n".join(line for line in path.read_text().splitlines() if line.startswith("#"))
    found = json.loads(analyse("security", "--offline=true", "--json=short", path).stdout)
    left = [row["name"] for row in found if row["set"] is False and row["exposure"] and float(row["exposure"]) > 0]
    assert len(left) < len(found) / 5
    for name in left:
        words = re.findall(r"[A-Za-z@_0-9]+", name.split("=", 1)[1].replace("AF_(INET|INET6)", "AF_INET")) or [name.split("=")[0]]
        assert name.split("=")[0] in comments or any(word in comments for word in words), f"{unit}: {name} is open without a reason"


def config_of(machine, plant_port, broker_port):
    config = site(plant_port, broker_port)
    config["gateway"] = {"id": "gw-01", "enterprise": {"code": "91350100M000100Y43", "name": "测试企业"}}
    config["store"] = {"path": "/var/lib/riskgate/riskgate.db"}
    config["control"] = {"socket": "/run/riskgate/control.sock"}
    config["metrics"] = {"file": "/run/riskgate/riskgate.prom", "every": "5s"}
    config["uplinks"][0].update(username="gw-01", password_file="credential:county")
    config["buses"].append({"name": "line", "rtu": "/dev/ttyS27", "baud": 9600, "parity": "none", "stop_bits": 1})
    config["devices"].append({"name": "far", "bus": "line", "unit": 1, "poll": "1s", "points": [{"name": "p", "holding": 0, "type": "u16"}]})
    machine.write(sysconf() / "riskgate.yaml", json.dumps(config, ensure_ascii=False))
    return config


def kernel_calls_clock_synced():
    state = ctypes.create_string_buffer(512)  # struct timex, modes 0: it is only read
    return ctypes.CDLL(None).adjtimex(state) in range(5)  # TIME_ERROR: not synchronised


def ask(machine, *arguments):
    return json.loads(machine.run(prefix() / "bin/riskgatectl", *arguments, "--json").stdout)


def started_with(machine, plant, make_broker, tmp_path):
    """The service as it is shipped: its configuration, a platform that wants a password, a plant."""
    world = plant(WORLD)
    passwords = tmp_path / "passwords"
    passwords.write_text("gw-01:geheim\n")
    passwords.chmod(0o700)
    subprocess.run(["mosquitto_passwd", "-U", passwords], check=True, capture_output=True)
    broker = make_broker(extra=[f"password_file {passwords}", "per_listener_settings false"])
    broker.stop()
    broker.config.write_text(broker.config.read_text().replace("allow_anonymous true", "allow_anonymous false"))
    broker.start()
    machine.write(sysconf() / "credentials/county", "geheim\n", 0o600)
    config = config_of(machine, world.ports["shop"], broker.port)
    machine.run("systemctl", "start", "riskgate", timeout=LONG)
    return world, config


PROBE = """[Service]
ExecStartPre=/bin/sh -c 'exec >/run/riskgate/sandbox; id -un; id -Gn; \\
    touch /etc/x /usr/x /var/lib/x /home/x /root/x 2>/dev/null; ls /etc/x /usr/x /var/lib/x 2>/dev/null; \\
    cat %s/credentials/county 2>/dev/null; ls "$CREDENTIALS_DIRECTORY"; \\
    grep -E "^(CapEff|CapBnd|NoNewPrivs|Seccomp):" /proc/self/status; \\
    ls /proc/1 2>/dev/null; ls /home | wc -l; mkfifo /var/lib/riskgate/own && echo writes; \\
    head -c1 /dev/ttyS27 2>&1; head -c1 /dev/mem 2>&1; unshare --user true 2>/dev/null && echo unshared; true'
"""


def test_the_service(plant, make_broker, booted, tmp_path):  # noqa: F811
    """Its life under a real systemd, as it is shipped, hardening and all."""
    machine = booted()
    machine.drop_in("riskgate.service", PROBE % sysconf())
    world, config = started_with(machine, plant, make_broker, tmp_path)

    # It is ready when systemctl comes back, works with the rights it has, and tells how it is.
    assert machine.show("riskgate", "ActiveState") == "active"
    wait_for(lambda: ask(machine, "status")["uplinks"][0]["connected"], LONG, "the platform")
    wait_for(lambda: {p["point"]: p for p in ask(machine, "points")}["gas-1.lel"]["value"] == 12.3, LONG, "a reading")
    wait_for(lambda: "devices answer" in machine.show("riskgate", "StatusText"), LONG, "the word of it")
    sandbox = machine.run("cat", "/run/riskgate/sandbox").stdout
    lines = sandbox.splitlines()
    assert lines[0] == "riskgate" and set(lines[1].split()) == {"riskgate", "dialout"}
    assert "geheim" not in sandbox and "riskgate_county" in lines and "writes" in lines
    assert not [line for line in lines if re.search(r"/x$|unshared", line)], sandbox
    for line in ("CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"):
        assert line in lines, sandbox
    # Of the serial line it is the hardware that is missing here, not the right.
    assert "/dev/ttyS27" not in sandbox or "ermi" not in next(line for line in lines if "/dev/ttyS27" in line), sandbox
    journal = machine.journal()
    # Whether the clock is synchronised it hears from riskgate-clock.
    wait_for(lambda: machine.show("riskgate-clock", "ActiveState") == "active", LONG, "riskgate-clock")
    assert "the clock counts as not synchronised" not in journal
    # Its lines have their fields in the journal, and what others are to read they may.
    line = wait_for(lambda: machine.run("journalctl", "--no-pager", "-o", "cat", "RISKGATE_BUS=line").stdout, LONG, "the line's word")
    assert "no such device" in line and "permi" not in line, line
    wait_for(lambda: machine.run("stat", "-c", "%a", "/run/riskgate/riskgate.prom", check=False).stdout == "644\n", LONG, "the metrics")
    synced = kernel_calls_clock_synced()
    wait_for(lambda: ask(machine, "status")["clock_synced"] == synced, LONG, "the kernel's word")
    machine.run("systemctl", "stop", "riskgate-clock")
    (machine.share / "word").write_bytes(struct.pack("=q", time.monotonic_ns() // 10**6 * 2 + (not synced)))
    machine.run("dd", "if=/srv/share/word", "of=/run/riskgate-clock/synced", "conv=notrunc")
    wait_for(lambda: ask(machine, "status")["clock_synced"] != synced, LONG, "another word")
    machine.run("systemctl", "start", "riskgate-clock")
    wait_for(lambda: ask(machine, "status")["clock_synced"] == synced, LONG, "the kernel's word again")
    assert machine.run("stat", "-c", "%a %U %G", "/run/riskgate/control.sock", "/var/lib/riskgate", "/var/lib/riskgate/riskgate.db"
                       ).stdout.split("\n")[:3] == ["660 riskgate riskgate", "700 riskgate riskgate", "600 riskgate riskgate"]

    # Reload: what is right is taken, what is wrong is told and makes systemctl fail; the service goes on.
    pid = machine.show("riskgate", "MainPID")
    config["rules"][0]["above"]["red"] = 55
    config["control"]["group"] = "dialout"  # any group that the daemon's user is in
    machine.write(sysconf() / "riskgate.yaml", json.dumps(config, ensure_ascii=False))
    machine.run("systemctl", "reload", "riskgate")
    events = lambda: machine.run("sqlite3", "/var/lib/riskgate/riskgate.db", "SELECT body FROM event").stdout  # noqa: E731
    wait_for(lambda: '"rule.lel-high.above.red"' in events(), LONG, "the record of the reload")
    assert '"by":"riskgate (uid ' in events()
    assert machine.run("stat", "-c", "%a %U %G", "/run/riskgate/control.sock").stdout == "660 riskgate dialout\n"
    machine.write(sysconf() / "riskgate.yaml", "gateway: {id: [}\n")
    assert machine.run("systemctl", "reload", "riskgate", check=False).returncode != 0
    wait_for(lambda: machine.show("riskgate", "ActiveState") == "active", LONG, "the state after the reload")
    assert machine.show("riskgate", "MainPID") == pid
    machine.write(sysconf() / "riskgate.yaml", json.dumps(config, ensure_ascii=False))

    # It dies, and is there again.
    machine.run("kill", "-KILL", pid)
    wait_for(lambda: machine.show("riskgate", "NRestarts") == "1" and machine.show("riskgate", "ActiveState") == "active", LONG, "the restart")
    assert machine.show("riskgate", "MainPID") != pid
    world.control.set("shop", 1, "holding", 0, 600)
    wait_for(lambda: ask(machine, "alarms"), LONG, "the alarm")

    # It stops: politely, and with all that it knows stored.
    machine.run("systemctl", "stop", "riskgate", timeout=LONG)
    assert machine.show("riskgate", "Result") == "success" and machine.show("riskgate", "ExecMainStatus") == "0"
    assert "riskgated ended" in machine.journal()
    assert machine.run("test", "-e", "/run/riskgate", check=False).returncode != 0
    wait_for(lambda: machine.show("riskgate-clock", "ActiveState") == "inactive", LONG, "the end of riskgate-clock")


def test_the_watchdog(plant, make_broker, booted, tmp_path):  # noqa: F811
    """The disk stops answering for good: the service manager ends the daemon and starts it anew; then the disk is well again."""
    machine = booted()
    disk = Disk(machine.share, "/var/lib/riskgate/")
    shutil.copy(library("faulty_disk"), machine.share)
    for place in (machine.share, disk.file):
        place.chmod(0o777)
    machine.drop_in("riskgate.service", "[Service]\nWatchdogSec=3s\nReadWritePaths=/srv/share\n"
                    "Environment=LD_PRELOAD=/srv/share/faulty_disk.so RG_DISK_FILE=/srv/share/disk-faults "
                    "RG_DISK_PREFIX=/var/lib/riskgate/\n")
    started_with(machine, plant, make_broker, tmp_path)
    wait_for(lambda: ask(machine, "status")["uplinks"][0]["connected"], LONG, "the platform")
    pid = machine.show("riskgate", "MainPID")
    disk.set(slow_ms=10**9)
    wait_for(lambda: machine.show("riskgate", "StatusText") == "the store stands still", LONG, "the word of it")
    wait_for(lambda: machine.show("riskgate", "MainPID") != pid, LONG, "its end")
    disk.heal()
    wait_for(lambda: machine.show("riskgate", "ActiveState") == "active" and machine.show("riskgate", "MainPID") not in (pid, "0"), LONG, "its return")
    assert "Watchdog timeout" in machine.run("journalctl", "--no-pager", "-o", "cat", "_PID=1").stdout
    assert "the store has not got on for" in machine.journal()
    wait_for(lambda: {p["point"]: p for p in ask(machine, "points")}["gas-1.lel"]["value"] == 12.3, LONG, "a reading")
    machine.run("systemctl", "stop", "riskgate", timeout=LONG)
    assert machine.show("riskgate", "Result") == "success"
