"""What the system tests share: programs started and ended by process id, a broker, a plant, and waiting for what can be seen.

RG_BIN is the folder with the programs (ctest sets it)."""

import contextlib
import ctypes
import json
import os
import pathlib
import select
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time

import pytest

from ports import free_port
from retrial import (pytest_configure, pytest_runtest_makereport, pytest_runtest_protocol, pytest_runtest_teardown,  # noqa: F401
                     pytest_sessionfinish, pytest_terminal_summary, pytest_unconfigure)

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


def _die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class Program:
    """A child process with its output in a file; its standard error elsewhere, where that is given."""

    def __init__(self, arguments, log, stderr=subprocess.STDOUT, **options):
        self.log = pathlib.Path(log)
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen([str(a) for a in arguments], stdin=subprocess.DEVNULL, stdout=out,
                                            stderr=stderr, preexec_fn=_die_with_parent, **options)
        self.pid = self.process.pid

    @property
    def running(self):
        return self.process.poll() is None

    def output(self):
        return self.log.read_text(errors="replace")

    def await_output(self, text):
        """All of it, once it has this text: what a daemon logs is written a moment after it has happened."""
        wait_for(lambda: text in self.output(), what=f"`{text}`")
        return self.output()

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
def start(tmp_path, request):
    """start(arguments, name=...) -> Program; whatever still runs at the end of the test is killed, by its id."""
    started = []

    def run(arguments, name=None, **options):
        name = name or pathlib.Path(str(arguments[0])).name
        child = Program(arguments, tmp_path / f"{name}-{len(started)}.log", **options)
        started.append(child)
        request.node.rg_programs.append(child)
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
        """Its main loop runs: it closes a connection that begins with a PINGREQ. That it listens is not enough, as it forgets a SIGTERM
        that comes between the two."""
        assert self.child.running, self.child.output()
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as client:
                client.sendall(b"\xc0\x00" * 8)  # with TLS as many as it reads before it judges
                return client.recv(1) == b""
        except ConnectionResetError:
            return True
        except OSError:
            return False

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


class Daemon:
    """A riskgated in a folder of its own; its configuration is a dict (JSON is YAML)."""

    def __init__(self, start, folder, config):
        self.start_child, self.folder = start, folder
        self.config = config
        self.file = folder / "riskgate.yaml"
        self.database = folder / "riskgate.db"
        self.socket = folder / "control.sock"
        self.child = None
        self.write()

    def write(self):
        """The configuration, in one step, so that a reload never reads half of it."""
        self.config.setdefault("gateway", {"id": "gw-01", "enterprise": {"code": "91350100M000100Y43", "name": "测试企业"}})
        self.config.setdefault("store", {}).setdefault("path", str(self.database))
        self.config.setdefault("control", {"socket": str(self.socket)})
        beside = self.file.with_suffix(".new")
        beside.write_text(json.dumps(self.config, ensure_ascii=False))
        beside.replace(self.file)

    def spawn(self, **options):
        """Starts it and does not wait."""
        self.child = self.start_child([program("riskgated"), "--config", self.file], name="riskgated", **options)
        return self

    def start(self, **options):
        """Starts it and waits until it answers on its control socket."""
        self.spawn(**options)
        wait_for(self._answers, what="riskgated")
        return self

    def _answers(self):
        assert self.child.running, self.child.output()
        return self.ctl("status", check=False).returncode == 0

    def ctl(self, *arguments, check=True):
        """riskgatectl: the finished process."""
        done = subprocess.run([program("riskgatectl"), "--socket", str(self.socket), *map(str, arguments)],
                              capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert not check or done.returncode == 0, f"{arguments}: {done.returncode} {done.stdout} {done.stderr}"
        return done

    def ask(self, command):
        """The JSON answer of a reading command."""
        return json.loads(self.ctl(command, "--json").stdout)

    def status(self):
        return self.ask("status")

    def device(self, name):
        return next(d for d in self.status()["devices"] if d["name"] == name)

    def points(self):
        """{"device.point": {value, quality, ts, ...}}"""
        return {p["point"]: p for p in self.ask("points")}

    def alarms(self):
        return self.ask("alarms")

    def query(self, sql, *parameters):
        """Rows of the store, read while it is being written."""
        with contextlib.closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=PATIENCE)) as db:
            return db.execute(sql, parameters).fetchall()

    def records(self, stream):
        """[(seq, record as a dict)] of one stream, oldest first."""
        return [(seq, json.loads(body)) for seq, body in self.query(f"SELECT seq, body FROM {stream} ORDER BY seq")]

    def reload(self):
        """Writes the configuration and asks for it with SIGHUP."""
        self.write()
        self.child.signal(signal.SIGHUP)

    def stop(self):
        """SIGTERM; its exit status, which must be 0 (with a sanitizer: no leak, no fault)."""
        status = self.child.stop()
        assert status == 0, self.child.output()[-4000:]
        return status

    def kill(self):
        return self.child.kill()


@pytest.fixture
def daemon(start, tmp_path):
    """daemon(config, start=True) -> Daemon. Sections that are not given get what a small site needs."""
    made = []

    def make(config, run=True):
        folder = tmp_path / f"gateway-{len(made)}"
        folder.mkdir()
        made.append(Daemon(start, folder, config))
        return made[-1].start() if run else made[-1]

    return make


