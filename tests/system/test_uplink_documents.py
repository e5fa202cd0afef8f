"""What a platform finds at the broker, judged by paho-mqtt, whom nobody here wrote: topics, QoS, retained documents, last will, boots."""

import itertools
import json

import pytest

from conftest import wait_for
from evidence import ROOT, Listener, await_arrival, site_of, uplink, world_of

CODE = "91350100M000100Y43"
DOCUMENTS = ("state", "about", "risk")

both = pytest.mark.parametrize("v311", [False, True], ids=["v5", "v311"])


def small_site(world, broker, **options):
    """Two devices; two areas, of which the lower one has all that an area may have."""
    site = site_of(world, [uplink(broker.port, **options)], units=2, swings=False)
    site["areas"] = [{"name": "plant", "label": "全厂"},
                     {"name": "hall", "label": "抛光车间", "parent": "plant", "tier": "workshop", "inherent": "orange",
                      "responsible": {"unit": "生产部", "person": "张三", "phone": "13800000000"}, "measure": "停机撤人"}]
    site["devices"][0]["label"] = "可燃气体探头"
    site["devices"][0]["points"] = [{"name": "gas", "holding": 0, "type": "u16", "scale": 0.1, "unit": "%LEL", "range": [0, 100]}]
    return site


def retained(port, v311, kinds=DOCUMENTS):
    """What somebody who comes now finds: {kind: message}, at least of those kinds. Who comes before a document is written gets it
    as news, not as retained: then another one comes."""

    def look():
        with Listener(port, v311=v311) as late:
            try:
                late.wait(lambda all: {m.kind for m in all if m.retain} >= set(kinds), "the retained documents", timeout=3)
            except AssertionError:
                return None
            return {m.kind: m for m in late.messages if m.retain}

    return wait_for(look, timeout=60, what="the retained documents")


def protocol(v311):
    return {"protocol": "3.1.1"} if v311 else {}


@both
def test_retained_documents(plant, broker, daemon, v311):
    world = plant(world_of(buses=1, units=2))
    gateway = daemon(small_site(world, broker, **protocol(v311)))
    world.control.set("bus-0", 1, "holding", 0, 60)
    wait_for(lambda: gateway.alarms() and gateway.status()["uplinks"][0]["connected"], what="the alarm")
    wait_for(lambda: retained(broker.port, v311)["risk"].json["level"] == "red", what="the risk at the broker")
    found = retained(broker.port, v311)
    assert set(found) == set(DOCUMENTS), "nothing else is retained"
    for message in found.values():
        assert message.qos == 1
        assert (message.json["v"], message.json["ent"], message.json["gw"]) == (1, CODE, "gw-01")

    status = gateway.status()
    state = found["state"].json
    assert state["online"] is True and state["boot"] == status["boot"] == 1
    assert state["version"] == status["version"] and state["config"] == status["config"]["sha256"]
    assert abs(state["ts"] - status["config"]["loaded_ts"]) < 600_000

    risk = found["risk"].json
    assert risk["areas"] == {"plant": {"level": "red", "inherent": "none", "alarms": 1},
                             "hall": {"level": "red", "inherent": "orange", "alarms": 1}}

    about = found["about"].json
    assert about["enterprise"]["code"] == CODE and about["enterprise"]["name"] == "测试企业"
    hall = next(a for a in about["areas"] if a["name"] == "hall")
    assert hall["label"] == "抛光车间" and hall["parent"] == "plant" and hall["inherent"] == "orange"
    assert hall["responsible"] == {"unit": "生产部", "person": "张三", "phone": "13800000000"} and hall["measure"] == "停机撤人"
    device = next(d for d in about["devices"] if d["name"] == "d-0-1")
    assert device["label"] == "可燃气体探头" and device["area"] == "hall"
    assert device["points"] == [{"name": "gas", "type": "u16", "unit": "%LEL", "range": [0, 100],
                                 "doubt": {"level": "yellow", "after_ms": 10000}}]
    rule = about["rules"][0]
    assert rule["name"] == "gas-high" and rule["above"] == {"yellow": 20, "red": 50}
    assert rule["points"] == ["d-0-1.gas", "d-0-2.gas"] and rule["message"] == "可燃气体浓度过高"
    gateway.stop()


@both
def test_every_message(plant, broker, daemon, v311):
    world = plant(world_of(buses=1, units=2))
    with Listener(broker.port, "#", v311=v311) as seen:
        gateway = daemon(small_site(world, broker, **protocol(v311)))
        for value in (30, 60, 0):
            world.control.set("bus-0", 1, "holding", 0, value)
            level = {30: "yellow", 60: "red", 0: "none"}[value]
            wait_for(lambda level=level: gateway.status()["level"] == level, what=level)
            seen.wait(lambda all, level=level: any(m.kind == f"{ROOT}/risk" and m.json["level"] == level for m in all),
                      "risk on every change")
        gateway.stop()
        seen.wait(lambda all: any(m.kind == f"{ROOT}/state" and not m.json["online"] for m in all), "the goodbye")
        kinds = {m.kind for m in seen.messages}
        assert kinds == {f"{ROOT}/{kind}" for kind in ("state", "about", "risk", "alarm", "telemetry", "event")}
        for message in seen.messages:
            assert message.qos == 1 and not message.retain, "live messages come without the retain flag"
            expiry = getattr(message.properties, "MessageExpiryInterval", None) if message.properties else None
            assert expiry is None, "a message that expires is lost in silence"
            assert (message.json["v"], message.json["ent"], message.json["gw"]) == (1, CODE, "gw-01")
            kind = message.kind.rpartition("/")[2]
            if kind in DOCUMENTS:
                assert message.json["ts"] if kind != "about" else message.json["rules"]
                continue
            assert message.json["stream"] == kind and message.json["backfill"] in (True, False)
            records = message.json["records"]
            assert records[0]["seq"] == message.json["first"] and records[-1]["seq"] == message.json["last"]
            assert all(("hash" in r) is (kind != "telemetry") for r in records)
        alarms = list(itertools.chain.from_iterable(m.json["records"] for m in seen.messages if m.kind == f"{ROOT}/alarm"))
        assert [r["event"] for r in alarms] == ["raise", "escalate", "clear"]
        assert [(r["level"], r["was"], r["value"], r["limit"]) for r in alarms] == [
            ("yellow", "none", 30, 20), ("red", "yellow", 60, 50), ("none", "red", 0, 50)]
        for record in alarms:
            assert set(record) - {"clock", "first_out"} == {"seq", "ts", "alarm", "event", "level", "was", "acked", "shelved", "rule", "point", "area",
                                               "value", "limit", "unit", "label", "message", "by", "comment", "hash"}
            assert list(record)[-1] == "hash"
        # The last things said, in this order: the event that it stops, then that it is offline.
        last = [m for m in seen.messages if m.kind in (f"{ROOT}/state", f"{ROOT}/event")][-2:]
        assert last[0].json["records"][-1]["kind"] == "stop" and last[1].json["online"] is False


