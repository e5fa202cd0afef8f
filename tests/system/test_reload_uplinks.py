"""Platforms over reloads, by real brokers: an uplink that did not change keeps its connection, and nothing is lost or comes twice without
need, with devices that come and go before those its filter names, in an outage, while it is back-filled, while a disk refuses."""

import json
import resource

from conftest import wait_for
from evidence import LONG, Listener, head, judge, site_of, uplink, world_of
from test_two_platforms import assert_has, await_records, meant


def reload(gateway, **changes):
    before = gateway.status()["config"]["sha256"]
    gateway.config.update(changes)
    gateway.reload()
    wait_for(lambda: gateway.status()["config"]["sha256"] != before, what="the reload")


def uplinks(gateway):
    return {u["name"]: u for u in gateway.status()["uplinks"]}


def test_complete_over_reloads(plant, make_broker, daemon, platform, relay):
    brokers = [make_broker(), make_broker()]
    link = relay(brokers[0].port)
    world = plant(world_of(buses=2, units=3, period="1500ms"))
    county, city = (platform(b, "--require-complete") for b in brokers)
    some = ["d-1-1", "d-1-2"]
    gateway = daemon(site_of(world, [uplink(link.port, backfill={"rate": "60/s"}),
                                     uplink(brokers[1].port, "city", telemetry={"devices": some})], units=2))
    wait_for(lambda: all(u["connected"] for u in uplinks(gateway).values()), what="both connections")
    devices = list(gateway.config["devices"])
    added = [{**devices[0], "name": f"new-{number}", "unit": 3} for number in range(2)]

    def step(number):
        """Devices come and go in front of the others, and limits change."""
        rules = json.loads(json.dumps(gateway.config["rules"]))
        rules[0]["above"] = {"yellow": 20, "red": 50 + number}
        reload(gateway, devices=added[:number % 2] + devices, rules=rules)

    for number in range(1, 4):
        step(number)
    link.cut()
    wait_for(lambda: not uplinks(gateway)["county"]["connected"], what="the outage")
    before = head(gateway, "telemetry")
    for number in range(4, 8):
        step(number)
        wait_for(lambda b=before, n=number: head(gateway, "telemetry") > b + 250 * (n - 3), LONG, "frames of the outage")
    link.mend()
    wait_for(lambda: uplinks(gateway)["county"]["connected"], LONG, "the connection")
    resent = uplinks(gateway)["county"]["resent"]
    for number in range(8, 11):
        assert uplinks(gateway)["county"]["pending"]["telemetry"] > 200, "it is back-filled"
        step(number)
    now = uplinks(gateway)
    assert (now["county"]["connects"], now["city"]["connects"]) == (2, 1)
    assert now["county"]["resent"] == resent and now["city"]["resent"] == 0
    gateway.config["uplinks"][0]["backfill"]["rate"] = "unlimited"  # what was to be seen of it has been seen
    reload(gateway)
    await_records(city, meant(gateway, "none", some))
    judge(gateway, county)
    wanted = meant(gateway, "none", some)
    await_records(city, {stream: wanted[stream] for stream in ("alarm", "event")})
    assert_has(city, wanted)


def test_alarms_while_a_disk_refuses(plant, broker, daemon, platform):
    """What cannot be stored goes out at once, before, at and after a reload, and comes as a record once the disk takes it."""
    world = plant(world_of(buses=1, units=3))
    watcher = platform(broker, "--require-complete")
    gateway = daemon(site_of(world, [uplink(broker.port)], units=3, swings=False), run=False)
    gateway.start(restore_signals=False)  # Python ignores SIGXFSZ; so does the child then
    with Listener(broker.port) as seen:
        def await_unstored(point):
            seen.wait(lambda all: any(m.kind == "alarm" and m.json.get("stored") is False and
                                      any(r["point"] == point for r in m.json["records"]) for m in all), point)

        wait_for(lambda: len(watcher.records("telemetry")) > 20, what="telemetry")
        resource.prlimit(gateway.child.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        wait_for(lambda: not gateway.status()["store"]["ok"], what="the refusal noticed")
        world.control.set("bus-0", 1, "holding", 0, 60)
        await_unstored("d-0-1.gas")
        world.control.set("bus-0", 2, "holding", 0, 15)  # an alarm by the next limits only
        rules = [{**gateway.config["rules"][0], "above": {"yellow": 10, "red": 50}}]
        reload(gateway, rules=rules)
        await_unstored("d-0-2.gas")
        world.control.set("bus-0", 3, "holding", 0, 60)
        await_unstored("d-0-3.gas")
        assert uplinks(gateway)["county"]["connects"] == 1
        resource.prlimit(gateway.child.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        wait_for(lambda: gateway.status()["store"]["ok"], LONG, "the disk")
        wait_for(lambda: head(gateway, "alarm") >= 3, LONG, "the records")
        raised = [json.loads(t)["point"] for t in watcher.records("alarm").values()]
        wait_for(lambda: len(watcher.records("alarm")) >= 3, LONG, f"the records at the platform, {raised}")
        told = [r for m in seen.of("alarm") if m.json.get("stored") is False for r in m.json["records"]]
        assert len(told) == 3, "an alarm that was told is told again"
    judge(gateway, watcher)
