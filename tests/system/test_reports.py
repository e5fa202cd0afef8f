"""Reports and self tests through the whole daemon: asked for by hand, failing while the broker is gone, and reports that were missed."""

import contextlib
import json
import sqlite3
import time

import pytest
from conftest import wait_for
from staged import Clock

SCENARIO = {"listeners": [{"name": "shop", "tcp": "127.0.0.1:0", "units": [
    {"id": 1, "registers": [{"holding": 0, "type": "u16", "value": 7}]}]}]}
DAY = 86_400_000


@pytest.fixture
def gateway(plant, daemon, broker, tmp_path):
    """It is noon for it: no report is about a day that ends while the test runs."""
    clock = Clock(tmp_path)
    clock.show(time.mktime((*time.localtime()[:3], 12, 0, 0, 0, 0, -1)))
    bus = {"name": "shop", "tcp": f"127.0.0.1:{plant(SCENARIO).ports['shop']}"}
    made = daemon({
        "buses": [bus],
        "uplinks": [{"name": "county", "url": broker.url}],
        "self_test": {"every": "24h", "limit": "10s"},
        "devices": [{"name": "gas", "bus": "shop", "unit": 1, "poll": "1s", "points": [{"name": "a", "holding": 0, "type": "u16"}]}]}, run=False)
    made.env = clock.env()
    return made.start(env=made.env)


def connected(gateway):
    return gateway.status()["uplinks"][0]["connected"]


def test_the_way_is_tested_by_hand(gateway, broker):
    wait_for(lambda: connected(gateway), what="the uplink")
    outcome, = json.loads(gateway.ctl("self-test", "--by", "李四", "--json").stdout)
    assert (outcome["uplink"], outcome["ok"], outcome["of"]) == ("county", True, "puback")
    assert 0 <= outcome["round_trip_ms"] < 10_000
    shown, = gateway.status()["self_test"]
    assert shown["ok"] and shown["last_ts"] > 0 and "self test through county" in gateway.ctl("status").stdout
    marked = wait_for(lambda: [r for _, r in gateway.records("alarm")][1:] and [r for _, r in gateway.records("alarm")], what="both records")
    assert [(r["event"], r["test"], r["rule"]) for r in marked] == [("raise", True, "self_test"), ("clear", True, "self_test")]
    assert not gateway.alarms() and gateway.status()["level"] == "none"
    assert gateway.ctl("self-test", "--uplink", "nobody", "--by", "李四", check=False).returncode == 1
    assert gateway.ctl("self-test", check=False).returncode == 2

    broker.stop()
    wait_for(lambda: not connected(gateway), what="the uplink's loss")
    failed = gateway.ctl("self-test", "--by", "李四", check=False)
    assert failed.returncode == 1 and "did not come through" in failed.stdout
    alarm, = gateway.alarms()
    assert (alarm["rule"], alarm["point"], alarm["level"]) == ("self_test", "county", "yellow")
    assert "county" in gateway.ctl("explain", alarm["alarm"]).stdout

    broker.start()
    wait_for(lambda: connected(gateway), what="the uplink's return")
    gateway.ctl("self-test", "--uplink", "county", "--by", "王五")
    assert not gateway.alarms()
    events = wait_for(lambda: [found for found in [[r for _, r in gateway.records("event") if r["kind"] == "self_test"]] if len(found) == 3],
                      what="the records of the three")[0]
    assert [e["ok"] for e in events] == [True, False, True]
    assert [r["by"] for _, r in gateway.records("event") if r.get("command") == "self_test"] == ["李四", "李四", "王五"]

    report = json.loads(gateway.ctl("report", "--now", "--json").stdout)
    uplink, = report["uplinks"]
    assert (uplink["tests"], uplink["failed"]) == (3, 1) and uplink["down_s"] >= 0
    assert report["raised"] == {"red": 0, "orange": 0, "yellow": 1, "blue": 0} and not report["zero"]
    assert report["due"] is None and report["to"] <= report["ts"]
    assert "did not come" not in gateway.ctl("report", "--now", "--last", "monthly").stdout
    gateway.stop()


def test_what_was_missed_is_reported(gateway):
    """The gateway stood still for two days: as if its first start had been then."""
    wait_for(lambda: gateway.device("gas")["ok"] > 2, what="readings")
    none = gateway.ctl("report", check=False)
    assert none.returncode == 1 and "no such report" in none.stderr
    gateway.stop()
    with contextlib.closing(sqlite3.connect(gateway.database)) as db, db:
        db.execute("UPDATE event SET ts = ts - ?", (2 * DAY,))
        db.execute("UPDATE duty SET since = since - ?", (2 * DAY,))
    gateway.start(env=gateway.env)
    wait_for(lambda: len(gateway.records("report")) >= 2, what="the reports")
    first, second = [r for _, r in gateway.records("report") if r["kind"] == "daily"][:2]
    for report in first, second:
        assert report["late"] and report["zero"] and report["due"] < report["ts"]
        assert report["completeness"] == 0 or report["samples"]["expected"] == 0 or report["samples"]["from"]
    assert first["to"] == second["from"] and second["to"] - second["from"] in (23 * DAY // 24, DAY, 25 * DAY // 24)
    assert [o["what"] for o in second["outages"]] == ["gateway"] and second["uptime_s"] == 0
    assert "zero report" in gateway.ctl("report").stdout
    last = json.loads(gateway.ctl("report", "--last", "daily", "--json").stdout)
    assert last["hash"] and last == [r for _, r in gateway.records("report") if r["kind"] == "daily"][-1]
    assert gateway.ctl("report", "--last", "weekly", check=False).returncode == 1
    audit = gateway.ctl("audit", "verify", "--store", gateway.database, check=False).stdout.splitlines()
    assert any(line.startswith("report") and "good" in line for line in audit), "its own chain holds; the events' tells of this test"
    told = len(gateway.records("report"))
    gateway.kill()
    gateway.start(env=gateway.env)
    wait_for(lambda: gateway.device("gas")["ok"] > 5, what="the gateway at work again")
    assert len(gateway.records("report")) == told, "none is told twice"
    gateway.stop()
