"""Conversions and derived points, from the register to the alarm: what is stored is what was worked out, doubt goes through, and no
restart or reload makes an increase out of nothing."""

import pytest

from conftest import wait_for

POLL = {"poll": "50ms", "offline": {"after": "1h"}}


def line(world):
    return [{"name": "line", "tcp": f"127.0.0.1:{world.ports['line']}", "timeout": "100ms"}]


def point(name, address, **more):
    return {"name": name, "holding": address, "type": "f32", "order": "ABCD", **more}


def quality(gateway, name):
    return gateway.points()[name]["quality"]


def told(gateway):
    """[(event, level, value)] of all alarm records."""
    return [(r["event"], r["level"], r["value"]) for _, r in gateway.records("alarm")]


@pytest.fixture
def water(plant, daemon, broker):
    """Cooling water in and out, and its loss: yellow from 2, red from 5. The platform gets the derived group only."""
    world = plant({"listeners": [{"name": "line", "tcp": "127.0.0.1:0", "units": [
        {"id": 1, "count": 2, "registers": [{"holding": 0, "type": "f32", "value": 10}]}]}]})
    gateway = daemon({
        "uplinks": [{"name": "county", "url": broker.url, "telemetry": {"devices": ["water"]}}],
        "buses": line(world),
        "areas": [{"name": "plant"}, {"name": "furnace", "parent": "plant"}],
        "devices": [{"name": "inlet", "bus": "line", "unit": 1, "points": [point("flow", 0, unit="m³/h")], **POLL},
                    {"name": "outlet", "bus": "line", "unit": 2, "points": [point("flow", 0, unit="m³/h")], **POLL}],
        "derived": [{"name": "water", "label": "冷却水", "area": "furnace", "points": [
            {"name": "loss", "difference": ["inlet.flow", "outlet.flow"], "unit": "m³/h", "label": "漏失"}]}],
        "rules": [{"name": "leak", "points": "water.loss", "above": {"yellow": 2, "red": 5}, "message": "冷却水漏失"}],
    }, run=False)
    return world, gateway


def test_the_difference_of_two_flows(water, platform, broker):
    world, gateway = water
    county = platform(broker)
    gateway.start()
    wait_for(lambda: quality(gateway, "water.loss") == "good", what="the difference")
    assert gateway.points()["water.loss"]["value"] == 0
    assert gateway.points()["water.loss"]["unit"] == "m³/h" and gateway.points()["water.loss"]["label"] == "漏失"
    assert [d["name"] for d in gateway.status()["devices"]] == ["inlet", "outlet"], "nobody is asked for what is worked out"

    world.control.set("line", 2, "holding", 0, 3.5)
    wait_for(lambda: [a["level"] for a in gateway.alarms()] == ["red"], what="the leak")
    assert gateway.alarms()[0]["point"] == "water.loss" and gateway.alarms()[0]["area"] == "furnace"
    assert gateway.ask("risk")["areas"]["plant"]["level"] == "red"

    # The outlet falls silent, and nobody can know that the leak is over.
    world.control.fault("line", 2, "mute")
    world.control.set("line", 2, "holding", 0, 10)
    wait_for(lambda: quality(gateway, "water.loss") == "comm", what="doubt")
    assert gateway.points()["water.loss"]["value"] is None
    # The inlet goes on; each of its readings gives another bad difference, and none of them lets the alarm go.
    count = lambda: gateway.query("SELECT count(*) FROM v_reading WHERE device = 'water' AND quality = 'comm'")[0][0]  # noqa: E731
    goal = count() + 10
    wait_for(lambda: count() >= goal, what="more of it")
    assert [a["level"] for a in gateway.alarms()] == ["red"]

    world.control.clear()
    wait_for(lambda: gateway.alarms() == [], what="the end of the leak")
    gateway.stop()
    assert told(gateway) == [("raise", "red", 6.5), ("clear", "none", 0)]
    cleared = gateway.records("alarm")[-1][1]["ts"]
    assert (cleared, "good", 0) in gateway.query("SELECT ts, quality, value FROM v_reading WHERE device = 'water'")

    # Every reading of a flow led to one of the difference, of the same moment.
    flows = gateway.query("SELECT ts FROM v_reading WHERE point = 'flow' ORDER BY seq")
    assert flows == gateway.query("SELECT ts FROM v_reading WHERE point = 'loss' ORDER BY seq")
    sent = wait_for(lambda: county.records("telemetry"), what="telemetry at the platform")
    assert all('"device":"water"' in text for text in sent.values()), "the filter knows the group"
    county.finish()


