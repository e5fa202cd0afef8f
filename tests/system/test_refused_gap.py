"""A device without the unused registers between two of its points refuses a request that reads through them: it is then read around
them, and no reading is lost for it; a point that it really lacks stays bad by itself."""

import pytest

from conftest import wait_for


@pytest.mark.parametrize("kind", ["tcp", "rtu", "rtu_over_tcp"])
def test_registers_that_are_not_there_between_points(plant, daemon, tmp_path, kind):
    registers = [{"holding": n, "value": 100 + n} for n in (0, 1, 4, 5, 9, 40)]
    where = {"rtu": str(tmp_path / "line")} if kind == "rtu" else {kind: "127.0.0.1:0"}
    world = plant({"history": 2000, "listeners": [{"name": "line", **where, "units": [{"id": 1, "registers": registers}]}]})
    place = {"rtu": world.ports["line"], "baud": 115200} if kind == "rtu" else {kind: f"127.0.0.1:{world.ports['line']}"}
    points = [{"name": f"r{n}", "holding": n, "type": "u16"} for n in (0, 1, 4, 5, 9, 40, 45)]
    # A time-out that no machine is late for: what is judged here are refusals, by their counts.
    gateway = daemon({"buses": [{"name": "line", "timeout": "10s", **place}],
                      "devices": [{"name": "d", "bus": "line", "unit": 1, "poll": "100ms", "max_gap": 8, "points": points}]})

    def values():
        return {name: (p["value"], p["quality"]) for name, p in gateway.points().items()}

    wanted = {f"d.r{n}": (100 + n, "good") for n in (0, 1, 4, 5, 9, 40)}
    wanted["d.r45"] = (None, "device")
    wait_for(lambda: values() == wanted, what="all that is there")
    state = gateway.device("d")
    assert state["state"] == "online" and state["divided"] == 2
    # From then on nothing that is not there is asked for but the missing point.
    before = gateway.device("d")
    wait_for(lambda: gateway.device("d")["ok"] >= before["ok"] + 40, what="ten more polls")
    after = gateway.device("d")
    assert after["divided"] == 2
    assert after["errors"] - before["errors"] <= (after["ok"] - before["ok"]) / 4 + 1  # r45 once in each poll of five requests
    gateway.stop()
    # Told once each, and no reading of a register that is there was ever bad.
    assert gateway.child.output().count("refuses holding") == 2
    assert gateway.query("SELECT DISTINCT point FROM v_reading WHERE quality != 'good'") == [("r45",)]
