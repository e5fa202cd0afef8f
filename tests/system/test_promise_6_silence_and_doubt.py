"""Promise 6: silence and doubt are dangerous. A detector at red that falls silent, refuses, or says that it knows nothing stays at
red; its silence is an alarm of its own at the configured time; only its own good reading lets the alarm go."""

import time

import pytest

from conftest import free_port, wait_for

AFTER_MS = 1000  # offline
POLL_MS = 50
TIMEOUT_MS = 100


@pytest.fixture
def detector(plant, daemon):
    """detector(**more of the device) -> plant, daemon: one gas detector, limits yellow 20 and red 50."""

    def make(run=True, **more):
        world = plant({"history": 20000, "listeners": [{"name": "shop", "tcp": "127.0.0.1:0", "units": [
            {"id": 1, "registers": [{"holding": 0, "type": "f32", "value": 60}, {"holding": 2, "value": 1}]}]}]})
        gateway = daemon({
            "buses": [{"name": "shop", "tcp": f"127.0.0.1:{world.ports['shop']}", "timeout": f"{TIMEOUT_MS}ms"}],
            "areas": [{"name": "plant"}, {"name": "shop", "parent": "plant"}],
            "devices": [{"name": "gas", "bus": "shop", "unit": 1, "poll": f"{POLL_MS}ms", "area": "shop",
                         "offline": {"after": f"{AFTER_MS}ms", "level": "orange"}, "doubt": {"level": "none"},
                         "points": [{"name": "lel", "holding": 0, "type": "f32", "order": "ABCD", "range": [0, 100],
                                     "invalid": [99], "unit": "%LEL"}, {"name": "on", "holding": 2, "type": "u16"}], **more}],
            "rules": [{"name": "lel-high", "points": "gas.lel", "above": {"yellow": 20, "red": 50}, "message": "过高"}],
        }, run=run)
        return world, gateway

    return make


def active(gateway):
    """{rule: level} of the active alarms."""
    return {a["rule"]: a["level"] for a in gateway.alarms()}


def told(gateway, rule):
    """[(event, level, was)] of a rule's alarm records."""
    return [(r["event"], r["level"], r["was"]) for _, r in gateway.records("alarm") if r["rule"] == rule]


def quality(gateway, point="gas.lel"):
    return gateway.points()[point]["quality"]


def polls(gateway, count):
    """So many more records of the device: time as the daemon sees it."""
    head = lambda: gateway.status()["store"]["head"]["telemetry"]  # noqa: E731
    goal = head() + count
    wait_for(lambda: head() >= goal, what=f"{count} more records")


def stored(gateway, rule, count):
    wait_for(lambda: len(told(gateway, rule)) >= count, what=f"{count} stored records of {rule}")


def risk(gateway, area="shop"):
    return gateway.ask("risk")["areas"][area]["level"]


def check_offline_time(gateway, number, after_ms=AFTER_MS):
    """The silence was raised exactly so long after the last answer before it, whenever the loop came round to it."""
    raised = [r for _, r in gateway.records("alarm") if r["rule"] == "offline" and r["event"] == "raise"][number]
    heard = [ts for ts, in gateway.query("SELECT ts FROM v_reading WHERE quality NOT IN ('comm', 'device') AND ts <= ?", raised["ts"])]
    assert raised["ts"] == max(heard) + after_ms
    assert raised["point"] == "gas" and raised["level"] == "orange" and raised["value"] is None and raised["limit"] is None


def test_mute_at_red(detector):
    world, gateway = detector()
    wait_for(lambda: active(gateway) == {"lel-high": "red"}, what="red")
    alarm = gateway.alarms()[0]["alarm"]

    world.control.fault("shop", 1, "mute")
    world.control.set("shop", 1, "holding", 0, 0)  # nobody can know
    wait_for(lambda: active(gateway) == {"lel-high": "red", "offline": "orange"}, what="the alarm of its silence")
    assert quality(gateway) == "comm" and gateway.points()["gas.lel"]["value"] is None
    assert risk(gateway) == "red" and risk(gateway, "plant") == "red"
    wait_for(lambda: gateway.device("gas")["state"] == "suspended", what="suspension")
    assert active(gateway) == {"lel-high": "red", "offline": "orange"}

    world.control.clear()
    wait_for(lambda: active(gateway) == {}, what="the end of both")
    assert risk(gateway) == "none"
    gateway.stop()
    assert told(gateway, "lel-high") == [("raise", "red", "none"), ("clear", "none", "red")]
    assert told(gateway, "offline") == [("raise", "orange", "none"), ("clear", "none", "orange")]
    check_offline_time(gateway, 0)
    cleared = [r for _, r in gateway.records("alarm") if r["event"] == "clear"]
    first_good = gateway.query("SELECT min(ts) FROM v_reading WHERE point = 'lel' AND quality = 'good' AND value = 0")[0][0]
    assert [r["ts"] for r in cleared] == [first_good] * 2, "both ended with the first answer"
    assert gateway.query("SELECT alarm, level, state, cleared_ts FROM v_alarm WHERE rule = 'lel-high'") == \
        [(alarm, "none", "cleared", first_good)]