@both
def test_last_will_and_boots(plant, broker, daemon, v311):
    world = plant(world_of(buses=1, units=2))
    with Listener(broker.port, v311=v311) as seen:
        gateway = daemon(small_site(world, broker, **protocol(v311)))
        for boot in (1, 2, 3):
            seen.wait(lambda all, b=boot: any(m.kind == "state" and m.json["online"] and m.json["boot"] == b for m in all), f"boot {boot}")
            wait_for(lambda b=boot: b in [r["boot"] for _, r in gateway.records("event") if r["kind"] == "start"], what="its record")
            since = seen.count()
            gateway.kill()
            seen.wait(lambda all, s=since: any(m.kind == "state" and not m.json["online"] for m in all[s:]), "the last will")
            will = [m for m in seen.messages[since:] if m.kind == "state"][-1]
            assert will.json["online"] is False and will.json["boot"] == boot and will.qos == 1
            # Of the others nothing is said: it may have been killed before it had sent them.
            assert retained(broker.port, v311, ["state"])["state"].json == will.json, "the will is retained"
            gateway.start()

        def starts():
            return [(r["boot"], r["clean"]) for _, r in gateway.records("event") if r["kind"] == "start"]

        wait_for(lambda: len(starts()) >= 4, what="the last start's record")  # it answers before that is committed
        assert starts() == [(1, True), (2, False), (3, False), (4, False)]
        seen.wait(lambda all: all and [m for m in all if m.kind == "state"][-1].json["boot"] == 4, "the last boot")
        gateway.stop()
        assert retained(broker.port, v311, ["state"])["state"].json["online"] is False
        gateway.start()
        wait_for(lambda: len(starts()) >= 5, what="the last start's record")
        assert starts()[-1] == (5, True)


def test_filters_and_own_topics(plant, broker, daemon, platform):
    """One platform gets alarms from orange on and one device's telemetry, at a root of its own; the other gets all."""
    world = plant(world_of(buses=1, units=2))
    watcher = platform(broker, "--require-complete")
    site = small_site(world, broker)
    site["uplinks"].append(uplink(broker.port, "part", topic_root="other/root", alarms={"from": "orange"},
                                  telemetry={"devices": ["d-0-2"]}, client_id="somebody"))
    site["uplinks"].append(uplink(broker.port, "quiet", topic_root="quiet/root", telemetry={"send": False}))
    with Listener(broker.port, "other/root/#") as part, Listener(broker.port, "quiet/root/#") as quiet:
        gateway = daemon(site)
        world.control.set("bus-0", 1, "holding", 0, 30)
        wait_for(lambda: gateway.status()["level"] == "yellow", what="yellow")
        world.control.set("bus-0", 2, "holding", 0, 60)
        wait_for(lambda: gateway.status()["level"] == "red", what="red")
        world.control.set("bus-0", 2, "holding", 0, 0)
        wait_for(lambda: gateway.status()["level"] == "yellow", what="yellow again")
        part.wait(lambda all: sum(len(m.numbers) for m in all if m.kind == "alarm") >= 2, "the alarms of the first")
        quiet.wait(lambda all: sum(len(m.numbers) for m in all if m.kind == "alarm") >= 3, "the alarms of the other")
        part.wait(lambda all: sum(len(m.numbers) for m in all if m.kind == "telemetry") > 20, "telemetry")
        await_arrival(gateway, watcher)
        alarms = list(itertools.chain.from_iterable(m.json["records"] for m in part.of("alarm")))
        assert [(r["point"], r["event"]) for r in alarms] == [("d-0-2.gas", "raise"), ("d-0-2.gas", "clear")]
        telemetry = part.of("telemetry")
        assert {r["device"] for m in telemetry for r in m.json["records"]} == {"d-0-2"}
        last = None
        for message in telemetry:
            assert message.json["prev"] == last, "prev is the one before among those meant for this platform"
            last = message.json["last"]
        assert not quiet.of("telemetry") and quiet.of("event")
        assert "as somebody" in broker.child.output()
        gateway.stop()
    stored = gateway.query("SELECT seq, body FROM telemetry")
    mine = [seq for seq, body in stored if json.loads(body)["device"] == "d-0-2"]
    assert telemetry[0].json["first"] == mine[0]
    assert watcher.finish()["breach_count"] == 0
