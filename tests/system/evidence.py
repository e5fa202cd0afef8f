"""What the tests of the promises judge by: a site under load, the store, what arrived and in which order, the lives of alarms."""

import contextlib
import hashlib
import json
import os
import pathlib
import random
import threading
import time

import paho.mqtt.client as mqtt

from conftest import PATIENCE, wait_for

ROOT = "riskgate/v1/91350100M000100Y43/gw-01"
STREAMS = ("alarm", "telemetry", "event", "report")
LONG = 90.0  # patience for what waits for a back-off or a back-fill


def dice():
    """Seeded random numbers; the seed is printed, and taken from RG_SEED to play a failure again."""
    seed = int(os.environ.get("RG_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 31)
    print(f"RG_SEED={seed}")
    return random.Random(seed)


# ---- a site under load -------------------------------------------------------------------------------------------------


def world_of(buses=4, units=4, period="2s"):
    """A scenario: TCP listeners bus-0..., each with units 1...; holding 0 stands still until it is set, holding 1 swings from 0 to 100."""
    def unit(bus, number):
        phase = (bus * units + number) / (buses * units)
        return {"id": number, "registers": [
            {"holding": 0, "type": "u16", "scale": 0.1, "value": 0},
            {"holding": 1, "type": "i16", "sine": {"mean": 50, "amplitude": 50, "period": period, "phase": phase}}]}

    return {"history": 16, "listeners": [
        {"name": f"bus-{bus}", "tcp": "127.0.0.1:0", "units": [unit(bus, 1 + u) for u in range(units)]}
        for bus in range(buses)]}


def device_name(bus, unit):
    return f"d-{bus}-{unit}"


def site_of(world, uplinks, units=4, poll="20ms", swings=True, **sections):
    """A configuration for world_of: a device for each unit, with points gas (rule gas-high) and swing (rule swing-high)."""
    names = sorted(world.ports)
    gas = {"name": "gas", "holding": 0, "type": "u16", "scale": 0.1, "unit": "%LEL"}
    swing = {"name": "swing", "holding": 1, "type": "i16"}
    rules = [{"name": "gas-high", "points": "*.gas", "above": {"yellow": 20, "red": 50}, "message": "可燃气体浓度过高"}]
    if swings:
        rules.append({"name": "swing-high", "points": "*.swing", "above": {"blue": 60, "orange": 90}})
    site = {
        "store": {"commit": "100ms"},
        "uplinks": uplinks,
        "buses": [{"name": name, "tcp": f"127.0.0.1:{world.ports[name]}"} for name in names],
        "areas": [{"name": "plant"}, {"name": "hall", "parent": "plant"}],
        "devices": [{"name": device_name(name.split("-")[1], unit), "bus": name, "unit": unit, "poll": poll, "area": "hall",
                     "offline": {"after": "1h"}, "points": [gas, swing]} for name in names for unit in range(1, units + 1)],
        "rules": rules,
    }
    site.update(sections)
    return site


def uplink(port, name="county", **options):
    return {"name": name, "url": f"mqtt://127.0.0.1:{port}", **options}


# ---- the store ---------------------------------------------------------------------------------------------------------


def rows(gateway, stream):
    """{seq: text} of one stream in the store."""
    return dict(gateway.query(f"SELECT seq, body FROM {stream} ORDER BY seq"))


def configs_of(gateway):
    """The config events, oldest first."""
    return [r for _, r in gateway.records("event") if r["kind"] == "config"]


def assert_store_is_sound(gateway):
    """Numbers from 1 without a hole, in the text too, and each hash follows from the one before. Returns {stream: {seq: text}}."""
    found = {}
    for stream in STREAMS:
        found[stream] = rows(gateway, stream)
        assert list(found[stream]) == list(range(1, len(found[stream]) + 1)), stream
        before = ""
        for seq, text in found[stream].items():
            assert text.startswith(f'{{"seq":{seq},"ts":'), (stream, seq, text)
            if stream == "telemetry":
                continue
            covered, _, rest = text.rpartition(',"hash":')
            digest = hashlib.sha256((before + covered).encode()).hexdigest()
            assert rest == f'"{digest}"}}', (stream, seq, text)
            before = digest
    return found


def assert_lives(texts):
    """Each occurrence has one raise, at most one clear, nothing but an acknowledgement after it, and levels that join; a rule has one
    alarm at a time on a point. Returns {(rule, point): id} of those still active."""
    active, level, ended = {}, {}, set()
    for seq, text in texts.items():
        record = json.loads(text)
        name, place = record["alarm"], (record["rule"], record["point"])
        assert record["was"] == level.get(name, "none"), (seq, text)
        if record["event"] == "raise":
            assert name not in level and place not in active, (seq, text)
            active[place] = name
        else:
            assert name in level, (seq, text)
            assert name not in ended or record["event"] == "ack", (seq, text)
        level[name] = record["level"]
        if record["event"] == "clear":
            assert active.pop(place) == name, (seq, text)
            ended.add(name)
    return active


def assert_told_is_stored(watcher, stored):
    """Whatever the platform received is in the store, byte for byte."""
    for stream in STREAMS:
        for seq, text in watcher.records(stream).items():
            assert stored[stream].get(seq) == text, (stream, seq, text, stored[stream].get(seq))


def head(gateway, stream):
    return gateway.query(f"SELECT max(seq) FROM {stream}")[0][0] or 0


def await_arrival(gateway, watcher, timeout=LONG):
    """Waits until all that is in the store now is at the platform."""
    goal = {stream: head(gateway, stream) for stream in STREAMS}
    end = time.monotonic() + timeout
    while True:
        missing = {stream: sorted(set(range(1, goal[stream] + 1)) - set(watcher.records(stream))) for stream in STREAMS}
        if not any(missing.values()):
            return goal
        told = {stream: (len(numbers), numbers[:3], numbers[-3:]) for stream, numbers in missing.items()}
        assert time.monotonic() < end, f"not at the platform: {told} of {goal}"
        time.sleep(0.2)


def await_newest(gateway, watcher, stream, timeout=LONG):
    """Waits until the newest record of a stream that is in the store now, or a newer one, is at the platform. Returns its number."""
    newest = head(gateway, stream)
    wait_for(lambda: max(watcher.records(stream), default=0) >= newest, timeout, f"number {newest} of {stream} at the platform")
    return newest


def judge(gateway, watcher, stop=True):
    """The end of a test: all arrived, the daemon ends cleanly, store and platform agree, the contract held. Returns the platform's report
    of the gateway."""
    await_arrival(gateway, watcher)
    if stop:
        gateway.stop()
    stored = assert_store_is_sound(gateway)
    for stream in ("alarm", "event"):
        wait_for(lambda s=stream: len(watcher.records(s)) >= len(stored[s]), what=f"the last of {stream} at the platform")
    assert_told_is_stored(watcher, stored)
    assert_lives(stored["alarm"])
    report = watcher.finish()
    assert report["breach_count"] == 0, report["breaches"]
    for stream, state in report["gateways"][0]["streams"].items():
        assert state["holes"] == 0 and state["missing_prev"] == 0, (stream, state)
    return report["gateways"][0]


# ---- what arrived, in order --------------------------------------------------------------------------------------------


class Message:
    def __init__(self, message, kind, at):
        self.kind, self.at = kind, at
        self.qos, self.retain = message.qos, message.retain
        self.properties = getattr(message, "properties", None)
        self.payload = message.payload
        self.json = json.loads(message.payload)

    @property
    def fill(self):
        return self.json.get("backfill") is True

    @property
    def numbers(self):
        return [record["seq"] for record in self.json["records"]]


class Listener:
    """A subscriber made of paho-mqtt that keeps every message in the order of its arrival. Subscribes anew after each connect."""

    def __init__(self, port, topic=ROOT + "/#", v311=False, **auth):
        self.messages = []
        self.subscribed = 0
        self.lock = threading.Lock()
        self.root = topic.rstrip("#").rstrip("/")  # kinds are what follows it
        self.client = mqtt.Client(protocol=mqtt.MQTTv311 if v311 else mqtt.MQTTv5)
        self.client.on_connect = lambda client, *_: client.subscribe(topic, 1)
        self.client.on_subscribe = self._subscribed
        self.client.on_message = self._message
        self.client.reconnect_delay_set(1, 1)
        if auth:
            self.client.username_pw_set(**auth)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        wait_for(lambda: self.subscribed, what="the subscription")

    def _subscribed(self, *_):
        self.subscribed += 1

    def _message(self, _client, _data, message):
        if message.payload:
            kind = message.topic[len(self.root) + 1:] if self.root else message.topic
            with self.lock:
                self.messages.append(Message(message, kind, time.monotonic()))

    def of(self, *kinds, since=0):
        """The messages of some kinds, in order; since: index of the first one looked at."""
        with self.lock:
            return [m for m in self.messages[since:] if m.kind in kinds]

    def count(self):
        with self.lock:
            return len(self.messages)

    def last(self, kind):
        found = self.of(kind)
        return found[-1].json if found else None

    def wait(self, predicate, what, timeout=PATIENCE):
        """Waits until predicate(messages so far) is true."""
        def look():
            with self.lock:
                copy = list(self.messages)
            return predicate(copy)
        return wait_for(look, timeout, what)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.disconnect()
        self.client.loop_stop()


# ---- the process -------------------------------------------------------------------------------------------------------


def descriptors(pid):
    """How many there are; a file counts once, for SQLite keeps that of a connection which ended for the next one to open."""
    found = []
    for name in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            found.append(os.readlink(f"/proc/{pid}/fd/{name}"))
    files = [target for target in found if target.startswith("/")]
    return len(found) - len(files) + len(set(files))


def threads(pid):
    """But for the one that looks into the past, which is made once, some time after the start."""
    names = []
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            names.append(pathlib.Path(f"/proc/{pid}/task/{task}/comm").read_text(encoding="utf-8").strip())
        except OSError:
            continue  # it has just ended
    return len([name for name in names if name != "store-inquiry"])


def resident(pid):
    """Bytes of memory of its own in use: not the mapped pages of files (of the store, too), which the kernel takes back at will."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return sum(int(line.split()[1]) << 10 for line in file if line.startswith("RssAnon:"))