# What the plant puts into the register, and what the reading must then be called. 99 is the sentinel, 0 to 100 the range.
DOUBTS = {"sentinel": ("99", "sensor"), "nan": ("nan", "sensor"), "infinite": ("inf", "sensor"), "above": ("100.5", "range"),
          "below": ("-0.5", "range")}


@pytest.fixture
def doubters(plant, daemon):
    """One detector for each doubt, all alike."""
    units = dict(zip(DOUBTS, range(1, 1 + len(DOUBTS))))
    world = plant({"listeners": [{"name": "shop", "tcp": "127.0.0.1:0", "units": [
        {"id": 1, "count": len(DOUBTS), "registers": [{"holding": 0, "type": "f32", "value": 60}, {"holding": 2, "value": 1}]}]}]})
    gateway = daemon({
        "buses": [{"name": "shop", "tcp": f"127.0.0.1:{world.ports['shop']}", "timeout": f"{TIMEOUT_MS}ms"}],
        "devices": [{"name": name, "bus": "shop", "unit": unit, "poll": f"{POLL_MS}ms",
                     "offline": {"after": f"{AFTER_MS}ms", "level": "orange"}, "doubt": {"level": "blue", "after": "500ms"},
                     "points": [{"name": "lel", "holding": 0, "type": "f32", "order": "ABCD", "range": [0, 100],
                                 "invalid": [99]}, {"name": "on", "holding": 2, "type": "u16"}]}
                    for name, unit in units.items()],
        "rules": [{"name": "lel-high", "points": "*.lel", "above": {"yellow": 20, "red": 50}}],
    })
    put = lambda name, value: world.control.do(f"set shop {units[name]} holding 0 {value}")  # noqa: E731
    return gateway, put


def levels(gateway, rule="lel-high"):
    return {a["point"].split(".")[0]: a["level"] for a in gateway.alarms() if a["rule"] == rule}


