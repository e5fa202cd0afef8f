"""A device says in registers of their own what its readings are worth: inhibited, faulty, frozen, how many decimals. A reading that
it forces to 0 meanwhile is none: no zero is stored, no alarm goes for it, wherever the state is read and whatever else happens."""

import pytest

from conftest import wait_for

NORMAL, WARM_UP, INHIBIT = 1, 2, 3
STATES = {"1": "good", "2": "inhibited", "3": "inhibited", "12": "inhibited"}
FAST = {"poll": "50ms", "timeout": "10s"}  # one that no machine is late for


def station(plant, daemon, registers, device, kind="tcp", line=None, fill=False):
    """A device of these registers at unit 1 as `gas`, with yellow at 20 and red at 50 for its point `lel`."""
    where = {"rtu": str(line)} if kind == "rtu" else {kind: "127.0.0.1:0"}
    world = plant({"listeners": [{"name": "shop", **where, "units": [{"id": 1, "fill": fill, "registers": registers}]}]})
    place = {"rtu": str(line), "baud": 115200} if kind == "rtu" else {kind: f"127.0.0.1:{world.ports['shop']}"}
    gateway = daemon({
        "store": {"commit": "100ms"},
        "buses": [{"name": "shop", **place}],
        "devices": [{"name": "gas", "bus": "shop", "unit": 1, **FAST, "offline": {"after": "10s"},
                     "doubt": {"level": "none"}, **device}],
        "rules": [{"name": "lel-high", "points": "gas.lel", "above": {"yellow": 20, "red": 50}}] if registers[0].get("type") == "f32" else [],
    })
    return world, gateway


LEL = {"name": "lel", "holding": 2, "type": "f32", "order": "ABCD", "range": [0, 100]}


def gas(gateway, point="lel"):
    reading = gateway.points()[f"gas.{point}"]
    return reading["quality"], reading["value"]


def more_readings(gateway, count):
    """So many more records: time as the daemon sees it."""
    head = lambda: gateway.status()["store"]["head"]["telemetry"]  # noqa: E731
    goal = head() + count
    wait_for(lambda: head() >= goal, what=f"{count} more records")


def told(gateway):
    return [(r["event"], r["level"]) for _, r in gateway.records("alarm") if r["rule"] == "lel-high"]


