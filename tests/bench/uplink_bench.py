#!/usr/bin/python3
"""What the way to the platform costs, on the loopback: an alarm's from the answer that shows it to the broker's PUBACK, idle, under load and
beside a back-fill; and live telemetry's from its commit to the PUBACK while a million records are back-filled.

    RG_BIN=build/release/bin tests/bench/uplink_bench.py [--records N] [--alarms N] [--seconds N]

Prints tables; no verdict, because on a shared machine a number is none. Beside them, measured in turn with them: what this disk takes for a
bare commit with fsync (SQLite, synchronous FULL), and this broker for a bare QoS 1 publish. The PUBACK is seen by a relay between
the daemon and mosquitto that reads along; a commit is seen by another process that asks the store every 2 ms."""

import argparse
import json
import os
import pathlib
import random
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import threading
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / "tests" / "system"))

from conftest import Broker, Program, program, wait_for  # noqa: E402

ENTERPRISE = {"code": "91350100M000100Y43", "name": "测试企业"}
WATCH = """
import sqlite3, sys, time
db = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True, timeout=10, isolation_level=None)
last = 0
while True:
    head = db.execute("SELECT seq FROM stream WHERE name = 'telemetry'").fetchone()[0]
    if head != last:
        print(time.clock_gettime(time.CLOCK_MONOTONIC), head, flush=True)
        last = head
    time.sleep(0.002)
"""


class Detector(threading.Thread):
    """A Modbus TCP device of ten holding registers, the first of which is set; notes when it first answered with each value."""

    def __init__(self):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.value, self.shown = 0, {}
        self.start()

    def run(self):
        while True:
            peer, _ = self.listener.accept()
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer):
        while True:
            request = peer.recv(260)
            if len(request) < 12:
                return
            transaction, _, _, unit, function, _, count = struct.unpack(">HHHBBHH", request[:12])
            value = self.value
            words = [value] + [0] * (count - 1)
            answer = struct.pack(f">HHHBBB{count}H", transaction, 0, 3 + 2 * count, unit, function, 2 * count, *words)
            self.shown.setdefault(value, time.monotonic())
            peer.sendall(answer)


class Relay(threading.Thread):
    """Between the daemon and the broker: passes on and reads along. acked: (kind, message, when its PUBACK passed)."""

    def __init__(self, target):
        super().__init__(daemon=True)
        self.target = target
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.waiting, self.acked, self.aliases = {}, [], {}
        self.wanted = lambda kind, payload: True
        self.open = threading.Event()
        self.start()

    def run(self):
        while True:
            client, _ = self.listener.accept()
            if not self.open.is_set():
                client.close()
                continue
            server = socket.create_connection(("127.0.0.1", self.target))
            for one in (client, server):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._pass, args=(client, server, self._publish), daemon=True).start()
            threading.Thread(target=self._pass, args=(server, client, self._puback), daemon=True).start()

    @staticmethod
    def _packets(rest):
        """Whole packets at the beginning of rest, and what is left."""
        packets, at = [], 0
        while True:
            length, shift, end = 0, 0, at + 1
            while end < len(rest) and shift < 28:
                length |= (rest[end] & 0x7f) << shift
                shift += 7
                end += 1
                if not rest[end - 1] & 0x80:
                    break
            else:
                return packets, rest[at:]
            if end + length > len(rest):
                return packets, rest[at:]
            packets.append((rest[at], memoryview(rest)[end:end + length]))
            at = end + length

    def _pass(self, source, sink, look):
        rest = b""
        while True:
            try:
                data = source.recv(1 << 17)
                if not data:
                    raise OSError
                now = time.monotonic()
                packets, rest = self._packets(rest + data)
                for packet in packets:
                    look(packet, now)  # before it is passed on: the answer must find it
                sink.sendall(data)
            except OSError:
                for one in (source, sink):
                    try:
                        one.shutdown(socket.SHUT_RDWR)
                    except OSError:
                        pass
                return

    def _publish(self, packet, _now):
        kind, body = packet
        if kind >> 4 != 3:
            return
        topic_end = 2 + int.from_bytes(body[:2], "big")
        topic = bytes(body[2:topic_end]).decode()
        number = int.from_bytes(body[topic_end:topic_end + 2], "big")
        length = body[topic_end + 2]  # of the properties: few
        at, end = topic_end + 3, topic_end + 3 + length
        while at < end:
            if body[at] == 0x23:
                alias = int.from_bytes(body[at + 1:at + 3], "big")
                topic = self.aliases.setdefault(alias, topic) if not topic else self.aliases.update({alias: topic}) or topic
            at += 1 + {0x01: 1, 0x02: 4, 0x23: 2}[body[at]]
        self.waiting[number] = (topic.rsplit("/", 1)[-1], bytes(body[end:]))

    def _puback(self, packet, now):
        kind, body = packet
        if kind >> 4 == 4:
            name, payload = self.waiting.pop(int.from_bytes(body[:2], "big"), (None, b""))
            if name and self.wanted(name, payload):
                self.acked.append((name, payload, now))


def message(payload):
    return json.loads(payload)


