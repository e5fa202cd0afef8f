"""What the system tests share: programs started and ended by process id, a broker, a plant, and waiting for what can be seen.

RG_BIN is the folder with the programs (ctest sets it)."""

import ctypes
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

import pytest

SOURCE = pathlib.Path(os.environ.get("RG_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
PATIENCE = 20.0  # seconds for what normally takes milliseconds: a loaded machine must not fail a test


def program(name):
    """Path of one of the project's programs."""
    folder = os.environ.get("RG_BIN")
    assert folder, "RG_BIN must name the folder with the programs"
    path = pathlib.Path(folder) / name
    assert path.exists(), f"{path} has not been built"
    return str(path)


def wait_for(predicate, timeout=PATIENCE, what="the condition"):
    """Polls until predicate() is true and returns what it gave. Never sleeps for longer than needed."""
    end = time.monotonic() + timeout
    while True:
        result = predicate()
        if result:
            return result
        assert time.monotonic() < end, f"{what} did not come within {timeout} s"
        time.sleep(0.005)


def free_port():
    """A TCP port on the loopback that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class Program:
    """A child process with its output in a file."""

    def __init__(self, arguments, log, **options):
        self.log = pathlib.Path(log)
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen([str(a) for a in arguments], stdin=subprocess.DEVNULL, stdout=out,
                                            stderr=subprocess.STDOUT, preexec_fn=_die_with_parent, **options)
        self.pid = self.process.pid

    @property
    def running(self):
        return self.process.poll() is None

    def output(self):
        return self.log.read_text(errors="replace")

    def signal(self, number):
        os.kill(self.pid, number)

    def wait(self, timeout=PATIENCE):
        """The exit status; negative: the signal."""
        return self.process.wait(timeout)

    def stop(self, timeout=PATIENCE):
        """SIGTERM and its exit status; SIGKILL when that takes too long."""
        if self.running:
            self.process.terminate()
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self):
        if self.running:
            self.process.kill()
        return self.process.wait(PATIENCE)


@pytest.fixture
def start(tmp_path):
    """start(arguments, name=...) -> Program; whatever still runs at the end of the test is killed, by its id."""
    started = []

    def run(arguments, name=None, **options):
        name = name or pathlib.Path(str(arguments[0])).name
        child = Program(arguments, tmp_path / f"{name}-{len(started)}.log", **options)
        started.append(child)
        return child

    yield run
    for child in reversed(started):
        child.kill()


class Broker:
    """A mosquitto of one's own; stop() and start() keep its port."""

    def __init__(self, folder, persistence=False, extra=()):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.url = f"mqtt://127.0.0.1:{self.port}"
        lines = [f"listener {self.port} 127.0.0.1", "allow_anonymous true", "log_dest stderr", "log_type all",
                 f"persistence {'true' if persistence else 'false'}", f"persistence_location {self.folder}/", *extra]
        if os.geteuid() == 0:
            lines.append("user root")  # else it changes to a user who may not read the folder
        self.config = self.folder / "mosquitto.conf"
        self.config.write_text("\n".join(lines) + "\n")
        self.child = None

    def _answers(self):
        assert self.child.running, self.child.output()
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def start(self):
        mosquitto = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
        assert mosquitto, "mosquitto is not installed"
        self.child = Program([mosquitto, "-c", self.config], self.folder / "mosquitto.log")
        wait_for(self._answers, what="the broker")
        return self

    def stop(self):
        if self.child is not None:
            self.child.stop()

    def kill(self):
        if self.child is not None:
            self.child.kill()


@pytest.fixture
def make_broker(tmp_path):
    made = []

    def make(**options):
        broker = Broker(tmp_path / f"broker-{len(made)}", **options)
        made.append(broker)
        return broker.start()

    yield make
    for broker in made:
        broker.kill()


@pytest.fixture
def broker(make_broker):
    return make_broker()


class Control:
    """The plant's control socket: one line there, one line back."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(str(path))
        self.reader = self.socket.makefile("r", encoding="utf-8")

    def ask(self, line):
        """The answer as it is, without its end."""
        self.socket.sendall(line.encode() + b"\n")
        return self.reader.readline().rstrip("\n")

    def do(self, line):
        """For commands that answer ok."""
        answer = self.ask(line)
        assert answer == "ok", f"{line}: {answer}"

    def fault(self, listener, unit, kind, *words):
        self.do(" ".join(str(w) for w in ("fault", listener, unit, kind, *words)))

    def clear(self, *place):
        self.do(" ".join(str(w) for w in ("clear", *place)))

    def set(self, listener, unit, space, address, value):
        self.do(f"set {listener} {unit} {space} {address} {value}")

    def release(self, listener, unit, space, address):
        self.do(f"release {listener} {unit} {space} {address}")

    def stats(self):
        return json.loads(self.ask("stats"))

    def listener(self, name):
        return self.stats()["listeners"][name]

    def history(self, listener, unit):
        """A list of dicts, oldest first: at_us (CLOCK_MONOTONIC), silence_us, function, address, quantity."""
        answer = json.loads(self.ask(f"history {listener} {unit}"))
        return [dict(zip(answer["columns"], row)) for row in answer["requests"]]

    def close(self):
        self.reader.close()
        self.socket.close()


class Plant:
    """A running riskgate-plant; ports maps listener names to a port, or the path of a line."""

    def __init__(self, child, folder, ports):
        self.child, self.folder, self.ports = child, folder, ports
        self.control = Control(folder / "control.sock")


@pytest.fixture
def plant(start, tmp_path):
    """plant(scenario, ...) -> Plant. scenario is a dict (JSON is YAML) or the text or path of a file."""
    made = []

    def run(scenario, *arguments):
        folder = tmp_path / f"plant-{len(made)}"
        folder.mkdir()
        config = folder / "plant.yaml"
        if isinstance(scenario, pathlib.Path):
            config = scenario
        else:
            config.write_text(scenario if isinstance(scenario, str) else json.dumps(scenario, ensure_ascii=False))
        ports = folder / "ports.json"
        child = start([program("riskgate-plant"), "--config", config, "--port-file", ports, "--control",
                       folder / "control.sock", *arguments])

        def ready():
            assert child.running, child.output()
            return ports.exists()

        wait_for(ready, what="the plant's port file")
        made.append(Plant(child, folder, json.loads(ports.read_text())))
        return made[-1]

    yield run
    for one in made:
        one.control.close()