# Where the state is, and how it comes to be read: with the value; a request for each register; in another space; through a
# gap that the device refuses, so that the request is divided.
LAYOUTS = {
    "together": ("holding", 6, {}, True, "tcp"),
    "together-rtu": ("holding", 6, {}, True, "rtu"),
    "singles": ("holding", 6, {"max_registers": 1, "timeout": "300ms"}, True, "tcp"),
    "other-space": ("input", 6, {}, True, "rtu_over_tcp"),
    "divided": ("holding", 40, {"max_gap": 2}, False, "tcp"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_value_forced_to_zero_is_none(plant, daemon, tmp_path, layout):
    space, address, habits, fill, kind = LAYOUTS[layout]
    world, gateway = station(plant, daemon, [{"holding": 2, "type": "f32", "value": 60}, {space: address, "value": NORMAL}],
                             {"points": [LEL], "status": {space: address, "is": STATES, "otherwise": "sensor"}, **habits},
                             kind=kind, line=tmp_path / "line", fill=fill)
    put = lambda *what: world.control.set("shop", 1, *what)  # noqa: E731
    wait_for(lambda: [a["level"] for a in gateway.alarms()] == ["red"], what="red")

    # The state first, then the value, and back the other way round: at no time a zero in the normal state.
    for state in (INHIBIT, WARM_UP):
        put(space, address, state)
        wait_for(lambda: gas(gateway) == ("inhibited", None), what="inhibited")
        put("holding", 2, 0)
        more_readings(gateway, 20)
        assert gas(gateway) == ("inhibited", None)
        assert [a["level"] for a in gateway.alarms()] == ["red"]
        assert gateway.ask("risk")["level"] == "red"
        put("holding", 2, 60)
        more_readings(gateway, 2)
        put(space, address, NORMAL)
        wait_for(lambda: gas(gateway) == ("good", 60), what="good again")
    put(space, address, 99)
    wait_for(lambda: gas(gateway) == ("sensor", None), what="a state that is not named")
    put(space, address, NORMAL)
    if layout == "singles":  # probes ask one register at a time, and prove nothing about the value
        world.control.fault("shop", 1, "mute")
        wait_for(lambda: gateway.device("gas")["state"] == "suspended", what="the unit to be suspended")
        world.control.clear()
        wait_for(lambda: gas(gateway) == ("good", 60), what="good after its silence")
    put("holding", 2, 10)
    wait_for(lambda: gateway.alarms() == [], what="its own good reading to clear it")
    if layout == "divided":
        assert gateway.device("gas")["divided"] == 1
    gateway.stop()
    assert told(gateway) == [("raise", "red"), ("clear", "none")]
    readings = gateway.query("SELECT quality, value, count(*) FROM v_reading WHERE point = 'lel' GROUP BY 1, 2")
    assert {(q, v) for q, v, _ in readings} - {("comm", None), ("device", None)} == {
        ("good", 60.0), ("good", 10.0), ("inhibited", None), ("sensor", None)}
    assert sum(n for q, _, n in readings if q == "inhibited") >= 40
    assert layout in ("singles", "divided") or not [q for q, _, _ in readings if q in ("comm", "device")]


def test_a_state_that_cannot_be_read(plant, daemon):
    """The value answers, its state does not: nobody knows what it is worth."""
    _, gateway = station(plant, daemon, [{"holding": 2, "type": "f32", "value": 60}],
                         {"points": [LEL], "status": {"input": 6, "is": STATES}})
    wait_for(lambda: gas(gateway) == ("device", None), what="bad for the state's sake")
    more_readings(gateway, 10)
    device = gateway.device("gas")
    assert device["state"] == "online" and gateway.alarms() == []
    gateway.stop()
    assert gateway.query("SELECT DISTINCT quality, value FROM v_reading") == [("device", None)]


def test_fault_bits_and_their_order(plant, daemon):
    world, gateway = station(plant, daemon, [{"holding": 2, "type": "f32", "value": 60}, {"holding": 5}, {"holding": 6, "value": NORMAL}],
                             {"points": [LEL], "status": [{"holding": 5, "bits": {"6": "sensor", "4": "inhibited"}},
                                                          {"holding": 6, "is": STATES, "mask": 255}]}, fill=True)
    for bits, state, wanted in ((0, 1, ("good", 60)), (0x13, 1, ("inhibited", None)), (0x50, 1, ("sensor", None)), (0x40, 3, ("sensor", None)),
                                (0x80, 0x5501, ("good", 60)), (0x80, 0x5503, ("inhibited", None))):
        world.control.set("shop", 1, "holding", 5, bits)
        world.control.set("shop", 1, "holding", 6, state)
        wait_for(lambda w=wanted: gas(gateway) == w, what=f"{bits:#x} {state:#x}: {wanted}")
    gateway.stop()


def test_a_heart_that_stops(plant, daemon):
    """The bus is alive, the value looks live, and the device behind it has frozen: what stands stands, and the doubt is an alarm."""
    world, gateway = station(plant, daemon, [{"holding": 2, "type": "f32", "value": 60},
                                             {"holding": 7, "counter": {"step": 1, "every": "100ms", "wrap": 65536}}],
                             {"points": [LEL], "heartbeat": {"holding": 7, "within": "1s"}, "doubt": {"level": "orange", "after": "1s"}}, fill=True)
    active = lambda: sorted((a["rule"], a["level"]) for a in gateway.alarms())  # noqa: E731
    wait_for(lambda: active() == [("lel-high", "red")], what="red")
    more_readings(gateway, 30)
    world.control.set("shop", 1, "holding", 7, 7)
    wait_for(lambda: gas(gateway) == ("stale", None), what="stale")
    world.control.set("shop", 1, "holding", 2, 0)
    more_readings(gateway, 20)
    wait_for(lambda: active() == [("doubt", "orange"), ("lel-high", "red")], what="the doubt")
    assert gas(gateway) == ("stale", None)
    world.control.release("shop", 1, "holding", 2)
    world.control.release("shop", 1, "holding", 7)
    wait_for(lambda: gas(gateway) == ("good", 60) and active() == [("lel-high", "red")], what="good again")
    gateway.stop()
    doubts = [(r["event"], r["comment"]) for _, r in gateway.records("alarm") if r["rule"] == "doubt"]
    assert doubts[-2:] == [("raise", "stale"), ("clear", None)]
    qualities = [q for q, in gateway.query("SELECT quality FROM v_reading WHERE point = 'lel' ORDER BY seq")]
    assert qualities.count("stale") >= 20 and qualities[:30] == ["good"] * 30
    assert told(gateway) == [("raise", "red")]


def test_decimals_change_between_polls(plant, daemon):
    world, gateway = station(plant, daemon, [{"holding": 10, "value": 123}, {"holding": 12, "value": 1}, {"holding": 14, "type": "bytes8.8", "value": 20.9},
                                             {"holding": 15, "value": NORMAL}],
                             {"points": [{"name": "co", "holding": 10, "type": "u16", "decimals_from": {"holding": 12}},
                                         {"name": "o2", "holding": 14, "type": "bytes8.8"},
                                         {"name": "mode", "holding": 15, "type": "u16", "values": {"1": "normal", "2": "warm-up"}}]}, fill=True)
    for decimals, value in ((1, 12.3), (2, 1.23), (0, 123), (9, 1.23e-7), (3, 0.123)):
        world.control.set("shop", 1, "holding", 12, decimals)
        wait_for(lambda v=value: gas(gateway, "co") == ("good", v), what=f"{decimals} decimals")
    assert gas(gateway, "o2") == ("good", 20.9) and gas(gateway, "mode") == ("good", 1)
    world.control.set("shop", 1, "holding", 12, 10)
    world.control.set("shop", 1, "holding", 15, 5)
    wait_for(lambda: gas(gateway, "co") == ("sensor", None) and gas(gateway, "mode") == ("sensor", None), what="no decimals, no state")
    assert gas(gateway, "o2") == ("good", 20.9)
    gateway.stop()
    # Never the value of one poll with the decimals of another.
    stored = {v for v, in gateway.query("SELECT DISTINCT value FROM v_reading WHERE point = 'co' AND quality = 'good'")}
    assert stored == {12.3, 1.23, 123.0, 1.23e-7, 0.123}


def test_one_state_between_two_readings(plant, daemon):
    """Both requests read the state in their middle through registers that are not there. What is left of the second one needs no
    state of its own any more, so it is divided into one."""
    far = {"name": "far", "holding": 70, "type": "u16"}
    world, gateway = station(plant, daemon, [{"holding": 2, "type": "f32", "value": 60}, {"holding": 35, "value": NORMAL}, {"holding": 70, "value": 7}],
                             {"points": [LEL, far], "max_registers": 40, "status": {"holding": 35, "is": STATES}})
    wait_for(lambda: gas(gateway) == ("good", 60) and gas(gateway, "far") == ("good", 7), what="both readings")
    assert gateway.device("gas")["divided"] == 2
    world.control.set("shop", 1, "holding", 35, INHIBIT)
    wait_for(lambda: gas(gateway) == ("inhibited", None) and gas(gateway, "far") == ("inhibited", None), what="both inhibited")
    before = gateway.device("gas")["errors"]
    more_readings(gateway, 10)
    assert gateway.device("gas")["errors"] == before
    gateway.stop()
    assert "read in 1 smaller request from now on" in gateway.child.output()