def raw_publisher(port):
    """A bare MQTT 3.1.1 connection; publish() returns after the PUBACK."""
    peer = socket.create_connection(("127.0.0.1", port))
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    peer.sendall(b"\x10\x10\x00\x04MQTT\x04\x02\x00\x00\x00\x04bare")
    assert peer.recv(4)[3] == 0
    payload = b"x" * 400

    def publish():
        topic = b"bare/alarm"
        body = struct.pack(">H", len(topic)) + topic + b"\x00\x01" + payload
        peer.sendall(b"\x32" + bytes([len(body) & 0x7f | 0x80, len(body) >> 7]) + body)
        left = 4
        while left:
            left -= len(peer.recv(left))

    return publish


def bare_commits(folder):
    db = sqlite3.connect(folder / "bare.db", isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("CREATE TABLE t(n INTEGER PRIMARY KEY, body TEXT)")

    def commit():
        db.execute("INSERT INTO t(body) VALUES (?)", ("x" * 400,))

    return commit


def timed(act):
    begin = time.monotonic()
    act()
    return (time.monotonic() - begin) * 1000


def row(name, values):
    values = sorted(values)
    if not values:
        print(f"| {name} | 0 | - | - | - |")
        return
    at = lambda q: values[min(len(values) - 1, int(q * len(values)))]  # noqa: E731
    print(f"| {name} | {len(values)} | {at(0.5):.2f} | {at(0.99):.2f} | {values[-1]:.2f} |")


class Site:
    """A daemon with its broker; devices on a plant for load, and one detector of ours."""

    def __init__(self, folder, load=0, missed=0, rate="unlimited", commit_ms=1000):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir()
        self.children = []
        self.broker = Broker(self.folder / "broker", extra=["log_type none", "set_tcp_nodelay true"]).start()
        self.relay = Relay(self.broker.port)
        self.detector = Detector()
        self.store = self.folder / "riskgate.db"
        if missed:
            subprocess.run([program("bench_fill"), self.store, str(missed)], check=True)
        config = {
            "gateway": {"id": "gw-01", "enterprise": ENTERPRISE},
            "store": {"path": str(self.store), "commit": f"{commit_ms}ms", "retention": {"max_size": "8GiB"}},
            "uplinks": [{"name": "county", "url": f"mqtt://127.0.0.1:{self.relay.port}", "backfill": {"rate": rate}}],
            "buses": [{"name": "own", "tcp": f"127.0.0.1:{self.detector.port}"}],
            "areas": [{"name": "plant"}],
            "devices": [{"name": "own", "bus": "own", "unit": 1, "poll": "20ms", "area": "plant", "points": [
                {"name": "gas", "holding": 0, "type": "u16"}]}],
            "rules": [{"name": "gas-high", "points": "own.gas", "above": {"red": 1000}}],
            "control": {"socket": str(self.folder / "control.sock")}, "log": {"level": "warning"},
        }
        self._plant(config, load)
        (self.folder / "riskgate.yaml").write_text(json.dumps(config).replace('}, {', '},\n {'))
        self.daemon = self._run("riskgated", "--config", self.folder / "riskgate.yaml")
        wait_for(lambda: self.detector.shown, what="the first poll")

    def _run(self, name, *arguments):
        child = Program([program(name), *arguments], self.folder / f"{name}.log")
        self.children.append(child)
        return child

    def _plant(self, config, load):
        if not load:
            return
        units = [{"id": u, "registers": [{"holding": 0, "count": 10, "value": u}]} for u in range(1, 11)]
        scenario = {"listeners": [{"name": f"b{i}", "tcp": "127.0.0.1:0", "units": units} for i in range(load // 10)]}
        (self.folder / "plant.yaml").write_text(json.dumps(scenario))
        ports = self.folder / "ports.json"
        self._run("riskgate-plant", "--config", self.folder / "plant.yaml", "--port-file", ports)
        wait_for(ports.exists, what="the plant")
        for name, port in json.loads(ports.read_text()).items():
            config["buses"].append({"name": name, "tcp": f"127.0.0.1:{port}"})
            config["devices"] += [{"name": f"{name}-{u}", "bus": name, "unit": u, "poll": "200ms", "area": "plant",
                                   "points": [{"name": f"p{p}", "holding": p, "type": "u16"} for p in range(10)]} for u in range(1, 11)]

    def alarms(self, count, seconds):
        """ms from the answer to the PUBACK of each raise, beside the bare ones taken in turn with them."""
        ways, commits, trips = [], [], []
        publish, commit = raw_publisher(self.broker.port), bare_commits(self.folder)
        numbers, end = random.Random(1), time.monotonic() + seconds
        self.relay.wanted = lambda kind, payload: kind == "alarm"
        self.relay.acked.clear()
        for n in range(count):
            value = 1001 + n
            self.detector.value = value
            found = wait_for(lambda v=value: [(m, at) for _, p, at in list(self.relay.acked) for m in message(p)["records"]
                                              if m["event"] == "raise" and m["value"] == v], 30, "the alarm's PUBACK")
            ways.append((found[0][1] - self.detector.shown[value]) * 1000)
            self.detector.value = 0
            wait_for(lambda: any(m["event"] == "clear" for _, p, _ in list(self.relay.acked) for m in message(p)["records"]), 30, "its end")
            self.relay.acked.clear()
            commits.append(timed(commit))
            trips.append(timed(publish))
            time.sleep(numbers.uniform(0, 0.05))
            if time.monotonic() > end:
                break
        return ways, commits, trips

    def close(self):
        for child in self.children:
            child.stop()
        self.broker.kill()


def bench_alarms(folder, options):
    print("\n### An alarm's way, ms\n\n| | n | p50 | p99 | max |\n| --- | ---: | ---: | ---: | ---: |")
    all_commits, all_trips = [], []
    for name, load, missed in (("idle", 0, 0), ("under load (200 devices of ten points at 200 ms)", 200, 0),
                               ("the same, beside a back-fill at 5000/s", 200, options.records)):
        site = Site(folder / f"alarms-{load}-{missed}", load=load, missed=missed, rate="5000/s")
        site.relay.open.set()
        wait_for(lambda s=site: any(kind == "telemetry" for kind, _, _ in list(s.relay.acked)), 60, "telemetry")
        ways, commits, trips = site.alarms(options.alarms, options.seconds)
        left = sqlite3.connect(f"file:{site.store}?mode=ro", uri=True).execute(
            "SELECT coalesce(sum(pending), 0) FROM v_uplink WHERE stream = 'telemetry'").fetchone()[0] if missed else 0
        row(name + (f"; {left:,} records were left" if missed else ""), ways)
        all_commits += commits
        all_trips += trips
        site.close()
    row("a bare commit with fsync (SQLite, FULL)", all_commits)
    row("a bare publish, QoS 1, and its PUBACK", all_trips)


def live_delays(commits, acked):
    """ms of each live message, from the commit of its first record to its PUBACK."""
    delays, at = [], 0
    for _, payload, when in acked:
        one = message(payload)
        if one["backfill"]:
            continue
        while at < len(commits) and commits[at][1] < one["first"]:
            at += 1
        if at < len(commits) and at > 0:
            delays.append(max(0.0, when - commits[at][0]) * 1000)  # it may be there before the other process sees the commit
    return delays


def backfill(folder, options, rate, commit_ms):
    """The live messages' delays, and what is to be said of the back-fill."""
    site = Site(folder / f"fill-{rate[:4]}-{commit_ms}", load=200, missed=options.records, rate=rate, commit_ms=commit_ms)
    watch = Program([sys.executable, "-c", WATCH, site.store], site.folder / "commits.txt")
    wait_for(lambda: (site.folder / "commits.txt").read_text().count("\n") > 2, 30, "some commits")
    site.relay.wanted = lambda kind, payload: kind == "telemetry"
    site.relay.open.set()
    end = time.monotonic() + options.seconds

    def filled():
        newest = site.relay.acked[-20:]
        return time.monotonic() > end or (len(newest) == 20 and not any(b'"backfill":true' in p for _, p, _ in newest))

    wait_for(filled, options.seconds + 60, "the back-fill")
    acked = list(site.relay.acked)
    commits = [(float(a), int(b)) for a, b in (line.split() for line in (site.folder / "commits.txt").read_text().splitlines())]
    fills = [(len(message(p)["records"]), at) for _, p, at in acked if b'"backfill":true' in p]
    begin, last = fills[0][1], fills[-1][1]
    delays = live_delays(commits, [one for one in acked if begin <= one[2] <= last])
    count = sum(n for n, _ in fills)
    watch.kill()
    site.close()
    return delays, (f"back-fill at {rate}, commit {commit_ms} ms: {count:,} records of ten points in {last - begin:.1f} s: "
                    f"{count / (last - begin):,.0f} records/s, {10 * count / (last - begin):,.0f} points/s")


def bench_backfill(folder, options):
    print(f"\n### Live telemetry beside the back-fill of {options.records:,} records, ms from commit to PUBACK\n\n"
          "| | n | p50 | p99 | max |\n| --- | ---: | ---: | ---: | ---: |")
    notes = []
    for rate, commit_ms in (("unlimited", 100), ("unlimited", 1000), ("20000/s", 100), ("20000/s", 1000)):
        delays, note = backfill(folder, options, rate, commit_ms)
        row(f"back-fill at {rate}, commit {commit_ms} ms", delays)
        notes.append(note)
    print()
    for note in notes:
        print(note)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=1_000_000, help="missed, to be back-filled (%(default)s)")
    parser.add_argument("--alarms", type=int, default=300, help="of each kind (%(default)s)")
    parser.add_argument("--seconds", type=float, default=120, help="at most, each part (%(default)s)")
    parser.add_argument("--only", choices=("alarms", "backfill"))
    parser.add_argument("--folder", default=None, help="where the stores are: the disk that is measured (the temporary folder)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        print(f"load average {os.getloadavg()[0]:.1f}")
        if options.only != "backfill":
            bench_alarms(pathlib.Path(folder), options)
        if options.only != "alarms":
            bench_backfill(pathlib.Path(folder), options)


if __name__ == "__main__":
    main()
