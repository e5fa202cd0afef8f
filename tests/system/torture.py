"""Everything at once, by lot: what a site's machines and lines do to the daemon in years, in a minute; then quiet; then the books are compared.

Two platforms: the county gets everything, by its receipts, from a broker that is killed now and then; the province gets alarms from orange
on and one bus's telemetry, over a line that is sick most of the time. The daemon is killed with -9 (also while it starts), its disk
refuses, its clock is set, its configuration reloaded. Meanwhile detectors go over their limit and stay there until the store has
the alarm, and come back: so it is known how many alarms there have to be.

RG_SEED plays a run again (as far as two runs of real programs can be the same); RG_TORTURE_SECONDS says how long (also by itself:
    RG_BIN=... RG_TORTURE_SECONDS=3600 python3 -m pytest -s tests/system/test_torture.py)."""

import hashlib
import json
import random
import resource
import socket
import sqlite3
import struct
import subprocess
import threading
import time

from conftest import free_port, program, wait_for
from evidence import LONG, STREAMS, ROOT, assert_lives, site_of, uplink, world_of
from staged import DAY, HOUR, YEAR, Clock

import paho.mqtt.client as mqtt

PATIENCE = 240.0  # seconds for all to arrive in the end: a back-off at its cap, a receipt that is asked for again
LEVELS = ("none", "blue", "yellow", "orange", "red")


class SickLink:
    """A TCP line to a port. mode: pass, cut (refused), mute (taken, and nothing passes: half-open), slow (bytes a second); chop(n): after
    n more bytes from the daemon, in the middle of a packet, the connection is reset."""

    def __init__(self, target):
        self.target, self.port = target, free_port()
        self.changed = threading.Condition()
        self.mode, self.rate, self.budget = "pass", 0, None
        self.pairs = []
        self.closing = False
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", self.port))
        self.listener.listen(16)
        threading.Thread(target=self._accept, daemon=True).start()

    def set(self, mode, rate=0):
        with self.changed:
            self.mode, self.rate, self.budget = mode, rate, None
            if mode == "cut":
                self._reset_all()
            self.changed.notify_all()

    def chop(self, count):
        with self.changed:
            self.budget = count

    def _reset_all(self):
        pairs, self.pairs = self.pairs, []
        for pair in pairs:
            for end in pair:
                try:
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                end.close()

    def _accept(self):
        while not self.closing:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                if self.mode == "cut":
                    raise OSError
                server = socket.create_connection(("127.0.0.1", self.target), timeout=5)
                server.settimeout(None)
            except OSError:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                client.close()
                continue
            with self.changed:
                self.pairs.append((client, server))
            for source, sink, out in ((client, server, True), (server, client, False)):
                threading.Thread(target=self._pass, args=(source, sink, out), daemon=True).start()

    def _pass(self, source, sink, out):
        while True:
            try:
                data = source.recv(4096)
            except OSError:
                data = b""
            with self.changed:
                while self.mode == "mute" and not self.closing:
                    self.changed.wait()
                rate, budget = self.rate if self.mode == "slow" else 0, self.budget
                if out and budget is not None and data:
                    self.budget -= len(data)
            try:
                if not data:
                    sink.shutdown(socket.SHUT_WR)
                    return
                if out and budget is not None and budget < len(data):
                    sink.sendall(data[:max(budget, 0)])
                    with self.changed:
                        self.budget = None
                        self._reset_all()
                    return
                if rate:
                    time.sleep(len(data) / rate)
                sink.sendall(data)
            except OSError:
                return

    def close(self):
        self.closing = True
        self.listener.close()
        with self.changed:
            self.mode = "cut"
            self._reset_all()
            self.changed.notify_all()


def fingerprint(text):
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


class Books:
    """What somebody holds of the records, by their fingerprints; a number that comes with another content is kept as a breach."""

    def __init__(self, name):
        self.name = name
        self.held = {stream: {} for stream in STREAMS}
        self.breaches = []

    def enter(self, stream, seq, text):
        known = self.held[stream].setdefault(seq, fingerprint(text))
        if known != fingerprint(text):
            self.breaches.append((self.name, stream, seq, text))


class Received(Books):
    """The file of riskgate-platform, read on as it grows."""

    def __init__(self, name, watcher):
        super().__init__(name)
        self.file = open(watcher.records_file, "rb")  # pylint: disable=consider-using-with
        self.rest = b""

    def read_on(self):
        *lines, self.rest = (self.rest + self.file.read()).split(b"\n")
        for line in lines:
            stream, seq, text = line.decode().split(" ", 2)
            self.enter(stream, int(seq), text)


