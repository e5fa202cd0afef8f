"""Shelving: silent for a time and for people only, over a restart too; every step a record and, by a person, a command."""

import json

import pytest
from conftest import wait_for

SCENARIO = {"listeners": [{"name": "shop", "tcp": "127.0.0.1:0", "units": [
    {"id": 1, "registers": [{"holding": 0, "type": "u16", "value": 30}]},
    {"id": 20, "registers": [{"coil": 0, "count": 2, "writable": True}]}]}]}


@pytest.fixture
def gateway(plant, daemon):
    """A gas detector at orange and a siren that follows it."""
    bus = {"name": "shop", "tcp": f"127.0.0.1:{plant(SCENARIO).ports['shop']}"}
    made = daemon({
        "buses": [bus],
        "areas": [{"name": "plant"}, {"name": "hall", "parent": "plant"}],
        "devices": [{"name": "gas", "bus": "shop", "unit": 1, "poll": "100ms", "area": "hall",
                     "points": [{"name": "lel", "holding": 0, "type": "u16"}]},
                    {"name": "relay", "bus": "shop", "unit": 20}],
        "rules": [{"name": "high", "points": "gas.lel", "above": {"yellow": 20, "orange": 25, "red": 50}}],
        "outputs": [{"name": "siren", "device": "relay", "coil": 0, "when": {"area": "hall", "from": "orange"}}]})
    siren_is(made, "on")
    return made


def siren_is(gateway, state):
    wait_for(lambda: gateway.ask("outputs")[0]["state"] == state, what=f"the siren {state}")


def records(gateway, event):
    return [r for _, r in gateway.records("alarm") if r["event"] == event]


def test_shelving_over_a_restart(gateway):
    alarm = gateway.alarms()[0]
    assert alarm["first_out"] and not alarm["shelved"] and alarm["shelved_until_ts"] is None
    name = alarm["alarm"]

    told = json.loads(gateway.ctl("shelve", name, "--for", "30m", "--by", "李四", "--comment", "维修", "--json").stdout)
    siren_is(gateway, "off")
    alarm = gateway.alarms()[0]
    assert alarm["shelved"] and alarm["shelved_until_ts"] == told["shelved_until_ts"] and told["alarm"] == name
    assert gateway.ask("risk")["areas"]["hall"]["level"] == "orange", "it lowers no level"
    assert gateway.status()["alarms"]["shelved"] == 1
    text = gateway.ctl("alarms").stdout
    assert "shelved until" in text and "first out" in text
    wait_for(lambda: records(gateway, "shelve"), what="the record")
    shelved = records(gateway, "shelve")[0]
    assert (shelved["by"], shelved["comment"], shelved["shelved"], shelved["level"]) == ("李四", "维修", True, "orange")
    assert shelved["shelved_until"] == shelved["ts"] + 1800000 == told["shelved_until_ts"]

    gateway.kill()
    gateway.start()
    wait_for(lambda: gateway.device("gas")["ok"] > 2, what="the site at work again")
    alarm = gateway.alarms()[0]
    assert alarm["alarm"] == name and alarm["shelved_until_ts"] == told["shelved_until_ts"] and alarm["first_out"]
    siren_is(gateway, "off")
    assert not records(gateway, "unshelve") and len(records(gateway, "raise")) == 1

    assert gateway.ctl("unshelve", name, "--by", "王五").returncode == 0
    siren_is(gateway, "on")
    wait_for(lambda: records(gateway, "unshelve"), what="the record")
    assert records(gateway, "unshelve")[0]["by"] == "王五" and not gateway.alarms()[0]["shelved"]

    assert "shelved until" in gateway.ctl("shelve", name, "--for", "2s", "--by", "李四").stdout
    wait_for(lambda: len(records(gateway, "unshelve")) == 2, what="its end by itself")
    last, begun = records(gateway, "unshelve")[1], records(gateway, "shelve")[1]
    assert last["by"] is None and last["ts"] == begun["ts"] + 2000, "at its instant, whenever the loop came round to it"
    siren_is(gateway, "on")
    commands = [r for _, r in gateway.records("event") if r["kind"] == "command"]
    assert [(r["command"], r["by"]) for r in commands] == [("shelve", "李四"), ("unshelve", "王五"), ("shelve", "李四")]


def test_what_is_refused(gateway):
    name = gateway.alarms()[0]["alarm"]
    for wrong in (("shelve", name, "--by", "李四"), ("shelve", name, "--for", "30m"), ("shelve", "--for", "30m", "--by", "李四"),
                  ("shelve", name, "--for", "soon", "--by", "李四"), ("shelve", name, "--for", "0s", "--by", "李四"),
                  ("unshelve", name), ("unshelve", name, "--for", "1h", "--by", "李四"), ("unshelve", name, name, "--by", "李四")):
        assert gateway.ctl(*wrong, check=False).returncode == 2, wrong
    for wrong, word in ((("shelve", name, "--for", "9h", "--by", "李四"), "at most 8h"), (("unshelve", name, "--by", "李四"), "not shelved"),
                        (("shelve", "gw-01-99", "--for", "1h", "--by", "李四"), "no active alarm")):
        refused = gateway.ctl(*wrong, check=False)
        assert refused.returncode == 1 and word in refused.stderr, (wrong, refused.stderr)
    assert not gateway.alarms()[0]["shelved"]
    wait_for(lambda: [r["event"] for _, r in gateway.records("alarm")] == ["raise"], what="the record of the raise, and no other")
