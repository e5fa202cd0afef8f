"""What the service manager hears, the test being the manager: ready, status, reload, stop; and that the watchdog is fed as long as all gets on,
and no longer: a bus whose thread does not come back, a disk that does not answer, a daemon that stands still. And a manager that does not read."""

import contextlib
import os
import signal
import socket
import time

import pytest

from conftest import program, wait_for
from staged import Disk, Line
from test_daemon_basic import site

LONG = 60  # seconds
WORLD = {"listeners": [{"name": "shop", "tcp": "127.0.0.1:0", "units": [{"id": 1, "registers": [{"holding": 0, "value": 123}]}]}]}


class Manager:
    """The socket that the daemon is given as $NOTIFY_SOCKET."""

    def __init__(self, folder):
        self.path = folder / "notify"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        self.socket.setblocking(False)
        self.lines = []
        self.fed = 0

    def hear(self):
        """All messages that came, as lines, but for those that feed."""
        while True:
            try:
                message = self.socket.recv(65536).decode()
            except BlockingIOError:
                return self.lines
            for line in message.splitlines():
                if line == "X_FILL=1":
                    continue
                if line == "WATCHDOG=1":
                    self.fed += 1
                else:
                    self.lines.append(line)

    def fill(self):
        """Until there is room for nothing more: whoever sends now without a care waits until it is read."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
            other.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while True:
                    other.sendto(b"X_FILL=1", str(self.path))

    def feedings(self):
        self.hear()
        return self.fed

    def await_feeding(self, what):
        self.hear()
        before = self.fed
        wait_for(lambda: self.feedings() > before + 1, LONG, what)

    def await_hunger(self, seconds, what):
        """Nothing is fed for that long, which is told by the clock that the daemon has, too."""
        state = {"fed": self.feedings(), "since": time.monotonic()}

        def hungry():
            if self.feedings() != state["fed"]:
                state.update(fed=self.fed, since=time.monotonic())
            return time.monotonic() - state["since"] > seconds

        wait_for(hungry, LONG, what)

    def env(self, watchdog_s=None):
        """Of a daemon that it starts."""
        env = {"NOTIFY_SOCKET": str(self.path)}
        if watchdog_s:
            env["WATCHDOG_USEC"] = str(int(watchdog_s * 1e6))
        return env

    def states(self):
        """All but the status, by name."""
        return [line.split("=")[0] for line in self.hear() if not line.startswith("STATUS=")]

    def status(self):
        return [line for line in self.hear() if line.startswith("STATUS=")][-1]

    def close(self):
        self.socket.close()


@pytest.fixture
def manager(tmp_path):
    one = Manager(tmp_path)
    yield one
    one.close()


def test_ready_reload_stop(plant, broker, daemon, manager):
    world = plant(WORLD)
    gateway = daemon(site(world.ports["shop"], broker.port), run=False)
    gateway.spawn(env={**os.environ, **manager.env(watchdog_s=1)})
    wait_for(lambda: "READY=1" in manager.hear(), what="READY=1")
    assert gateway.status()["version"]  # it is when it says so
    assert manager.lines[0].startswith("STATUS=starting"), manager.lines
    wait_for(lambda: manager.status() == "STATUS=level none; 0 alarms, 0 not acknowledged; 1 of 1 devices answer; "
             "1 of 1 platforms connected", what="the status")
    manager.await_feeding("feeding")
    world.control.set("shop", 1, "holding", 0, 600)
    wait_for(lambda: manager.status().startswith("STATUS=level red; 1 alarm, 1 not acknowledged; 1 of 1 devices"), what="the alarm")

    manager.lines.clear()
    gateway.config["rules"][0]["above"]["red"] = 55
    gateway.reload()
    wait_for(lambda: "READY=1" in manager.hear(), what="the end of the reload")
    assert manager.states() == ["RELOADING", "MONOTONIC_USEC", "READY"]
    manager.lines.clear()
    gateway.file.write_text("gateway: {id: [}\n")
    gateway.child.signal(signal.SIGHUP)
    wait_for(lambda: "READY=1" in manager.hear(), what="the end of a reload that is refused")
    assert manager.states() == ["RELOADING", "MONOTONIC_USEC", "READY"]

    manager.lines.clear()
    gateway.stop()
    assert manager.states() == ["STOPPING"] and manager.status() == "STATUS=stopping"


def test_a_start_that_fails_is_not_ready(daemon, manager):
    gateway = daemon({"buses": [], "devices": []}, run=False)
    gateway.database.write_text("my notes\n")
    gateway.spawn(env={**os.environ, **manager.env(watchdog_s=1)})
    assert gateway.child.wait() == 1
    assert "READY=1" not in manager.hear()


def test_a_bus_whose_thread_hangs(plant, broker, daemon, manager, tmp_path):
    """It is one of two, the other goes on, and so does all else: still it is no gateway any more for what hangs on that bus."""
    world = plant(WORLD)
    line = Line(tmp_path, world.ports["shop"])
    config = site(world.ports["shop"], broker.port)
    config["buses"][0]["timeout"] = "200ms"
    gateway = daemon(config, run=False)
    gateway.spawn(env=line.env(**manager.env(watchdog_s=1)))
    wait_for(lambda: "READY=1" in manager.hear(), what="READY=1")
    manager.await_feeding("feeding")
    line.hang()
    wait_for(lambda: line.hung > 0, what="the line to hang")
    wait_for(lambda: manager.status() == "STATUS=bus shop stands still", LONG, "the word of it")
    manager.await_hunger(3, "no more feeding")
    assert gateway.status()["uplinks"][0]["connected"]
    gateway.child.await_output("bus shop has not got on for")
    line.hang(False)
    manager.await_feeding("feeding again")
    wait_for(lambda: "1 of 1 devices answer" in manager.status(), LONG, "the end of it")
    gateway.stop()


def test_a_disk_that_hangs(plant, broker, daemon, manager, tmp_path):
    world = plant(WORLD)
    gateway = daemon(site(world.ports["shop"], broker.port), run=False)
    disk = Disk(tmp_path, gateway.database)
    gateway.spawn(env=disk.env(**manager.env(watchdog_s=1)))
    wait_for(lambda: "READY=1" in manager.hear(), what="READY=1")
    manager.await_feeding("feeding")
    disk.set(slow_ms=10**9)
    wait_for(lambda: manager.status() == "STATUS=the store stands still", LONG, "the word of it")
    manager.await_hunger(3, "no more feeding")
    assert gateway.device("gas-1")["state"] == "online"  # polling and the loop go on
    disk.heal()
    manager.await_feeding("feeding again")
    gateway.stop()


def test_a_full_disk_is_fed(plant, broker, daemon, manager, tmp_path):
    """A restart mends no disk: what refuses is told, and the daemon works on."""
    world = plant(WORLD)
    gateway = daemon(site(world.ports["shop"], broker.port), run=False)
    disk = Disk(tmp_path, gateway.database)
    gateway.spawn(env=disk.env(**manager.env(watchdog_s=1)))
    wait_for(lambda: "READY=1" in manager.hear(), what="READY=1")
    disk.set(write=28)  # ENOSPC
    wait_for(lambda: manager.status().endswith("; the store does not take records"), LONG, "the word of it")
    failures = disk.failures
    wait_for(lambda: disk.failures > failures + 3, LONG, "more tries")
    manager.await_feeding("feeding")
    disk.heal()
    wait_for(lambda: not manager.status().endswith("records"), LONG, "the end of it")
    gateway.stop()


def test_a_daemon_that_stands_still(plant, broker, daemon, manager):
    world = plant(WORLD)
    gateway = daemon(site(world.ports["shop"], broker.port), run=False)
    gateway.spawn(env={**os.environ, **manager.env(watchdog_s=1)})
    wait_for(lambda: "READY=1" in manager.hear(), what="READY=1")
    manager.await_feeding("feeding")
    gateway.child.signal(signal.SIGSTOP)
    manager.await_hunger(2, "no more feeding")
    gateway.child.signal(signal.SIGCONT)
    manager.await_feeding("feeding again")
    assert "stands still" not in "\n".join(manager.lines)  # neither the bus nor the disk is to blame for that
    gateway.stop()


def test_a_manager_that_does_not_read(plant, broker, daemon, manager, platform):
    """All goes on without it; what it has to know it gets when it reads again."""
    world = plant(WORLD)
    gateway = daemon(site(world.ports["shop"], broker.port), run=False)
    watcher = platform(broker)
    manager.fill()
    gateway.start(env={**os.environ, **manager.env(watchdog_s=0.2)})
    wait_for(lambda: gateway.device("gas-1")["state"] == "online", what="the first answer")
    world.control.set("shop", 1, "holding", 0, 600)
    wait_for(lambda: '"level":"red"' in "".join(watcher.records("alarm").values()), what="the alarm at the platform")
    before = gateway.device("gas-1")["ok"]
    wait_for(lambda: gateway.device("gas-1")["ok"] > before + 20, what="more polls")
    wait_for(lambda: "READY=1" in manager.hear(), what="READY=1")
    wait_for(lambda: manager.status().startswith("STATUS=level red; 1 alarm, "), what="the status")
    manager.await_feeding("feeding")
    gateway.stop()


def test_the_clock_goes_on_whatever_the_manager_does(start, manager, tmp_path):
    manager.fill()
    told = tmp_path / "synced"
    child = start([program("riskgate-clock"), told], name="riskgate-clock", env={**os.environ, **manager.env()})
    wait_for(lambda: "READY=1" in manager.hear(), what="READY=1")
    manager.await_feeding("feeding")
    manager.close()
    before = told.read_bytes()
    wait_for(lambda: told.read_bytes() != before, what="the first word after it went")
    before = told.read_bytes()
    wait_for(lambda: told.read_bytes() != before, what="the second")
    assert child.running and child.stop() == 0
    assert manager.lines == ["READY=1"]