class Wire(Books):
    """Everything that a broker gave on, also what came more than once: the text between the brackets, byte for byte. Connects anew by
    itself when its broker is killed."""

    def __init__(self, name, port):
        super().__init__(name)
        self.lock = threading.Lock()
        self.unstored, self.messages, self.subscribed = [], 0, False
        self.client = mqtt.Client(protocol=mqtt.MQTTv5)
        self.client.on_connect = lambda client, *_: client.subscribe(ROOT + "/#", 1)
        self.client.on_subscribe = self._subscribed
        self.client.on_message = self._message
        self.client.reconnect_delay_set(1, 1)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        wait_for(lambda: self.subscribed, what="the subscription")

    def _subscribed(self, *_):
        self.subscribed = True

    def _message(self, _client, _data, message):
        stream = message.topic[len(ROOT) + 1:]
        if stream not in STREAMS:
            return
        text = message.payload.decode()
        decoder, at = json.JSONDecoder(), text.index('"records":[') + len('"records":[')
        with self.lock:
            self.messages += 1
            while text[at] != "]":
                record, end = decoder.raw_decode(text, at)
                if "seq" in record:
                    self.enter(stream, record["seq"], text[at:end])
                else:
                    self.unstored.append(record)
                at = end + (text[end] == ",")

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


class Detector:
    """One point that goes over its limit, stays until the store has the alarm, comes back, and stays until it has the end."""

    def __init__(self, control, bus, unit):
        self.control, self.place, self.point = control, (f"bus-{bus}", unit), f"d-{bus}-{unit}.gas"
        self.high, self.cycles, self.next_at, self.since = False, 0, 0.0, 0.0

    def move(self, high):
        self.control.set(*self.place, "holding", 0, 60 if high else 0)
        self.high, self.since = high, time.monotonic()


