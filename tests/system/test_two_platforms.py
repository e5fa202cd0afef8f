"""Two platforms with different rights at once: the county gets all, the province alarms from orange on and no telemetry. Each is complete
by itself, by `prev` alone: over an outage, kills, and after its filter was widened. And a disk that refuses: alarms go out at once."""

import json
import resource
import signal

import pytest

from conftest import wait_for
from evidence import LONG, Listener, assert_store_is_sound, head, judge, rows, site_of, uplink, world_of

LEVELS = ("none", "blue", "yellow", "orange", "red")


def meant(gateway, level="none", devices=None):
    """{stream: {seq: text}} of what is meant for an uplink; devices None: no telemetry."""
    found = {stream: rows(gateway, stream) for stream in ("alarm", "telemetry", "event", "report")}
    least = LEVELS.index(level)
    found["alarm"] = {seq: text for seq, text in found["alarm"].items()
                      if max(LEVELS.index(json.loads(text)[key]) for key in ("level", "was")) >= least}
    found["telemetry"] = {seq: text for seq, text in found["telemetry"].items()
                          if json.loads(text)["device"] in (devices or ())}
    return found


def assert_has(watcher, wanted):
    """The platform has exactly these records, byte for byte, and by the `prev` of each message nothing is missing. Of the telemetry a
    stop does not wait for the last."""
    for stream, texts in wanted.items():
        got = watcher.records(stream)
        if stream == "telemetry" and got:
            texts = {seq: text for seq, text in texts.items() if seq <= max(got)}
        assert got == texts, (stream, sorted(set(texts) ^ set(got))[:10])
    report = watcher.finish()
    assert report["breach_count"] == 0, report["breaches"]
    for stream, state in report["gateways"][0]["streams"].items():
        assert state["missing_prev"] == 0, (stream, state)


def await_records(watcher, wanted, timeout=LONG):
    for stream, texts in wanted.items():
        wait_for(lambda s=stream, t=texts: set(t) <= set(watcher.records(s)), timeout, f"{stream} at the platform")


def province(port, **options):
    return uplink(port, "province", **{"alarms": {"from": "orange"}, "telemetry": {"send": False}, **options})


def test_each_is_complete_by_itself(plant, make_broker, daemon, platform, relay):
    brokers = [make_broker(), make_broker()]
    link = relay(brokers[1].port)
    world = plant(world_of(buses=2, units=2, period="1500ms"))
    county, above = (platform(b, "--require-complete") for b in brokers)
    gateway = daemon(site_of(world, [uplink(brokers[0].port), province(link.port)], units=2))
    wait_for(lambda: len(above.records("alarm")) > 5, what="alarms at the province")

    for turn in range(3):
        link.cut()
        before = head(gateway, "alarm")
        wait_for(lambda b=before: head(gateway, "alarm") > b + 30, LONG, "alarms of the outage")
        link.mend()
        if turn == 1:
            gateway.kill()
            gateway.start()
        wait_for(lambda: all(u["connected"] for u in gateway.status()["uplinks"]), LONG, "both connections")
    gateway.kill()
    gateway.start()
    wait_for(lambda: all(u["connected"] for u in gateway.status()["uplinks"]), LONG, "both connections")
    judge(gateway, county)

    wanted = meant(gateway, "orange")
    assert 10 < len(wanted["alarm"]) < head(gateway, "alarm")
    await_records(above, wanted)
    assert_has(above, wanted)
    assert gateway.query("SELECT stream, pending FROM v_uplink WHERE uplink = 'province' AND pending > 0") == []


