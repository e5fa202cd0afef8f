"""Promise 8: a configuration is taken whole or not at all, keeps what did not change running, and every changed limit is told upward.
SIGHUP with broken, changed, grown and shrunk files, once and under load."""

import hashlib
import json
import signal

import pytest

from conftest import wait_for
from evidence import (LONG, assert_lives, assert_store_is_sound, await_arrival, descriptors, head, judge, rows, site_of, threads,
                      uplink, world_of)


def configs(gateway):
    """The config events, oldest first."""
    return [r for _, r in gateway.records("event") if r["kind"] == "config"]


def reload(gateway, applied=True):
    """Reloads and returns the event that tells how it went."""
    before = len(configs(gateway))
    gateway.reload()
    wait_for(lambda: len(configs(gateway)) > before, what="the config event")
    event = configs(gateway)[before]
    assert event["applied"] is applied, event
    return event


def changes(event):
    return {c["what"]: (c["old"], c["new"]) for c in event["changes"]}


def connected(gateway):
    return all(u["connected"] for u in gateway.status()["uplinks"])


def alarm_of(gateway, point, rule=None):
    return next((a for a in gateway.alarms() if a["point"] == point and rule in (None, a["rule"])), None)


def texts_broken(config):
    """Broken files, each in another way."""
    def variant(change):
        copy = json.loads(json.dumps(config))
        change(copy)
        return json.dumps(copy)

    return {
        "no YAML": "gateway: {id: [",
        "empty": "",
        "binary": "\x01\x02",
        "cut in the middle": json.dumps(config)[:len(json.dumps(config)) // 2],
        "unknown key": variant(lambda c: c["rules"][0].update(deadbend=1)),
        "dangling bus": variant(lambda c: c["devices"][0].update(bus="nowhere")),
        "limits out of order": variant(lambda c: c["rules"][0].update(above={"yellow": 50, "red": 20})),
        "two of one name": variant(lambda c: c["devices"][1].update(name=c["devices"][0]["name"])),
        "a missing include": variant(lambda c: c.update(include=["nowhere.yaml"])),
        "another gateway": variant(lambda c: c["gateway"].update(id="gw-02")),
        "another store": variant(lambda c: c["store"].update(path="elsewhere.db")),
    }


def test_a_broken_file_changes_nothing(plant, broker, daemon, platform):
    world = plant(world_of(buses=2, units=2))
    world.control.set("bus-0", 1, "holding", 0, 60)
    watcher = platform(broker, "--require-complete")
    gateway = daemon(site_of(world, [uplink(broker.port)], units=2))
    wait_for(lambda: connected(gateway) and alarm_of(gateway, "d-0-1.gas"), what="the site at work")
    before = gateway.status()
    lasting = alarm_of(gateway, "d-0-1.gas")
    accepted = {name: one["accepted"] for name, one in world.control.stats()["listeners"].items()}
    good = gateway.file.read_text()

    for number, (what, text) in enumerate(texts_broken(gateway.config).items()):
        beside = gateway.file.with_suffix(".new")
        beside.write_text(text)
        beside.replace(gateway.file)
        polled = sum(d["ok"] for d in gateway.status()["devices"])
        gateway.child.signal(signal.SIGHUP)
        wait_for(lambda n=number: len(configs(gateway)) > n, what=f"the refusal: {what}")
        event = configs(gateway)[number]
        assert event["applied"] is False and event["error"], (what, event)
        now = gateway.status()
        assert now["config"] == before["config"], what
        assert now["uplinks"][0]["connects"] == 1 and now["uplinks"][0]["connected"], what
        wait_for(lambda p=polled: sum(d["ok"] for d in gateway.status()["devices"]) > p + 4, what=f"further polls: {what}")
    assert alarm_of(gateway, "d-0-1.gas") == lasting
    assert {name: one["accepted"] for name, one in world.control.stats()["listeners"].items()} == accepted
    assert not (gateway.folder / "elsewhere.db").exists()

    gateway.file.unlink()
    gateway.child.signal(signal.SIGHUP)
    wait_for(lambda: len(configs(gateway)) > number + 1, what="the refusal of a missing file")
    assert configs(gateway)[-1]["applied"] is False
    gateway.file.write_text(good)
    reload(gateway)
    wait_for(lambda: connected(gateway), what="the connection")
    judge(gateway, watcher)


def test_changed_limits_act_and_are_told(plant, broker, daemon, platform):
    world = plant(world_of(buses=2, units=2))
    world.control.set("bus-0", 1, "holding", 0, 60)
    world.control.set("bus-0", 2, "holding", 0, 15)
    watcher = platform(broker, "--require-complete")
    gateway = daemon(site_of(world, [uplink(broker.port)], units=2, swings=False))
    first = wait_for(lambda: alarm_of(gateway, "d-0-1.gas"), what="the alarm")
    gateway.ctl("ack", first["alarm"], "--by", "张三", "--comment", "在查")
    assert not alarm_of(gateway, "d-0-2.gas")

    gateway.config["rules"][0].update(above={"yellow": 10, "red": 70}, deadband=1, message="新的")
    event = reload(gateway)
    told = changes(event)
    assert told["rule.gas-high.above.yellow"] == ("20", "10") and told["rule.gas-high.above.red"] == ("50", "70")
    assert told["rule.gas-high.deadband"] == ("0", "1") and told["rule.gas-high.message"][1] == "新的"
    assert len(told) == 4 and event["by"] == "signal"
    assert event["sha256"] == hashlib.sha256(gateway.file.read_bytes()).hexdigest() == gateway.status()["config"]["sha256"]

    wait_for(lambda: alarm_of(gateway, "d-0-2.gas"), what="the new limit to act")
    assert alarm_of(gateway, "d-0-2.gas")["level"] == "yellow"
    # The old alarm goes on as the same occurrence, steps down by the new limit, and is still acknowledged.
    wait_for(lambda: alarm_of(gateway, "d-0-1.gas")["level"] == "yellow", what="the step down")
    carried = alarm_of(gateway, "d-0-1.gas")
    assert carried["alarm"] == first["alarm"] and carried["acked_by"] == "张三" and carried["raised_ts"] == first["raised_ts"]
    wait_for(lambda: connected(gateway), what="the connection")
    await_arrival(gateway, watcher)
    assert any('"what":"rule.gas-high.above.red","old":"50","new":"70"' in text for text in watcher.records("event").values())
    judge(gateway, watcher)


def test_limits_changed_while_it_was_down_are_told(plant, broker, daemon, platform):
    """A restart is no way to change a limit unseen: cleanly ended or killed, the next start tells old and new."""
    world = plant(world_of(buses=1, units=1))
    watcher = platform(broker, "--require-complete")
    gateway = daemon(site_of(world, [uplink(broker.port)], units=1, swings=False))
    for number, end in enumerate((gateway.stop, gateway.kill, gateway.stop)):
        wait_for(lambda: gateway.query("SELECT count(*) FROM applied") == [(1,)], what="the configuration kept")
        end()
        gateway.start()
        assert len(configs(gateway)) == number, "nothing was changed"
        end()
        gateway.config["rules"][0]["above"]["red"] += 1
        gateway.write()
        gateway.start()
        wait_for(lambda n=number: len(configs(gateway)) == n + 1, what="the change told")
        event = configs(gateway)[-1]
        red = 50 + number
        assert changes(event) == {"rule.gas-high.above.red": (str(red), str(red + 1))}
        assert event["applied"] is True and event["by"] == "start"
        assert event["sha256"] == hashlib.sha256(gateway.file.read_bytes()).hexdigest()
        kept = f'"rule.gas-high.above.red","{red + 1}"'
        wait_for(lambda k=kept: k in gateway.query("SELECT config FROM applied")[0][0], what="the new one kept")
    wait_for(lambda: connected(gateway), what="the connection")
    judge(gateway, watcher)


def test_every_changed_limit_is_told_however_much_changed(plant, broker, daemon):
    """A limit that is changed together with very much else is the one that nobody would see."""
    world = plant(world_of(buses=1, units=2))
    gateway = daemon(site_of(world, [uplink(broker.port)], units=2, swings=False))
    pattern = gateway.config["devices"][0]
    for number in range(60):
        gateway.config["devices"].append({**pattern, "name": f"new-{number}", "unit": 3 + number, "poll": "10m"})
    gateway.config["rules"][0]["above"] = {"yellow": 30, "red": 60}
    told = changes(reload(gateway))
    assert told.get("rule.gas-high.above.yellow") == ("20", "30")
    assert told.get("rule.gas-high.above.red") == ("50", "60")
    gateway.stop()


def test_added_and_removed(plant, make_broker, daemon, platform):
    brokers = [make_broker(), make_broker()]
    world = plant(world_of(buses=2, units=2))
    watchers = [platform(b, "--require-complete") for b in brokers]
    gateway = daemon(site_of(world, [uplink(brokers[0].port)], units=1, swings=False))
    both = {"name": "both-high", "points": ["d-0-1.gas", "d-1-1.gas"], "above": {"orange": 40}}
    added = {**gateway.config["devices"][0], "name": "d-0-2", "unit": 2}
    wait_for(lambda: connected(gateway), what="the connection")

    gateway.config["rules"].append(both)
    gateway.config["devices"].append(added)
    gateway.config["uplinks"].append(uplink(brokers[1].port, "city"))
    told = changes(reload(gateway))
    assert told["rule.both-high.above.orange"] == (None, "40") and told["device.d-0-2.unit"] == (None, "2")
    assert any(what.startswith("uplink.city.") and old is None for what, (old, _) in told.items())
    world.control.set("bus-0", 1, "holding", 0, 45)
    world.control.set("bus-0", 2, "holding", 0, 30)
    wait_for(lambda: len(gateway.alarms()) == 3, what="three alarms")
    kept = alarm_of(gateway, "d-0-1.gas", "gas-high")
    gone = {alarm_of(gateway, "d-0-1.gas", "both-high")["alarm"], alarm_of(gateway, "d-0-2.gas")["alarm"]}
    await_arrival(gateway, watchers[1])  # the new platform gets the history too

    gateway.config["rules"].remove(both)
    gateway.config["devices"].remove(added)
    del gateway.config["uplinks"][0]
    told = changes(reload(gateway))
    assert told["rule.both-high.above.orange"] == ("40", None) and told["device.d-0-2.unit"] == ("2", None)
    assert gateway.alarms() == [kept], "what is still configured goes on as it was"
    for alarm in gone:
        ends = [r for _, r in gateway.records("alarm") if r["alarm"] == alarm and r["event"] == "clear"]
        assert len(ends) == 1 and ends[0]["comment"] and ends[0]["value"] is None, ends
    wait_for(lambda: [u["name"] for u in gateway.status()["uplinks"]] == ["city"] and connected(gateway), what="one uplink")
    assert [d["name"] for d in gateway.status()["devices"]] == ["d-0-1", "d-1-1"]
    judge(gateway, watchers[1])
    assert gateway.query("SELECT uplink, count(*) FROM v_uplink GROUP BY uplink") == [("city", 4)], "nothing is owed to who is gone"
    report = watchers[0].finish()
    assert report["breach_count"] == 0 and not report["gateways"][0]["online"], "it said goodbye to the platform that was removed"


def site_with_a_delay(world, broker):
    site = site_of(world, [uplink(broker.port)], units=1, swings=False)
    site["rules"].append({"name": "slow", "points": "d-0-1.gas", "above": {"orange": 40}, "on_delay": "4s"})
    return site


def test_a_delay_that_runs_goes_on(plant, broker, daemon):
    """Another limit on one rule: the delay of the other rule is not begun anew."""
    world = plant(world_of(buses=2, units=1))
    gateway = daemon(site_with_a_delay(world, broker))
    wait_for(lambda: connected(gateway), what="the connection")
    world.control.set("bus-0", 1, "holding", 0, 45)
    began = wait_for(lambda: alarm_of(gateway, "d-0-1.gas", "gas-high"), what="the alarm without a delay")["raised_ts"]
    polled = gateway.device("d-0-1")["ok"]
    wait_for(lambda: gateway.device("d-0-1")["ok"] >= polled + 5, what="a part of the delay")
    gateway.config["rules"][0]["above"] = {"yellow": 20, "red": 55}
    reload(gateway)
    alarm = wait_for(lambda: alarm_of(gateway, "d-0-1.gas", "slow"), what="the alarm with a delay")
    gateway.stop()
    assert alarm["raised_ts"] == began + 4000, "a reload put the alarm off"


def accepted(world):
    """Connections that each bus has got so far."""
    return {name: one["accepted"] for name, one in world.control.stats()["listeners"].items()}


def test_devices_and_buses_that_did_not_change_stay(plant, broker, daemon):
    """Of three buses one keeps everything, one gets and loses a device, and one is at another time-out: what did not change has its
    connection, its figures and its grid, however often."""
    world = plant(world_of(buses=3, units=3))
    gateway = daemon(site_of(world, [uplink(broker.port)], units=2, swings=False))
    added = {**gateway.config["devices"][0], "name": "a-new-one", "bus": "bus-1", "unit": 3}
    wait_for(lambda: all(d["ok"] >= 3 for d in gateway.status()["devices"]), what="the site at work")
    before, counted = accepted(world), {d["name"]: d for d in gateway.status()["devices"]}
    assert all(count == 1 for count in before.values()), before
    for number in range(4):
        gateway.config["rules"][0]["above"] = {"yellow": 20, "red": 55 + number}
        gateway.config["buses"][2]["timeout"] = f"{900 + number}ms"
        if number % 2 == 0:
            gateway.config["devices"].insert(0, added)  # all indices move
        else:
            gateway.config["devices"].remove(added)
        reload(gateway)
        devices = {d["name"]: d for d in gateway.status()["devices"]}
        for name in ("d-0-1", "d-0-2", "d-1-1", "d-1-2"):
            assert devices[name]["ok"] >= counted[name]["ok"], "it began anew"
        counted = devices
        wait_for(lambda c=counted: all(d["ok"] >= c[d["name"]]["ok"] + 3 for d in gateway.status()["devices"]),
                 what="polls after the reload")
        counted = {d["name"]: d for d in gateway.status()["devices"]}
    now = accepted(world)
    gateway.stop()
    assert (now["bus-0"], now["bus-1"]) == (before["bus-0"], before["bus-1"]), "a reload broke a connection"
    assert now["bus-2"] == before["bus-2"] + 4, "a bus that changed is opened anew, once each time"


def test_platforms_that_did_not_change_stay(plant, broker, daemon):
    world = plant(world_of(buses=2, units=1))
    gateway = daemon(site_with_a_delay(world, broker))
    wait_for(lambda: connected(gateway), what="the connection")
    gateway.config["rules"][0]["above"] = {"yellow": 20, "red": 55}
    reload(gateway)
    wait_for(lambda: connected(gateway), what="the connection")
    polled = gateway.device("d-0-1")["ok"]
    wait_for(lambda: gateway.device("d-0-1")["ok"] >= polled + 3, what="polls after the reload")
    connects = gateway.status()["uplinks"][0]["connects"]
    assert connects == 1 and "Received DISCONNECT" not in broker.child.output(), "a reload broke the connection to the platform"
    gateway.stop()
    wait_for(lambda: "Received DISCONNECT" in broker.child.output(), what="the broker's word of the end")


@pytest.mark.parametrize("burst", [False, True])
def test_ten_reloads_under_load(plant, broker, daemon, platform, burst):
    world = plant(world_of(buses=2, units=4))
    world.control.set("bus-0", 1, "holding", 0, 60)
    watcher = platform(broker, "--require-complete")
    gateway = daemon(site_of(world, [uplink(broker.port, backfill={"rate": "unlimited"})]))
    lasting = wait_for(lambda: alarm_of(gateway, "d-0-1.gas"), what="the alarm")["alarm"]
    reload(gateway)
    wait_for(lambda: connected(gateway) and all(d["ok"] for d in gateway.status()["devices"]), what="the site at work")
    await_arrival(gateway, watcher)
    open_before, threads_before = descriptors(gateway.child.pid), threads(gateway.child.pid)
    for number in range(10):
        gateway.config["rules"][0]["above"] = {"yellow": 20, "red": 40 + number}
        if burst:
            gateway.reload()
            continue
        stored = head(gateway, "telemetry")
        reload(gateway)
        wait_for(lambda h=stored: head(gateway, "telemetry") > h + 50, what="polling to go on")
    digest = hashlib.sha256(gateway.file.read_bytes()).hexdigest()
    wait_for(lambda: gateway.status()["config"]["sha256"] == digest, LONG, "the last configuration in force")
    assert all(event["applied"] for event in configs(gateway))
    wait_for(lambda: connected(gateway), LONG, "the connection")
    wait_for(lambda: descriptors(gateway.child.pid) <= open_before, what="the old descriptors closed")
    wait_for(lambda: threads(gateway.child.pid) <= threads_before, what="the old threads ended")
    assert lasting in assert_lives(rows(gateway, "alarm")).values()
    assert sum(f'"alarm":"{lasting}","event":"raise"' in text for text in rows(gateway, "alarm").values()) == 1
    judge(gateway, watcher)
    assert_store_is_sound(gateway)