class Torture:
    def __init__(self, tools, seed, buses=2, units=3):
        self.tools = tools
        self.random = random.Random(seed)
        self.world = tools.plant(world_of(buses=buses, units=units, period="3s"))
        self.brokers = [tools.make_broker(), tools.make_broker()]
        self.links = [SickLink(b.port) for b in self.brokers]
        self.watchers = [tools.platform(self.brokers[0], "--require-complete", "--store", tools.folder / "county.db", "--receipts"),
                         tools.platform(self.brokers[1], "--require-complete")]
        self.received = [Received(name, w) for name, w in zip(("county", "province"), self.watchers)]
        self.wires = [Wire("county's broker", self.brokers[0].port), Wire("province's broker", self.brokers[1].port)]
        self.clock = Clock(tools.folder)
        site = site_of(self.world, [
            uplink(self.links[0].port, receipts=True, keepalive="3s", backfill={"rate": "2000/s"}),
            uplink(self.links[1].port, "province", keepalive="3s", alarms={"from": "orange"}, backfill={"rate": "500/s"},
                   telemetry={"devices": [f"d-0-{u}" for u in range(1, units + 1)]})], units=units, poll="50ms")
        site["store"] = {"commit": "200ms", "retention": {"telemetry": "100y", "alarms": "100y", "events": "100y"}}
        site["rules"][0].update(on_delay="200ms", off_delay="200ms")
        self.gateway = tools.daemon(site, run=False)
        self.detectors = [Detector(self.world.control, b, u) for b in range(buses) for u in range(1, units + 1)]
        self.disk_refuses, self.alarm_seen, self.kills, self.done = False, 0, 0, {}
        self.start()
        wait_for(lambda: (self.store_rows("SELECT count(*) FROM telemetry") or [[0]])[0][0] > 20, what="telemetry")

    # ---- the daemon ----

    def start(self):
        self.gateway.spawn(env=self.clock.env(), restore_signals=False)  # Python ignores SIGXFSZ; so does the child then
        self.disk_refuses = False

    def alive(self):
        assert self.gateway.child.running, (self.gateway.child.wait(), self.gateway.child.output()[-4000:])

    def answers(self):
        self.alive()
        return self.gateway.ctl("status", check=False).returncode == 0

    def hears_signals(self):
        """A process that has only just begun does not hold them back yet (bit 0 of the mask: SIGHUP): they would end it."""
        self.alive()
        wait_for(lambda: self.mask("SigBlk") & 1 or self.mask("SigCgt") & 1, what="the daemon's main")

    def mask(self, which):
        with open(f"/proc/{self.gateway.child.pid}/status", encoding="ascii") as file:
            return next(int(line.split()[1], 16) for line in file if line.startswith(which))

    def kill(self):
        self.alive()
        self.gateway.kill()
        self.kills += 1
        self.start()

    def kill_while_starting(self):
        self.kill()
        time.sleep(self.random.uniform(0, 0.3))
        self.kill()

    def ends_and_starts(self):
        if self.disk_refuses:
            self.disk_heals()
        self.hears_signals()
        self.gateway.stop()
        self.start()

    def disk_refuses_now(self):
        self.alive()
        if not self.answers():
            return  # a store that cannot be opened is another matter
        resource.prlimit(self.gateway.child.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        self.disk_refuses = True

    def disk_heals(self):
        resource.prlimit(self.gateway.child.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        self.disk_refuses = False

    def reload(self):
        site = self.gateway.config
        site["rules"][1]["above"] = {"blue": self.random.randrange(50, 70), "orange": self.random.randrange(80, 95)}
        site["uplinks"][0]["backfill"]["rate"] = f"{self.random.randrange(300, 5000)}/s"
        site["devices"][-1]["poll"] = f"{self.random.randrange(40, 90)}ms"
        self.hears_signals()
        self.gateway.reload()

    def set_clock(self):
        if self.random.random() < 0.3:
            self.clock.show(time.time(), synced=self.random.random() < 0.8)
        else:
            self.clock.step(self.random.choice((1.5, 20, HOUR, 3 * DAY, YEAR)) * self.random.choice((-1, 1)))

    # ---- lines and brokers ----

    def sick(self):
        link = self.random.choice(self.links + self.links[1:])  # the province's twice as often
        what = self.random.randrange(5)
        if what == 0:
            link.set("cut")
        elif what == 1:
            link.set("mute")
        elif what == 2:
            link.set("slow", self.random.choice((300, 3000, 30000)))
        else:
            link.chop(self.random.randrange(1, 30000))

    def flap(self):
        link = self.random.choice(self.links)
        for _ in range(self.random.randrange(2, 5)):
            link.set("cut")
            time.sleep(self.random.uniform(0.02, 0.3))
            link.set("pass")
            time.sleep(self.random.uniform(0.1, 0.8))

    def well(self):
        self.random.choice(self.links).set("pass")

    def broker_dies(self):
        self.brokers[0].kill()
        time.sleep(self.random.uniform(0, 0.5))
        self.brokers[0].start()

    # ---- alarms ----

    def store_rows(self, sql, *parameters):
        """None while the file is being opened by a daemon that starts."""
        try:
            return self.gateway.query(sql, *parameters)
        except sqlite3.OperationalError:
            return None

    def look_at_alarms(self):
        rows = self.store_rows("SELECT seq, body FROM alarm WHERE seq > ? ORDER BY seq", self.alarm_seen)
        for seq, body in rows or ():
            self.alarm_seen = seq
            record = json.loads(body)
            for d in self.detectors:
                if d.point == record["point"] and record["event"] in ("raise", "clear"):
                    assert d.high == (record["event"] == "raise"), f"{body}: nothing of the kind was shown"
                    d.cycles += not d.high
                    if d.high:
                        d.move(False)
                        d.next_at = float("inf")
                    else:
                        d.next_at = time.monotonic() + self.random.uniform(0, 2)

    def move_detectors(self, more=True):
        now = time.monotonic()
        for d in self.detectors:
            if more and not d.high and now >= d.next_at:
                d.move(True)
                d.next_at = float("inf")

    def waiting(self):
        return [d.point for d in self.detectors if d.high or d.next_at == float("inf")]

    # ---- the run ----

    def step(self):
        acts = ((self.kill, 3), (self.kill_while_starting, 1), (self.ends_and_starts, 1), (self.disk_refuses_now, 2), (self.disk_heals, 4),
                (self.reload, 2), (self.set_clock, 3), (self.sick, 8), (self.flap, 2), (self.well, 8), (self.broker_dies, 1))
        act = self.random.choices([a for a, _ in acts], [w for _, w in acts])[0]
        self.done[act.__name__] = self.done.get(act.__name__, 0) + 1
        act()

    def look(self):
        self.look_at_alarms()
        self.move_detectors()
        for one in self.received:
            one.read_on()
        assert not self.breaches(), self.breaches()[:3]

    def run(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.step()
            pause = time.monotonic() + self.random.expovariate(1 / 0.5)
            while True:
                self.look()
                if time.monotonic() >= pause:
                    break
                time.sleep(0.05)

    def breaches(self):
        return [b for books in (*self.received, *self.wires) for b in books.breaches]

    def quiet(self, at_once):
        """All is well again. at_once: a start begins with a short back-off."""
        for link in self.links:
            link.set("pass")
        self.disk_heals()
        self.clock.show(time.time(), synced=True)
        if at_once:
            self.kill()
        wait_for(self.answers, LONG, "riskgated")

        def settled():
            self.alive()
            self.look_at_alarms()
            return not self.waiting()

        wait_for(settled, PATIENCE, "the last alarms")

    def meant(self):
        """What the store says is each platform's, by fingerprint; and that its numbers have no holes and its chains hold."""
        meant = [{s: {} for s in STREAMS}, {s: {} for s in STREAMS}]
        for stream in STREAMS:
            before, next_seq = "", 1
            for seq, text in self.gateway.query(f"SELECT seq, body FROM {stream} ORDER BY seq"):
                assert seq == next_seq and text.startswith(f'{{"seq":{seq},"ts":'), (stream, seq, next_seq, text)
                next_seq += 1
                record = json.loads(text)
                if stream != "telemetry":
                    covered, _, rest = text.rpartition(',"hash":')
                    digest = hashlib.sha256((before + covered).encode()).hexdigest()
                    assert rest == f'"{digest}"}}', (stream, seq, text)
                    before = digest
                meant[0][stream][seq] = fingerprint(text)
                if stream == "alarm" and max(LEVELS.index(record[key]) for key in ("level", "was")) < LEVELS.index("orange"):
                    continue
                if stream == "telemetry" and not record["device"].startswith("d-0-"):
                    continue
                meant[1][stream][seq] = fingerprint(text)
        return meant

    def await_all(self):
        goals = self.meant()

        def there():
            self.alive()
            for one in self.received:
                one.read_on()
            return all(set(goal[s]) <= set(one.held[s]) for goal, one in zip(goals, self.received) for s in STREAMS)

        try:
            wait_for(there, PATIENCE, "all records at both platforms")
        except AssertionError as error:
            missing = {(one.name, s): sorted(set(goal[s]) - set(one.held[s]))[:5] for goal, one in zip(goals, self.received)
                       for s in STREAMS if set(goal[s]) - set(one.held[s])}
            raise AssertionError(f"{error}: {missing}; {self.gateway.status()['uplinks']}") from error

    def judge(self):
        self.await_all()
        alarms = dict(self.gateway.query("SELECT seq, body FROM alarm ORDER BY seq"))
        self.gateway.stop()
        meant = self.meant()

        def last():
            for one in self.received:
                one.read_on()
            return all(set(goal[s]) <= set(one.held[s]) for goal, one in zip(meant, self.received) for s in ("alarm", "event", "report"))

        wait_for(last, LONG, "the last alarms and events at the platforms")
        for goal, one in zip(meant, self.received):
            for stream in STREAMS:
                # A stop does not wait for the last telemetry.
                upto = max(one.held[stream], default=0) if stream == "telemetry" else max(goal[stream], default=0)
                assert one.held[stream] == {seq: f for seq, f in goal[stream].items() if seq <= upto}, (one.name, stream)
        # Whatever was ever on the wire, and however often, is in the store as it was told.
        for wire, goal in zip(self.wires, meant):
            wire.close()
            for stream in STREAMS:
                wrong = [seq for seq, f in wire.held[stream].items() if goal[stream].get(seq) != f]
                assert not wrong, (wire.name, stream, wrong[:5])
        assert not self.breaches(), self.breaches()[:3]
        assert_lives(alarms)
        records = [json.loads(text) for text in alarms.values()]
        for d in self.detectors:
            told = [r["event"] for r in records if r["point"] == d.point and r["event"] in ("raise", "clear")]
            assert told == ["raise", "clear"] * d.cycles, (d.point, d.cycles, told)
        lost = self.gateway.query("SELECT body FROM event WHERE kind = 'lost' AND json_extract(body, '$.first') IS NOT NULL")
        assert not lost, lost[:3]
        audit = subprocess.run([program("riskgatectl"), "audit", "verify", "--store", str(self.gateway.database)], capture_output=True,
                               text=True, timeout=LONG, check=False)
        assert audit.returncode == 0, audit.stdout + audit.stderr
        for watcher in self.watchers:
            report = watcher.finish()
            assert report["breach_count"] == 0, report["breaches"]
        return self.figures(meant)

    def figures(self, meant):
        return {"records": {s: len(meant[0][s]) for s in STREAMS}, "cycles": sum(d.cycles for d in self.detectors), "kills": self.kills,
                "unstored": sum(len(w.unstored) for w in self.wires), "messages": [w.messages for w in self.wires], "done": self.done}

    def close(self):
        for link in self.links:
            link.close()
        for wire in self.wires:
            wire.close()