@pytest.mark.parametrize("how", ["reload", "restart"])
def test_a_filter_that_is_widened_owes_what_it_held_back(plant, broker, daemon, platform, how):
    """From then on more is meant for the platform, also of what was before: it gets that, and is complete again."""
    world = plant(world_of(buses=1, units=3, period="1500ms"))
    above = platform(broker, "--require-complete")
    gateway = daemon(site_of(world, [province(broker.port, telemetry={"devices": ["d-0-1"]})], units=3))
    wait_for(lambda: len(above.records("alarm")) > 5 and len(above.records("telemetry")) > 50, what="records at the province")

    for options, level, devices in (
            ({"alarms": {"from": "yellow"}, "telemetry": {"devices": ["d-0-1", "d-0-3"]}}, "yellow", ["d-0-1", "d-0-3"]),
            ({"alarms": {"from": "blue"}, "telemetry": {"send": False}}, "none", None),
            ({"alarms": {"from": "blue"}}, "none", ["d-0-1", "d-0-2", "d-0-3"])):
        gateway.config["uplinks"] = [uplink(broker.port, "province", backfill={"rate": "unlimited"}, **options)]
        if how == "reload":
            before = len([r for _, r in gateway.records("event") if r["kind"] == "config"])
            gateway.reload()
            wait_for(lambda b=before: len([r for _, r in gateway.records("event") if r["kind"] == "config"]) > b, what="the reload")
        else:
            gateway.stop()
            gateway.write()
            gateway.start()
        count = head(gateway, "alarm")
        wait_for(lambda c=count: head(gateway, "alarm") > c + 10, LONG, "further alarms")
        await_records(above, meant(gateway, level, devices))
    gateway.stop()
    wanted = meant(gateway, "none", ["d-0-1", "d-0-2", "d-0-3"])
    await_records(above, {stream: wanted[stream] for stream in ("alarm", "event")})
    assert_has(above, wanted)


def test_a_disk_that_refuses(plant, broker, daemon, platform):
    """No file may grow any more: alarms go out at once, marked; all comes again, numbered, once the disk takes it."""
    world = plant(world_of(buses=2, units=2))
    watcher = platform(broker, "--require-complete")
    gateway = daemon(site_of(world, [uplink(broker.port)], units=2, swings=False), run=False)
    gateway.start(restore_signals=False)  # Python ignores SIGXFSZ; so does the child then
    with Listener(broker.port) as seen:
        wait_for(lambda: len(watcher.records("telemetry")) > 20, what="telemetry")
        resource.prlimit(gateway.child.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        wait_for(lambda: not gateway.status()["store"]["ok"], what="the refusal noticed")
        world.control.set("bus-0", 1, "holding", 0, 60)
        seen.wait(lambda all: any(m.kind == "alarm" and m.json.get("stored") is False for m in all), "the alarm, not stored")
        message = next(m for m in seen.of("alarm") if m.json.get("stored") is False)
        assert message.json["first"] is None and message.json["last"] is None and message.json["prev"] is None
        record = message.json["records"][0]
        assert "seq" not in record and "hash" not in record and record["event"] == "raise" and record["level"] == "red"
        seen.wait(lambda all: [m.json["level"] for m in all if m.kind == "risk"][-1:] == ["red"], "the risk")
        assert gateway.status()["level"] == "red" and gateway.alarms()[0]["alarm"] == record["alarm"]
        before = gateway.status()["store"]["head"]
        answered = sum(d["ok"] for d in gateway.status()["devices"])
        wait_for(lambda: sum(d["ok"] for d in gateway.status()["devices"]) > answered + 20, what="further polls")
        assert gateway.status()["store"]["head"] == before

        resource.prlimit(gateway.child.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        wait_for(lambda: gateway.status()["store"]["ok"], what="the store working again")
        wait_for(lambda: any(json.loads(t)["alarm"] == record["alarm"] for t in watcher.records("alarm").values()), what="the proper record")
        proper = [json.loads(t) for t in watcher.records("alarm").values()]
        assert [{k: v for k, v in r.items() if k not in ("seq", "hash")} for r in proper if r["alarm"] == record["alarm"]] == [record]
        assert gateway.status()["store"]["lost"] == 0
        judge(gateway, watcher)


def test_a_file_size_limit_does_not_kill(plant, broker, daemon):
    """Writing past a limit on the size of files is an error like a full disk, not the end of the daemon."""
    world = plant(world_of(buses=1, units=1))
    gateway = daemon(site_of(world, [uplink(broker.port)], units=1, swings=False))
    resource.prlimit(gateway.child.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))

    def noticed():
        answer = gateway.ctl("status", "--json", check=False)
        return not gateway.child.running or (answer.returncode == 0 and not json.loads(answer.stdout)["store"]["ok"])

    wait_for(noticed, what="the refusal noticed")
    assert gateway.child.running, signal.Signals(-gateway.child.wait()).name
    resource.prlimit(gateway.child.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    wait_for(lambda: gateway.status()["store"]["ok"], what="the store working again")
    gateway.stop()
    assert_store_is_sound(gateway)
