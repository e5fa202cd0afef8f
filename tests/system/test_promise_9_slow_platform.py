"""Promise 9, and 5: a platform that takes a hundredth of what comes costs no memory, and the other platform nothing."""

from conftest import wait_for
from evidence import LONG, assert_lives, assert_store_is_sound, head, resident, site_of, uplink, world_of
from test_promise_9_bounded import GROWTH, LITTLE_QUARANTINE, sanitized
from torture import SickLink

WARM, MORE = 10000, 10000  # records


def test_a_platform_that_is_slow(plant, make_broker, daemon, platform):
    brokers = [make_broker(), make_broker()]
    link = SickLink(brokers[0].port)
    world = plant(world_of(buses=4, units=4, period="1s"))
    slow, other = platform(brokers[0]), platform(brokers[1], "--require-complete")
    gateway = daemon(site_of(world, [uplink(link.port, backfill={"rate": "unlimited"}), uplink(brokers[1].port, "city")], poll="10ms"), run=False)
    gateway.config["store"]["retention"] = {"max_size": "3MiB"}  # pages of the store are cached: few are filled sooner
    gateway.write()
    gateway.start(env=LITTLE_QUARANTINE)
    try:
        wait_for(lambda: slow.records("telemetry"), what="telemetry at the slow platform")
        link.set("slow", 20000)
        wait_for(lambda: head(gateway, "telemetry") > WARM, LONG, "records")
        before = resident(gateway.child.pid)
        wait_for(lambda: head(gateway, "telemetry") > WARM + MORE, LONG, "further records")
        grown = resident(gateway.child.pid) - before
        print(f"grown by {grown >> 10} KiB")
        assert grown < GROWTH * (4 if sanitized(gateway.child.pid) else 1), f"{grown >> 10} KiB more"
        state = {u["name"]: u for u in gateway.status()["uplinks"]}
        assert state["county"]["pending"]["telemetry"] > 500, "the platform was not slow"
        # An alarm still finds its way through what waits, and the other platform has it as always.
        world.control.set("bus-3", 4, "holding", 0, 60)
        alarm = wait_for(lambda: [a["alarm"] for a in gateway.alarms() if a["point"] == "d-3-4.gas"], what="the alarm")[0]
        for watcher in (other, slow):
            wait_for(lambda w=watcher: any(alarm in text for text in w.records("alarm").values()), LONG, "the alarm at the platforms")
        goal = head(gateway, "telemetry")
        wait_for(lambda: max(other.records("telemetry")) >= goal, LONG, "the other platform's telemetry")
        link.set("pass")
        gateway.stop()
    finally:
        link.close()
    assert other.finish()["breach_count"] == 0
    assert slow.finish()["breach_count"] == 0
    assert_lives({seq: text for seq, text in gateway.query("SELECT seq, body FROM alarm ORDER BY seq")})


def test_nothing_is_missing_afterwards(plant, make_broker, daemon, platform):
    """The same without a bound on the store: slow for a while, then all arrives."""
    broker = make_broker()
    link = SickLink(broker.port)
    world = plant(world_of(buses=2, units=4, period="1s"))
    slow = platform(broker, "--require-complete")
    gateway = daemon(site_of(world, [uplink(link.port, backfill={"rate": "unlimited"})], poll="20ms"))
    try:
        link.set("slow", 8000)
        wait_for(lambda: gateway.status()["uplinks"][0]["pending"]["telemetry"] > 2500, LONG, "a backlog")
        link.set("pass")
        goal = head(gateway, "telemetry")
        wait_for(lambda: set(range(1, goal + 1)) <= set(slow.records("telemetry")), LONG, "all of it")
        gateway.stop()
    finally:
        link.close()
    stored = assert_store_is_sound(gateway)
    for stream in ("alarm", "event"):
        wait_for(lambda s=stream: len(slow.records(s)) >= len(stored[s]), what=f"the last of {stream}")
    report = slow.finish()
    assert report["breach_count"] == 0, report["breaches"]
