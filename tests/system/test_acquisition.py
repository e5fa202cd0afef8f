"""What the configuration says of how a device is asked and what its readings are worth, carried out by the whole program: status,
heartbeat, decimals, enumeration, the device's word order, the trigger, and a reload that changes what a state means."""

from conftest import wait_for

UNIT = 7
POLL_MS = 200


def world_of_one(plant):
    registers = [  # near enough to be read in one request: what decides on a value comes with it
        {"holding": 0, "type": "f32", "order": "CDAB", "value": 12.5},
        {"holding": 2, "value": 209}, {"holding": 3, "raw": 0x0105},  # one decimal, in the high byte
        {"holding": 5, "value": 0},                                   # bits
        {"holding": 6, "value": 1},                                   # state
        {"holding": 7, "counter": {"start": 0, "step": 1, "every": "100ms", "wrap": 65536}},
        {"holding": 0x118, "value": 0, "writable": True},
    ]
    return plant({"history": 4000, "listeners": [{"name": "line", "rtu_over_tcp": "127.0.0.1:0",
                                                  "units": [{"id": UNIT, "fill": True, "registers": registers}]}]})


def site_of_one(world):
    return {
        "buses": [{"name": "line", "rtu_over_tcp": f"127.0.0.1:{world.ports['line']}", "timeout": "1s"}],
        "devices": [{
            "name": "gas", "bus": "line", "unit": UNIT, "poll": f"{POLL_MS}ms", "order": "CDAB",
            "status": [{"holding": 5, "bits": {"6": "sensor"}},
                       {"holding": 6, "is": {"1": "good", "2": "inhibited"}, "otherwise": "device"}],
            "heartbeat": {"holding": 7, "within": "2s"},
            "trigger": {"holding": 0x118, "value": 3, "wait": "20ms"},
            "points": [{"name": "lel", "holding": 0, "type": "f32", "unit": "%LEL"},
                       {"name": "o2", "holding": 2, "type": "u16", "decimals_from": {"holding": 3, "mask": 0xFF00}},
                       {"name": "mode", "holding": 6, "type": "u16", "values": {"1": "normal", "2": "预热"}}]}],
    }


def test_what_a_device_says_of_itself(plant, daemon):
    world = world_of_one(plant)
    gateway = daemon(site_of_one(world))
    good = {"gas.lel": 12.5, "gas.o2": 20.9, "gas.mode": 1}

    def readings():
        return {name: p["value"] for name, p in gateway.points().items()}

    def qualities():
        return {p["quality"] for p in gateway.points().values()}

    wait_for(lambda: readings() == good, what="readings by the device's order and decimals")
    assert gateway.points()["gas.mode"]["text"] == "normal"
    assert "1 normal" in gateway.ctl("points").stdout

    # A state, then a bit, then both: the first that is bad names it, and what was forced to 0 meanwhile is no reading.
    world.control.set("line", UNIT, "holding", 6, 2)
    world.control.set("line", UNIT, "holding", 0, 0)
    wait_for(lambda: qualities() == {"inhibited"} and set(readings().values()) == {None}, what="inhibited")
    world.control.set("line", UNIT, "holding", 5, 0x40)
    wait_for(lambda: qualities() == {"sensor"}, what="the fault bit")
    world.control.set("line", UNIT, "holding", 5, 0)
    world.control.set("line", UNIT, "holding", 6, 9)
    wait_for(lambda: qualities() == {"device"}, what="a state that is not named")

    # The same state means another thing after a reload; the device is told as changed.
    gateway.config["devices"][0]["status"][1]["is"]["9"] = "range"
    gateway.reload()
    wait_for(lambda: qualities() == {"range"}, what="the state's new meaning")
    world.control.release("line", UNIT, "holding", 0)  # first: a 0 must never meet a state that is good
    world.control.release("line", UNIT, "holding", 6)
    wait_for(lambda: readings() == good, what="good again")

    # Alive on the bus and frozen: stale.
    world.control.set("line", UNIT, "holding", 7, 5)
    wait_for(lambda: qualities() == {"stale"}, what="the heartbeat missed")
    assert gateway.device("gas")["state"] == "online"
    world.control.release("line", UNIT, "holding", 7)
    wait_for(lambda: readings() == good, what="good again")
    gateway.stop()

    told = [c for _, e in gateway.records("event") if e["kind"] == "config" for c in e.get("changes", [])]
    assert any(c["what"] == "device.gas.status.1.is.9" and c["new"] == "range" for c in told), told
    # Nothing of what was forced to 0 during inhibit was ever recorded as a reading.
    assert gateway.query("SELECT DISTINCT value FROM v_reading WHERE point = 'lel' AND quality = 'good'") == [(12.5,)]

    # Each poll: written, then read, never sooner than the wait after it, which is counted in whole milliseconds. (A reload may fall
    # between the two.)
    history = world.control.history("line", UNIT)
    pairs = [(one, then) for one, then in zip(history, history[1:]) if one["function"] == 6 and then["function"] == 3]
    writes = [one for one in history if one["function"] == 6]
    assert all(one["address"] == 0x118 for one in writes) and len(writes) - 2 <= len(pairs) and len(pairs) > 10
    assert all(then["at_us"] - one["at_us"] > 19000 for one, then in pairs)
    first = next(at for at, request in enumerate(history) if request["function"] == 3 and request["address"] < 8)
    assert 6 in [request["function"] for request in history[:first]], "nothing was read before the first trigger"
