"""Votes and permits through the whole daemon: one record for all members; a permit opened and closed by a person, over a restart and a
reload; what it suppresses counts for nothing."""

import json

import pytest
from conftest import wait_for

SCENARIO = {"listeners": [{"name": "shop", "tcp": "127.0.0.1:0", "units": [
    {"id": 1, "registers": [{"holding": 0, "type": "u16", "value": 60}, {"holding": 1, "type": "u16", "value": 55},
                            {"holding": 2, "type": "u16", "value": 0}]},
    {"id": 20, "registers": [{"coil": 0, "count": 2, "writable": True}]}]}]}


@pytest.fixture
def gateway(plant, daemon):
    """Three oxygen-poor corners of a tank, two of which must agree while somebody works in it, and a siren."""
    bus = {"name": "shop", "tcp": f"127.0.0.1:{plant(SCENARIO).ports['shop']}"}
    return daemon({
        "buses": [bus],
        "areas": [{"name": "tanks"}],
        "permits": [{"name": "tank-1", "label": "一号罐", "max": "8h"}],
        "devices": [{"name": "gas", "bus": "shop", "unit": 1, "poll": "100ms", "area": "tanks",
                     "points": [{"name": n, "holding": i, "type": "u16"} for i, n in enumerate("abc")]},
                    {"name": "relay", "bus": "shop", "unit": 20}],
        "rules": [{"name": "two", "vote": {"need": 2, "points": ["gas.a", "gas.b", "gas.c"]}, "above": {"orange": 50},
                   "permit": "tank-1"}],
        "outputs": [{"name": "siren", "device": "relay", "coil": 0, "when": {"area": "tanks", "from": "orange"}}]})


def records(gateway):
    return [r for _, r in gateway.records("alarm")]


def level_is(gateway, level):
    wait_for(lambda: gateway.ask("risk")["areas"]["tanks"]["level"] == level, what=f"the level {level}")


def test_a_permit_over_a_restart_and_a_reload(gateway):
    wait_for(lambda: gateway.device("gas")["ok"] > 2, what="readings")
    permit, = gateway.status()["permits"]
    assert (permit["permit"], permit["open"], permit["until_ts"], permit["rules"]) == ("tank-1", False, None, ["two"])
    assert not gateway.alarms(), "closed: the rule is not armed"

    told = json.loads(gateway.ctl("permit", "open", "tank-1", "--for", "2h", "--by", "李四", "--json").stdout)
    level_is(gateway, "orange")
    wait_for(lambda: records(gateway), what="the record")
    raised, = records(gateway)
    assert (raised["event"], raised["point"], raised["points"]) == ("raise", None, ["gas.a", "gas.b", "gas.c"])
    assert raised["value"] in (55, 60) and raised["limit"] == 50 and raised["area"] == "tanks"
    assert gateway.alarms()[0]["point"] is None
    assert "一号罐" in gateway.ctl("permit", "list").stdout and "一号罐" in gateway.ctl("status").stdout
    wait_for(lambda: gateway.ask("outputs")[0]["state"] == "on", what="the siren on")

    gateway.kill()
    gateway.start()
    wait_for(lambda: gateway.device("gas")["ok"] > 2, what="the site at work again")
    permit, = json.loads(gateway.ctl("permit", "list", "--json").stdout)
    assert permit["open"] and permit["by"] == "李四" and abs(permit["until_ts"] - told["until_ts"]) < 1000
    assert [r["event"] for r in records(gateway)] == ["raise"] and gateway.alarms()[0]["alarm"] == raised["alarm"]

    gateway.config["rules"][0]["message"] = "撤离"
    gateway.reload()
    wait_for(lambda: gateway.alarms()[0]["message"] == "撤离", what="the new configuration")
    permit, = gateway.status()["permits"]
    assert permit["open"] and permit["by"] == "李四" and [r["event"] for r in records(gateway)] == ["raise"]

    assert "closed" in gateway.ctl("permit", "close", "tank-1", "--by", "王五").stdout
    level_is(gateway, "none")
    wait_for(lambda: gateway.ask("outputs")[0]["state"] == "off", what="the siren off")
    wait_for(lambda: len(records(gateway)) == 2, what="the record")
    assert (records(gateway)[1]["event"], records(gateway)[1]["comment"]) == ("suppress", "permit tank-1")
    assert gateway.alarms()[0]["suppressed"] and gateway.status()["alarms"]["suppressed"] == 1

    gateway.ctl("permit", "open", "tank-1", "--for", "2s", "--by", "李四")
    wait_for(lambda: len(records(gateway)) == 4, what="its end by itself")
    assert [r["event"] for r in records(gateway)[2:]] == ["unsuppress", "suppress"]
    commands = [r for _, r in gateway.records("event") if r["kind"] == "command"]
    assert [(c["action"], c.get("for_ms"), c["by"]) for c in commands] == [
        ("open", 7200000, "李四"), ("close", None, "王五"), ("open", 2000, "李四")]
    assert commands[0]["until"] == commands[0]["ts"] + 7200000
    assert abs(commands[0]["until"] - told["until_ts"]) < 1000  # what counts is monotonic: told as of when it is asked
    assert records(gateway)[3]["ts"] == commands[2]["until"], "at its instant, whenever the loop came round to it"
    assert not gateway.status()["permits"][0]["open"]


def test_what_is_refused(gateway):
    for wrong in (("open", "tank-1", "--by", "李四"), ("open", "tank-1", "--for", "1h"), ("open", "--for", "1h", "--by", "李四"),
                  ("open", "tank-1", "--for", "soon", "--by", "李四"), ("close", "tank-1"), ("list", "tank-1"), (), ("shut", "tank-1")):
        assert gateway.ctl("permit", *wrong, check=False).returncode == 2, wrong
    for wrong, word in ((("open", "tank-1", "--for", "9h", "--by", "李四"), "at most 8h"), (("close", "tank-1", "--by", "李四"), "not open"),
                        (("open", "tank-9", "--for", "1h", "--by", "李四"), "no permit tank-9")):
        refused = gateway.ctl("permit", *wrong, check=False)
        assert refused.returncode == 1 and word in refused.stderr, (wrong, refused.stderr)
    assert not gateway.status()["permits"][0]["open"]
    assert not [r for _, r in gateway.records("event") if r["kind"] == "command"]