def test_a_counter_over_its_end_a_reload_and_a_restart(plant, daemon):
    world = plant({"listeners": [{"name": "line", "tcp": "127.0.0.1:0", "units": [
        {"id": 1, "registers": [{"holding": 0, "value": 65500}]}]}]})
    gateway = daemon({
        "buses": line(world),
        "devices": [{"name": "gauge", "bus": "line", "unit": 1, "points": [{"name": "tips", "holding": 0, "type": "u16"}], **POLL}],
        "derived": [{"name": "rain", "points": [
            {"name": "mm", "increase": {"of": "gauge.tips", "wrap": 65536}, "scale": 0.2, "unit": "mm"}]}],
    })

    def readings():
        return gateway.query("SELECT quality, value FROM v_reading WHERE device = 'rain' ORDER BY seq")

    def fallen():
        return round(sum(value for quality, value in readings() if quality == "good"), 6)

    def rain(tips, total):
        world.control.set("line", 1, "holding", 0, tips)
        wait_for(lambda: fallen() == total, what=f"{total} mm")

    wait_for(lambda: ("good", 0) in readings(), what="the second reading")
    assert readings()[0] == ("stale", None), "nobody saw the counter before"
    rain(65530, 6)
    rain(4, 8)  # 10 tips over the end
    gateway.config["derived"][0]["label"] = "雨量"
    gateway.reload()
    rain(14, 10)
    wait_for(lambda: any(r.get("kind") == "config" for _, r in gateway.records("event")), what="the reload")
    world.control.fault("line", 1, "mute")
    wait_for(lambda: quality(gateway, "rain.mm") == "comm", what="doubt")
    world.control.set("line", 1, "holding", 0, 24)
    world.control.clear("line", 1)
    wait_for(lambda: fallen() == 12, what="what fell meanwhile")
    gateway.stop()
    before = len(readings())

    world.control.set("line", 1, "holding", 0, 500)
    gateway.start()
    wait_for(lambda: len(readings()) > before + 3, what="readings after the restart")
    gateway.stop()
    assert readings()[before] == ("stale", None)
    assert fallen() == 12, "what was counted while nobody looked belongs to no reading"


def test_a_vibrating_wire_gauge_with_a_barometer(plant, daemon):
    """2828 Hz are 7997.584 digits; the thermistor's 3000 ohms 24.992 degrees (Geokon's constants); the barometer in hPa."""
    world = plant({"listeners": [{"name": "line", "tcp": "127.0.0.1:0", "units": [
        {"id": 1, "registers": [{"holding": 0, "type": "f32", "value": 2828}, {"holding": 2, "type": "f32", "value": 3000}]},
        {"id": 2, "registers": [{"holding": 0, "value": 1003}]}]}]})
    gateway = daemon({
        "buses": line(world),
        "devices": [
            {"name": "dam", "bus": "line", "unit": 1, **POLL, "points": [
                point("pressure", 0, unit="kPa", range=[-50, 700], convert={"vibrating_wire": {
                    "input": "hertz", "zero": 8981, "factor": 0.12, "sign": "zero - reading",
                    "temperature": {"of": "t", "zero": 20, "factor": -0.05},
                    "barometer": {"of": "baro.hpa", "times": 0.1, "zero": 101.3}}}),
                point("t", 2, unit="°C", convert={"thermistor": {"a": 1.4051e-3, "b": 2.369e-4, "c": 1.019e-7}})]},
            {"name": "baro", "bus": "line", "unit": 2, **POLL, "points": [{"name": "hpa", "holding": 0, "type": "u16"}]}],
    })
    celsius = 24.9920423426492
    wanted = 0.12 * (8981 - 7997.584) - 0.05 * (celsius - 20) - (100.3 - 101.3)
    wait_for(lambda: quality(gateway, "dam.pressure") == "good", what="a pressure")
    assert gateway.points()["dam.pressure"]["value"] == pytest.approx(wanted, abs=1e-9)
    assert gateway.points()["dam.t"]["value"] == pytest.approx(celsius, abs=1e-9)

    world.control.fault("line", 2, "mute")
    wait_for(lambda: quality(gateway, "dam.pressure") == "comm", what="doubt about the barometer")
    assert quality(gateway, "dam.t") == "good"
    world.control.clear()
    wait_for(lambda: quality(gateway, "dam.pressure") == "good", what="the barometer")
    world.control.set("line", 1, "holding", 0, 0)  # the wire does not vibrate
    wait_for(lambda: quality(gateway, "dam.pressure") == "range", what="a broken wire")
    world.control.release("line", 1, "holding", 0)
    world.control.set("line", 1, "holding", 2, 0)  # a short circuit
    wait_for(lambda: quality(gateway, "dam.t") == "range" and quality(gateway, "dam.pressure") == "range", what="a short circuit")
    gateway.stop()
    stored = gateway.query("SELECT DISTINCT value FROM v_reading WHERE point = 'pressure' AND quality = 'good'")
    assert [value for value, in stored] == [pytest.approx(wanted, abs=1e-9)], "what is stored is what was worked out"
