"""Promise 1: no invented value. Every register of this plant holds what only it can hold, so that a value of any other register,
unit, line or moment is recognised; then the devices lie, stammer and come late in a random order, and every single reading that was
stored is held to what that point can have been when it was asked.

RISKGATE_SEED=N repeats a run."""

import bisect
import collections
import os
import random
import time

import pytest

from conftest import wait_for

LISTENERS = ["tcp", "rtu", "conv"]
UNITS = [1, 2, 3]
# Requests of the same shape, three for each kind of register: a late answer to one would fit the next.
BLOCKS = [("holding", 0), ("holding", 20), ("holding", 40), ("input", 0), ("input", 20), ("input", 40)]
SENTINELS = 60  # a block that is never good
BITS = [("coil", 0), ("coil", 100), ("discrete", 0), ("discrete", 100)]
TICK_US = 10000
TIMEOUT_MS = 120
STEPS = 30
AROUND_S = 25
BAD = {"comm", "device"}  # what an answer that is none may be called


def code(listener, unit, space, address):
    """16 bits that say where a register is. Not 0xAAAA or 0, which the plant puts into frames that are not the answer."""
    return LISTENERS.index(listener) << 14 | unit << 12 | (space == "input") << 11 | address + 1


def pattern(listener, unit, space, address):
    """8 bits for 8 coils, different for every place, never 0xAA or 0."""
    places = [(one, number, s, a) for one in LISTENERS for number in UNITS for s, a in BITS]
    free = [n for n in range(1, 256) if n != 0xAA]
    return free[3 * places.index((listener, unit, space, address)) + 7]


def registers(listener, unit):
    rows = []
    for space, at in BLOCKS:
        rows.append({space: at, "raw": code(listener, unit, space, at)})
        # The upper half says where, the lower half when: ticks since the plant's start.
        rows.append({space: at + 1, "type": "u32", "order": "CDAB",
                     "counter": {"start": code(listener, unit, space, at + 1) << 16, "step": 1, "every": "10ms"}})
        # What a probe of another length reads: part of the device too.
        rows += [{space: at + n, "raw": code(listener, unit, space, at + n)} for n in range(3, 16)]
    at = SENTINELS
    rows += [{"holding": at, "raw": 0x8000}, {"holding": at + 1, "type": "f32", "value": ".nan"},
             {"holding": at + 3, "type": "f32", "value": "-.inf"}, {"holding": at + 5, "raw": 0x12AB},
             {"holding": at + 6, "raw": 0x01FF}, {"holding": at + 7, "raw": 101},
             {"holding": at + 8, "type": "u64", "raw": 2**53 + 1},
             {"holding": at + 12, "raw": code(listener, unit, "holding", at + 12)}, {"holding": at + 13, "raw": 1}]
    for space, at in BITS:
        bits = pattern(listener, unit, space, at)
        rows += [{space: at + n, "value": bits >> n & 1} for n in range(8)]
        rows += [{space: at + 8, "count": 80, "value": 1}]
    return rows


def points(unit):
    rows = []
    for space, at in BLOCKS:
        rows.append({"name": f"{space}{at}-where", space: at, "type": "u16"})
        rows.append({"name": f"{space}{at}-when", space: at + 1, "type": "u32", "order": "CDAB"})
    at = SENTINELS
    rows += [
        {"name": "no-sentinel", "holding": at, "type": "i16", "scale": 0.1, "invalid": [32768]},
        {"name": "no-nan", "holding": at + 1, "type": "f32", "order": "ABCD"},
        {"name": "no-inf", "holding": at + 3, "type": "f32", "order": "ABCD"},
        {"name": "no-bcd", "holding": at + 5, "type": "bcd16"},
        {"name": "no-bytes", "holding": at + 6, "type": "bytes8.8"},
        {"name": "no-range", "holding": at + 7, "type": "u16", "range": [0, 100]},
        {"name": "no-exact", "holding": at + 8, "type": "u64", "order": "ABCD"},
        {"name": "beside", "holding": at + 12, "type": "u16"},
    ]
    # Only one unit: bits are asked for first, and what a poll asks first is what meets late answers most. They have no time in them.
    for space, at in BITS if unit == 3 else []:
        rows += [{"name": f"{space}{at}-{n}", space: at + n} for n in range(8)]
    return rows


NEVER = {"no-sentinel": "sensor", "no-nan": "sensor", "no-inf": "sensor", "no-bcd": "sensor", "no-bytes": "sensor",
         "no-range": "range", "no-exact": "range"}