def test_doubt_neither_clears_nor_raises(doubters):
    """Readings that are none, while the devices answer: red stays red, and of detectors at rest they raise nothing but an alarm of
    their own, which says why and ends with the first good reading."""
    gateway, put = doubters
    wait_for(lambda: levels(gateway) == dict.fromkeys(DOUBTS, "red"), what="red")
    ids = lambda: {a["alarm"] for a in gateway.alarms() if a["rule"] == "lel-high"}  # noqa: E731
    before = ids()

    def doubt():
        for name, (value, _) in DOUBTS.items():
            put(name, value)
        wanted = {f"{name}.{point}": said for name, (_, reason) in DOUBTS.items() for point, said in (("lel", reason), ("on", "good"))}
        wait_for(lambda: {name: p["quality"] for name, p in gateway.points().items()} == wanted, what="doubt, and of nothing else")
        # Far beyond the time at which silence would have been raised.
        polls(gateway, len(DOUBTS) * (2 * AFTER_MS // POLL_MS))
        wait_for(lambda: levels(gateway, "doubt") == dict.fromkeys(DOUBTS, "blue"), what="the alarms of the doubts")

    doubt()
    assert levels(gateway) == dict.fromkeys(DOUBTS, "red")
    assert ids() == before
    for value, level in (("30", "yellow"), ("5", None)):
        for name in DOUBTS:
            put(name, value)
        wait_for(lambda: levels(gateway) == (dict.fromkeys(DOUBTS, level) if level else {}), what=f"{level}")
        wait_for(lambda: levels(gateway, "doubt") == {}, what="the end of all doubt")
    doubt()
    assert levels(gateway) == {}
    gateway.stop()
    for name, (_, reason) in DOUBTS.items():
        steps = {rule: [(r["event"], r["level"], r["comment"]) for _, r in gateway.records("alarm") if (r["point"], r["rule"]) == (f"{name}.lel", rule)]
                 for rule in ("lel-high", "doubt")}
        assert steps["lel-high"] == [("raise", "red", None), ("deescalate", "yellow", None), ("clear", "none", None)]
        assert steps["doubt"] == [("raise", "blue", reason), ("clear", "none", None), ("raise", "blue", reason)]
    assert {r["rule"] for _, r in gateway.records("alarm")} == {"lel-high", "doubt"}


def test_a_dead_detector_that_looks_alive(detector):
    """It answers, well within its range, the same for ever; its life ends the doubt. The area's level says so, and each change of it."""
    world, gateway = detector(offline={"after": "20s"}, doubt={"level": "yellow", "after": "200ms"}, points=[
        {"name": "lel", "holding": 0, "type": "f32", "order": "ABCD", "unit": "%LEL", "doubt": {"flat": "2s", "flat_band": 0.5}}], run=False)
    gateway.config["rules"] = []
    world.control.set("shop", 1, "holding", 0, 5)
    gateway.start()
    wait_for(lambda: active(gateway) == {"doubt": "yellow"}, what="the alarm of the doubt")
    assert risk(gateway) == "yellow"
    world.control.set("shop", 1, "holding", 0, 7)
    wait_for(lambda: ("clear", "none", "yellow") in told(gateway, "doubt"), what="the end of it")
    gateway.stop()
    doubt = [r for _, r in gateway.records("alarm") if r["rule"] == "doubt"][:2]
    assert [(r["point"], r["value"], r["limit"], r["unit"], r["comment"]) for r in doubt] == \
        [("gas.lel", 5, None, "%LEL", "flat"), ("gas.lel", 7, None, "%LEL", None)]
    changes = [(r["area"], r["level"], r["was"], r["ts"]) for _, r in gateway.records("event") if r["kind"] == "level"][:6]
    assert changes == [(area, level, was, r["ts"]) for (level, was), r in zip((("yellow", "none"), ("none", "yellow")), doubt)
                       for area in ("shop", "plant", None)]


def test_exceptions_only_are_silence(detector):
    """A device that refuses every request tells as little as a mute one."""
    world, gateway = detector()
    wait_for(lambda: active(gateway) == {"lel-high": "red"}, what="red")
    world.control.fault("shop", 1, "exception", 4)
    wait_for(lambda: active(gateway) == {"lel-high": "red", "offline": "orange"}, what="the alarm of its silence")
    wait_for(lambda: {p["quality"] for p in gateway.points().values()} == {"device"}, what="why there is none")
    polls(gateway, 5)
    assert active(gateway) == {"lel-high": "red", "offline": "orange"}
    world.control.clear()
    wait_for(lambda: active(gateway) == {"lel-high": "red"}, what="the end of its silence")
    gateway.stop()
    check_offline_time(gateway, 0)
    assert told(gateway, "lel-high") == [("raise", "red", "none")]
    assert told(gateway, "offline") == [("raise", "orange", "none"), ("clear", "none", "orange")]


def test_lies_are_silence(detector):
    """Answers of somebody else renew nothing, and clear nothing."""
    world, gateway = detector()
    wait_for(lambda: active(gateway) == {"lel-high": "red"}, what="red")
    world.control.fault("shop", 1, "wrong_unit")
    world.control.set("shop", 1, "holding", 0, 0)
    wait_for(lambda: active(gateway) == {"lel-high": "red", "offline": "orange"}, what="the alarm of its silence")
    assert quality(gateway) == "comm"
    world.control.clear()
    wait_for(lambda: active(gateway) == {}, what="the end of both")
    gateway.stop()
    check_offline_time(gateway, 0)


def test_a_short_silence_raises_nothing(detector):
    """Two missed polls, well within the configured time."""
    world, gateway = detector()
    wait_for(lambda: active(gateway) == {"lel-high": "red"}, what="red")
    world.control.fault("shop", 1, "mute", "times=2")
    wait_for(lambda: world.control.listener("shop")["units"]["1"]["faults"] == 2, what="two silent polls")
    polls(gateway, 5)
    gateway.stop()
    told_silent = [r["ts"] for _, r in gateway.records("alarm") if r["rule"] == "offline" and r["event"] == "raise"]
    heard = sorted(ts for ts, in gateway.query("SELECT DISTINCT ts FROM v_reading WHERE quality = 'good'"))
    # A stop of this machine may have made a silence of its own: it is told if and only if there was one.
    gaps = [a + AFTER_MS for a, b in zip(heard, heard[1:]) if b - a >= AFTER_MS]
    assert told_silent == gaps
    assert told(gateway, "lel-high") == [("raise", "red", "none")]


def test_mute_from_the_very_start(plant, daemon):
    """Never heard at all: mute, refused, a port where nobody listens; at its level, its time after the start, without ever a reading.
    One with no time configured: yellow after 10 s."""
    world = plant({"listeners": [{"name": "shop", "tcp": "127.0.0.1:0",
                                  "units": [{"id": n, "registers": [{"holding": 0, "value": 60}]} for n in (1, 2, 3)]}]})
    world.control.fault("shop", 1, "mute")
    world.control.fault("shop", 2, "exception", 2)
    world.control.fault("shop", 3, "mute")
    point = {"name": "lel", "holding": 0, "type": "u16"}
    offline = {"after": f"{AFTER_MS}ms", "level": "red"}
    gateway = daemon({
        "buses": [{"name": "shop", "tcp": f"127.0.0.1:{world.ports['shop']}", "timeout": f"{TIMEOUT_MS}ms"},
                  {"name": "nowhere", "tcp": f"127.0.0.1:{free_port()}"}],
        "devices": [{"name": "mute", "bus": "shop", "unit": 1, "poll": "100ms", "offline": offline, "points": [point]},
                    {"name": "refuses", "bus": "shop", "unit": 2, "poll": "100ms", "offline": offline, "points": [point]},
                    {"name": "absent", "bus": "nowhere", "unit": 1, "poll": "100ms", "offline": offline, "points": [point]},
                    {"name": "standard", "bus": "shop", "unit": 3, "poll": "100ms", "points": [point]}],
        "rules": [{"name": "lel-high", "points": "*.lel", "above": {"red": 50}}],
    })
    answered_ms = int(time.time() * 1000)
    quick = {"mute", "refuses", "absent"}
    wait_for(lambda: {a["point"] for a in gateway.alarms()} == quick, what="the alarms of their silence")
    assert {(a["rule"], a["level"]) for a in gateway.alarms()} == {("offline", "red")}
    wait_for(lambda: {a["point"] for a in gateway.alarms()} == quick | {"standard"}, timeout=40, what="the standard one")
    assert gateway.status()["alarms"]["red"] == 3 and gateway.status()["alarms"]["yellow"] == 1
    assert {p["quality"] for p in gateway.points().values()} <= {"comm", "device", "stale"}
    world.control.clear()
    wait_for(lambda: {(a["rule"], a["point"]) for a in gateway.alarms()} ==
             {("offline", "absent"), ("lel-high", "mute.lel"), ("lel-high", "refuses.lel"), ("lel-high", "standard.lel")},
             timeout=60, what="readings of the three that are there")
    gateway.stop()
    start = next(e["ts"] for _, e in gateway.records("event") if e["kind"] == "start")
    raised = {r["point"]: r["ts"] for _, r in gateway.records("alarm") if (r["rule"], r["event"]) == ("offline", "raise")}
    # All from the same instant, which is that of the start.
    assert raised["mute"] == raised["refuses"] == raised["absent"] == raised["standard"] - 10000 + AFTER_MS
    # A machine that stands still while it starts holds up everything but that.
    assert start - 1000 <= raised["mute"] - AFTER_MS <= max(start + 1000, answered_ms)
    assert gateway.query("SELECT count(*) FROM v_reading WHERE device = 'absent' AND value IS NOT NULL") == [(0,)]


def test_a_restart_in_doubt_keeps_red(detector):
    """Killed while the detector is mute at red: the alarm stands after the start, the same one, and so does its silence."""
    world, gateway = detector()
    wait_for(lambda: active(gateway) == {"lel-high": "red"}, what="red")
    world.control.fault("shop", 1, "mute")
    wait_for(lambda: active(gateway) == {"lel-high": "red", "offline": "orange"}, what="the alarm of its silence")
    before = {a["alarm"] for a in gateway.alarms()}
    stored(gateway, "offline", 1)
    gateway.kill()
    gateway.start()
    assert active(gateway) == {"lel-high": "red", "offline": "orange"}
    assert {a["alarm"] for a in gateway.alarms()} == before
    wait_for(lambda: quality(gateway) == "comm", what="a poll")
    wait_for(lambda: gateway.device("gas")["state"] == "suspended", what="suspension")
    assert {a["alarm"] for a in gateway.alarms()} == before
    world.control.set("shop", 1, "holding", 0, 25)
    world.control.clear()
    wait_for(lambda: active(gateway) == {"lel-high": "yellow"}, what="its own reading")
    gateway.stop()
    assert told(gateway, "lel-high") == [("raise", "red", "none"), ("deescalate", "yellow", "red")]
    assert told(gateway, "offline") == [("raise", "orange", "none"), ("clear", "none", "orange")]