@pytest.fixture
def peer(start, tmp_path):
    """peer(kind, image, place=None) -> (child, place): a device made of pymodbus alone (modbus_peer.py)."""
    made = []

    def run(kind, image, place=None):
        file = tmp_path / f"image-{len(made)}.json"
        file.write_text(json.dumps(image))
        place = place or (tmp_path / f"line-{len(made)}" if kind == "rtu" else free_port())
        script = pathlib.Path(__file__).with_name("modbus_peer.py")
        child = start([sys.executable, script, kind, place, file], name=f"peer-{len(made)}")
        made.append(child)

        def ready():
            assert child.running, child.output()
            return "ready" in child.output()

        wait_for(ready, what="pymodbus")
        return child, place

    return run


class Platform:
    """A running riskgate-platform; records are read from the file it writes."""

    def __init__(self, start, folder, broker, *arguments):
        self.records_file = folder / "records.txt"
        self.report_file = folder / "report.json"
        self.child = start([program("riskgate-platform"), "--broker", f"127.0.0.1:{broker.port}", "--records",
                            self.records_file, "--report", self.report_file, *arguments], name="riskgate-platform")
        wait_for(self.records_file.exists, what="riskgate-platform")

    def records(self, stream):
        """{seq: text} of what it received, whole lines only."""
        found = {}
        for line in self.records_file.read_text(encoding="utf-8").splitlines(keepends=True):
            if line.endswith("\n") and line.startswith(stream + " "):
                _, seq, text = line.rstrip("\n").split(" ", 2)
                found[int(seq)] = text
        return found

    def finish(self, expected=0):
        """Ends it and returns its report; expected: its exit status (0: the contract held)."""
        self.child.signal(signal.SIGTERM)
        status = self.child.wait()
        assert status == expected, self.child.output()[-4000:]
        return json.loads(self.report_file.read_text())


@pytest.fixture
def platform(start, tmp_path):
    """platform(broker, ...) -> Platform"""
    made = []

    def make(broker, *arguments):
        folder = tmp_path / f"platform-{len(made)}"
        folder.mkdir()
        made.append(Platform(start, folder, broker, *arguments))
        return made[-1]

    return make


@pytest.fixture
def relay():
    """relay(port) -> Relay: a TCP link that can be cut, held and mended."""
    made = []

    def make(port):
        made.append(Relay(port))
        return made[-1]

    yield make
    for one in made:
        one.close()


class Relay:
    """Passes TCP connections on to a port. cut(): drops them and refuses new ones; hold(): takes them and passes nothing
    (a black hole); mend(): works again."""

    def __init__(self, target):
        self.target = target
        self.port = free_port()
        self.mode = "pass"
        self.lock = threading.Lock()
        self.pairs = set()
        self.listener = None
        self.wake_reader, self.wake_writer = os.pipe()
        self.closing = False
        self._listen()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _listen(self):
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", self.port))
        self.listener.listen(16)

    def _wake(self):
        os.write(self.wake_writer, b"x")

    def cut(self):
        with self.lock:
            self.mode = "cut"
            self.listener.close()
            self._drop()
        self._wake()

    def hold(self):
        with self.lock:
            self.mode = "hold"
        self._wake()

    def mend(self):
        with self.lock:
            if self.mode == "cut":
                self._listen()
            self.mode = "pass"
        self._wake()

    def _drop(self):
        for one, other in self.pairs:
            one.close()
            other.close()
        self.pairs.clear()

    def _accept(self):
        client, _ = self.listener.accept()
        try:
            server = socket.create_connection(("127.0.0.1", self.target), timeout=5)
        except OSError:
            client.close()
            return
        self.pairs.add((client, server))

    def _pass(self, ready):
        for pair in list(self.pairs):
            for source, sink in (pair, pair[::-1]):
                if source not in ready:
                    continue
                try:
                    data = source.recv(65536)
                    if data:
                        sink.sendall(data)
                        continue
                except OSError:
                    pass
                pair[0].close()
                pair[1].close()
                self.pairs.discard(pair)
                break

    def _run(self):
        while not self.closing:
            with self.lock:
                watched = [self.wake_reader]
                if self.mode != "cut":
                    watched.append(self.listener)
                if self.mode == "pass":
                    watched += [s for pair in self.pairs for s in pair]
            try:
                ready, _, _ = select.select(watched, [], [])
            except (OSError, ValueError):
                continue  # a socket was closed by cut() meanwhile
            if self.wake_reader in ready:
                os.read(self.wake_reader, 4096)
                continue
            with self.lock:
                if self.mode != "cut" and self.listener in ready:
                    self._accept()
                if self.mode == "pass":
                    self._pass(set(ready))

    def close(self):
        self.closing = True
        self._wake()
        self.thread.join(PATIENCE)
        with self.lock:
            self._drop()
            self.listener.close()
        os.close(self.wake_reader)
        os.close(self.wake_writer)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of its own of 6 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = shutil.which("mount", path=os.environ.get("PATH", "") + ":/usr/bin:/bin:/usr/sbin")
    if os.geteuid() != 0 or subprocess.run([mount, "-t", "tmpfs", "-o", "size=6m", "none", str(place)], check=False,
                                           capture_output=True).returncode != 0:
        pytest.skip("only root may mount a small file system")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)