def device_name(listener, unit):
    return f"{listener}-{unit}"


def scenario(tmp_path):
    where = {"tcp": {"tcp": "127.0.0.1:0"}, "rtu": {"rtu": str(tmp_path / "line")}, "conv": {"rtu_over_tcp": "127.0.0.1:0"}}
    return {"history": 60000, "tick": "10ms", "listeners": [
        {"name": name, **where[name], "units": [{"id": unit, "registers": registers(name, unit)} for unit in UNITS]}
        for name in LISTENERS]}


def site(ports):
    where = {"tcp": {"tcp": f"127.0.0.1:{ports['tcp']}"}, "rtu": {"rtu": ports["rtu"], "baud": 115200},
             "conv": {"rtu_over_tcp": f"127.0.0.1:{ports['conv']}"}}
    return {
        "buses": [{"name": name, **where[name], "timeout": f"{TIMEOUT_MS}ms"} for name in LISTENERS],
        "devices": [{"name": device_name(name, unit), "bus": name, "unit": unit, "poll": "50ms", "max_gap": 0, "probe": "1s",
                     "retries": unit - 1, "offline": {"after": "1s"}, "points": points(unit)}
                    for name in LISTENERS for unit in UNITS],
    }


def fault_in(control, listener, unit, *words):
    command = " ".join(str(w) for w in ("fault", listener, unit, *words))
    if control.ask(command) != "ok":  # no room for one more kind
        control.clear(listener, unit)
        control.do(command)


class Trouble:
    """What goes wrong, from a seeded generator."""

    def __init__(self, control, dice):
        self.control, self.dice = control, dice
        self.seen = collections.Counter()

    def fault(self):
        listener = self.dice.choice(LISTENERS)
        kinds = ["late"] * 6 + ["mute", "exception", "wrong_unit", "cut", "garbage", "foreign", "wrong_length"]
        kinds += {"tcp": ["wrong_tid", "drop"], "rtu": ["wrong_crc"], "conv": ["wrong_crc", "drop"]}[listener]
        kind = self.dice.choice(kinds)
        words = [kind]
        if kind == "late":  # within the next poll, after some, and long after the unit was given up
            words.append(self.dice.choice([130, 180, 180, 300, 300, 700, 1500, 2500]))
        elif kind == "exception":
            words.append(self.dice.choice([4, 5, 6, 8, 10, 11]))
        elif kind in ("cut", "garbage"):
            words += self.dice.choice([[], [self.dice.randint(1, 30)]])
        words.append(f"times={self.dice.randint(1, 3)}")
        if self.dice.random() < 0.3:
            words.append(f"every={self.dice.randint(2, 5)}")
        unit = self.dice.choice(UNITS + ["*"])
        fault_in(self.control, listener, unit, *words)
        self.seen[listener, kind] += 1
        return listener

    def prelude(self):
        """What must have been there on each line: an exception while nothing is owed; silence; and answers that come while the next
        request is waiting for its own."""
        count = 0
        for words, times in (("exception 4", 1), ("mute", 1), (f"late {TIMEOUT_MS * 3 // 2}", 4)):
            for listener in LISTENERS:
                self.control.do(f"fault {listener} 1 {words} times={times}")
            count += times
            wait_for(lambda: all(self.control.listener(one)["units"]["1"]["faults"] == count for one in LISTENERS),  # noqa: B023
                     what=words)

    def step(self):
        """One fault, and then some requests for it to meet."""
        listener = self.fault()
        before = self.control.listener(listener)["requests"]
        wait_for(lambda: self.control.listener(listener)["requests"] >= before + self.dice.randint(2, 6),
                 what=f"requests on {listener}")

    def unplug(self, listener):
        self.control.fault(listener, "*", "refuse")
        wait_for(lambda: self.control.listener(listener)["closed"] > 0 or listener == "rtu", what="the end of a connection")
        self.control.clear(listener, "*")
        self.seen[listener, "refuse"] += 1


def clock_offset_us():
    """Wall clock minus monotonic clock, from the look at both that was interrupted least."""
    looks = []
    for _ in range(50):
        before, wall, after = time.monotonic_ns(), time.time_ns(), time.monotonic_ns()
        looks.append((after - before, wall - (before + after) // 2))
    return min(looks)[1] // 1000


def all_good(gateway):
    return all(p["quality"] == "good" or p["point"].split(".")[1] in NEVER for p in gateway.points().values())


class Judge:
    """What a stored reading may be."""

    def __init__(self, stats, histories, offset_us, began_ms, ended_ms):
        self.start_us, self.offset_us = stats["start_us"], offset_us
        self.began_ms, self.ended_ms = began_ms, ended_ms
        self.asked = collections.defaultdict(list)  # (device, function, address): when, in order
        for device, history in histories.items():
            for row in history:
                self.asked[device, row["function"], row["address"]].append(row["at_us"])

    def expected(self, device, point):
        listener, unit = device.split("-")
        unit = int(unit)
        if point == "beside":
            return code(listener, unit, "holding", SENTINELS + 12)
        place, what = point.rsplit("-", 1)
        space = place.rstrip("0123456789")
        at = int(place[len(space):])
        if what == "where":
            return code(listener, unit, space, at)
        return pattern(listener, unit, space, at) >> int(what) & 1

    def good(self, ts, device, point, value):
        if point in NEVER:
            return f"has the value {value} and can have none"
        if point.endswith("-when"):
            return self.moment(ts, device, point, value)
        expected = self.expected(device, point)
        return None if value == expected else f"is {value} ({int(value):#x}) and can only be {expected} ({expected:#x})"

    def moment(self, ts, device, point, value):
        """The value was taken for the last request before the reading's time, not for an earlier one, and not after it. (That time is in
        whole milliseconds, and a poll that came behind its time may be asked in the one in which the answer before it arrived.)"""
        listener, unit = device.split("-")
        place = point.removesuffix("-when")
        space = place.rstrip("0123456789")
        at = int(place[len(space):])
        where, ticks = divmod(int(value), 1 << 16)
        if where != code(listener, int(unit), space, at + 1):
            return f"is {value:#x}: of another register"
        asked = self.asked[device, 3 if space == "holding" else 4, at]
        taken_us = self.start_us + ticks * TICK_US
        read_us = (ts + 1) * 1000 - self.offset_us
        if bisect.bisect_right(asked, read_us) == 0:
            return "was read before it was asked for"
        newest = max(bisect.bisect_right(asked, read_us - 1000) - 1, 0)
        if taken_us > read_us:
            return f"was taken {(taken_us - read_us) / 1000} ms after its own time"
        if taken_us + 2 * TICK_US < asked[newest]:
            return f"is older by {(asked[newest] - taken_us) / 1000} ms than the request that it is said to answer"
        return None

    def reading(self, ts, device, point, value, quality):
        if not self.began_ms <= ts <= self.ended_ms:
            return f"is of {ts}, outside the test"
        if quality == "good":
            return self.good(ts, device, point, value)
        if value is not None:
            return f"is {quality} and yet has the value {value}"
        if quality in BAD or quality == NEVER.get(point):
            return None
        return f"cannot be {quality}"


class Story:
    """A plant and a gateway for a time, and everything that was stored judged at its end."""

    def __init__(self, plant, daemon, tmp_path, change=lambda config: None):
        self.began_ms = int(time.time() * 1000)
        self.offset_us = clock_offset_us()
        self.world = plant(scenario(tmp_path))
        config = site(self.world.ports)
        change(config)
        self.devices = [d["name"] for d in config["devices"]]
        self.gateway = daemon(config)
        self.await_good()

    def await_good(self):
        wait_for(lambda: all_good(self.gateway), timeout=60, what="good readings of all points")

    def end(self):
        """All readings, after it is known that none is wrong; and what the plant counted."""
        self.gateway.stop()  # first: so that every reading's request has been counted
        histories = {name: self.world.control.history(*name.split("-")) for name in self.devices}
        stats = self.world.control.stats()
        ended_ms = int(time.time() * 1000) + 1
        drift_us = abs(clock_offset_us() - self.offset_us)
        assert drift_us < 5000, "the clock of this machine was set meanwhile: nothing can be said"
        judge = Judge(stats, histories, self.offset_us, self.began_ms, ended_ms)
        readings = self.gateway.query("SELECT seq, ts, device, point, value, quality FROM v_reading ORDER BY seq")
        wrong = [(row, why) for row in readings for why in [judge.reading(*row[1:])] if why]
        assert not wrong, f"{len(wrong)} of {len(readings)} readings, the first: {wrong[:5]}"
        check_time_and_number(self.gateway)
        check_never_more_than_was_answered(self.gateway, stats, self.devices)
        return readings, stats


def test_every_stored_value_is_what_its_point_can_only_be(plant, daemon, tmp_path):
    seed = int(os.environ.get("RISKGATE_SEED", random.SystemRandom().randint(0, 10**9)))
    print(f"RISKGATE_SEED={seed}")
    story = Story(plant, daemon, tmp_path)
    trouble = Trouble(story.world.control, random.Random(seed))
    trouble.prelude()
    for part in range(len(LISTENERS)):
        for _ in range(STEPS // len(LISTENERS)):
            trouble.step()
        trouble.unplug(LISTENERS[part])
    print(trouble.seen)
    story.world.control.clear()
    story.await_good()
    readings, _ = story.end()
    check_that_it_was_a_test(readings, trouble)


def test_delays_around_the_time_out(plant, daemon, tmp_path):
    """On all three kinds at once and for long: answers that come just in time, just not, and when the next request, or the proof
    before it, is out already."""
    seed = int(os.environ.get("RISKGATE_SEED", random.SystemRandom().randint(0, 10**9)))
    print(f"RISKGATE_SEED={seed}")
    dice = random.Random(seed)
    story = Story(plant, daemon, tmp_path)
    control = story.world.control
    drawn = collections.Counter()
    until = time.monotonic() + AROUND_S
    while time.monotonic() < until:
        for listener in LISTENERS:
            for unit in dice.sample(UNITS, 2):
                by = round(TIMEOUT_MS * dice.uniform(0.5, 1.5))
                fault_in(control, listener, unit, "late", by, f"times={dice.randint(1, 3)}")
                drawn[listener, "late" if by > TIMEOUT_MS else "in time"] += 1
        before = {one: control.listener(one)["requests"] for one in LISTENERS}
        goal = dice.randint(2, 6)
        wait_for(lambda: any(control.listener(one)["requests"] >= before[one] + goal for one in LISTENERS),  # noqa: B023
                 what="requests")
    control.clear()
    story.await_good()
    readings, stats = story.end()
    count = collections.Counter((device.split("-")[0], quality) for _, _, device, _, _, quality in readings)
    met = {one: sum(unit["faults"] for unit in stats["listeners"][one]["units"].values()) for one in LISTENERS}
    print(drawn, met, count)
    for listener in LISTENERS:
        assert met[listener] > 10
        assert count[listener, "good"] > 100 and count[listener, "comm"] > 10


def patient(config):
    """Only the lines without transaction ids; one unit each, with many tries that wait long."""
    config["buses"] = [{**b, "timeout": "400ms"} for b in config["buses"] if b["name"] != "tcp"]
    config["devices"] = [{**d, "retries": 10, "points": [p for p in d["points"] if p["name"].startswith("holding")]}
                         for d in config["devices"] if d["name"] in ("rtu-1", "conv-1")]


class Serial(Story):
    """What is done to unit 1 of both serial lines at once."""

    def __init__(self, plant, daemon, tmp_path):
        super().__init__(plant, daemon, tmp_path, patient)
        self.faults = 0

    def fault(self, *words):
        for listener in ("rtu", "conv"):
            self.world.control.fault(listener, 1, *words, "times=1")
        self.faults += 1

    def await_faults(self):
        units = lambda: [self.world.control.listener(one)["units"]["1"] for one in ("rtu", "conv")]  # noqa: E731
        wait_for(lambda: all(unit["faults"] == self.faults for unit in units()), what="the faults")

    def await_polls(self):
        head = lambda: self.gateway.status()["store"]["head"]["telemetry"]  # noqa: E731
        goal = head() + 10
        wait_for(lambda: head() >= goal, what="polls")
        self.await_good()


@pytest.mark.parametrize("busy", [4, 6])
def test_late_after_busy(plant, daemon, tmp_path, busy):
    """A serial unit that was busy once, and later takes longer than any grace: what it then says is not taken for what it is asked
    by then. (Its answer is due in the middle of one of the many tries.)"""
    story = Serial(plant, daemon, tmp_path)
    # Silent for a moment; and the request by which the gateway then finds out where the line stands is refused as busy.
    story.fault("late", 500)
    story.fault("exception", busy)
    story.await_faults()
    story.await_polls()
    story.fault("late", 1200)
    story.await_faults()
    story.await_polls()
    story.end()


def test_later_than_several_tries(plant, daemon, tmp_path):
    """Silent for so long that the requests which would show where the line stands stay without an answer as well."""
    story = Serial(plant, daemon, tmp_path)
    story.fault("late", 2400)
    story.await_faults()
    story.await_polls()
    story.end()


def test_an_echo_is_no_answer(plant, daemon, tmp_path):
    """Lines that give back what is sent on them. Declared so, they are read; not declared so, no value is made of it: not even for the
    bits at 784, the request for which is byte for byte a valid answer to itself."""
    bits = [{"name": f"bit{n}", "coil": 784 + n} for n in range(20)]
    unit = {"id": 1, "registers": [{"coil": 784, "count": 20, "value": 1}, {"holding": 0, "raw": 4711}]}
    world = plant({"listeners": [{"name": "said", "rtu": str(tmp_path / "said"), "echo": True, "units": [unit]},
                                 {"name": "unsaid", "rtu": str(tmp_path / "unsaid"), "echo": True, "units": [unit]}]})
    gateway = daemon({
        "buses": [{"name": "said", "rtu": world.ports["said"], "baud": 115200, "echo": True, "timeout": "200ms"},
                  {"name": "unsaid", "rtu": world.ports["unsaid"], "baud": 115200, "timeout": "200ms"}],
        "devices": [{"name": name, "bus": name, "unit": 1, "poll": "100ms", "retries": 2, "probe": "1s",
                     "points": [{"name": "four", "holding": 0, "type": "u16"}, *bits]} for name in ("said", "unsaid")]})
    found = wait_for(lambda: (now := gateway.points()) and all(p["quality"] == "good" for name, p in now.items() if name.startswith("said.")) and now,
                     what="the values")
    wait_for(lambda: world.control.listener("unsaid")["requests"] > 10, what="requests on the line of which it was not said")
    assert found["said.four"]["value"] == 4711 and all(found[f"said.bit{n}"]["value"] == 1 for n in range(20))
    gateway.stop()
    assert gateway.query("SELECT DISTINCT quality FROM v_reading WHERE device = 'unsaid'") == [("comm",)]


def check_time_and_number(gateway):
    """Records are numbered without holes, and the times of one device never go back."""
    last = {}
    for number, (seq, record) in enumerate(gateway.records("telemetry"), 1):
        assert seq == number
        assert record["ts"] >= last.get(record["device"], 0), f"record {seq} of {record['device']} goes back in time"
        last[record["device"]] = record["ts"]
        assert not set(record["values"]) & set(record.get("bad", {})), f"record {seq}: good and bad at once"


def check_never_more_than_was_answered(gateway, stats, devices):
    frames = collections.Counter(record["device"] for _, record in gateway.records("telemetry") if record["values"])
    for name in devices:
        listener, unit = name.split("-")
        assert frames[name] <= stats["listeners"][listener]["units"][unit]["answers"]


def check_that_it_was_a_test(readings, trouble):
    """There were many readings, of each quality that the faults must have given, and a good one beside the bad."""
    count = collections.Counter((device, quality) for _, _, device, _, _, quality in readings)
    for listener in LISTENERS:
        for unit in UNITS:
            assert count[device_name(listener, unit), "good"] > 30
            assert count[device_name(listener, unit), "sensor"] > 5
        for quality in BAD:
            assert sum(count[device_name(listener, unit), quality] for unit in UNITS) > 0, (listener, quality, trouble.seen)


def test_sentinels_say_sensor_and_their_neighbours_stay(plant, daemon, tmp_path):
    """Without any fault: each point of the block that can have no value says why, and the one beside them is read."""
    world = plant(scenario(tmp_path))
    gateway = daemon(site(world.ports))

    def all_said():
        """All at once: on a busy machine one misses its short time-out now and then."""
        now = gateway.points()
        return all(p["quality"] == NEVER.get(name.split(".")[1], "good") for name, p in now.items()) and now

    found = wait_for(all_said, what="all points")
    for listener in LISTENERS:
        for unit in UNITS:
            name = device_name(listener, unit)
            assert {p: found[f"{name}.{p}"]["quality"] for p in NEVER} == NEVER
            assert all(found[f"{name}.{p}"]["value"] is None for p in NEVER)
            assert found[f"{name}.beside"]["value"] == code(listener, unit, "holding", SENTINELS + 12)
    gateway.stop()
    assert gateway.query("SELECT DISTINCT quality FROM v_reading WHERE point LIKE 'no-%' AND quality <> 'comm' ORDER BY 1") == \
        [("range",), ("sensor",)]
    assert gateway.query("SELECT count(*) FROM v_reading WHERE quality <> 'good' AND value IS NOT NULL") == [(0,)]
