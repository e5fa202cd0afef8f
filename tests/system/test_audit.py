"""riskgatectl audit on a running gateway's store, on copies of it, and on one that somebody has been at."""

import contextlib
import json
import shutil
import sqlite3
import subprocess

from conftest import program, wait_for
from evidence import head, site_of, uplink, world_of


def audit(*arguments):
    return subprocess.run([program("riskgatectl"), "audit", *map(str, arguments)], capture_output=True, text=True, check=False, timeout=60)


def change(database, sql):
    with contextlib.closing(sqlite3.connect(database)) as db, db:
        db.executescript(sql)


def test_a_store_in_use_and_a_copy_that_was_changed(plant, broker, daemon, tmp_path):
    world = plant(world_of(buses=2, units=2))
    gateway = daemon(site_of(world, [uplink(broker.port)], units=2))
    wait_for(lambda: head(gateway, "alarm") > 20 and head(gateway, "telemetry") > 200, what="records")
    for _ in range(5):  # while it is being written
        found = audit("verify", "--store", gateway.database, "--json")
        assert found.returncode == 0, found.stdout + found.stderr
        assert all(s["ok"] for s in json.loads(found.stdout)["streams"].values())
    world.control.set("bus-0", 1, "holding", 0, 30)
    alarm = wait_for(lambda: gateway.query("SELECT alarm FROM v_alarm WHERE point = 'd-0-1.gas'"), what="the alarm")[0][0]
    gateway.ctl("ack", alarm, "--by", "张三", "--comment", "已到现场")
    wait_for(lambda: gateway.query("SELECT 1 FROM v_alarm_event WHERE alarm = ? AND event = 'ack'", alarm) and
             gateway.query("SELECT 1 FROM v_event WHERE kind = 'command'"), what="the acknowledgement, and who asked for it")
    traced = audit("trace", alarm, "--store", gateway.database, "--json")
    assert traced.returncode == 0, traced.stdout + traced.stderr
    story = json.loads(traced.stdout)
    sha256 = gateway.status()["config"]["sha256"]
    assert [r["record"] for r in story["records"]] == [json.loads(body) for (body,) in gateway.query(
        "SELECT body FROM alarm WHERE body ->> '$.alarm' = ? AND seq <= ? ORDER BY seq", alarm, story["records"][-1]["record"]["seq"])]
    assert all(r["hash"] == "holds" and r["config"]["sha256"] == sha256 for r in story["records"])
    raised = story["records"][0]
    assert raised["record"]["event"] == "raise"
    at = [r for r in raised["readings"] if r["ts"] <= raised["record"]["ts"]]
    assert at and at[-1]["value"] == raised["record"]["value"], "the reading that raised it is there"
    assert any(r["record"]["by"] == "张三" and r["record"]["comment"] == "已到现场" for r in story["records"])
    assert any(c["command"] == "ack" and c["by"] == "张三" for c in story["commands"])
    shown = audit("trace", alarm, "--store", gateway.database)
    assert shown.returncode == 0 and "已到现场" in shown.stdout and "the hash chain of the alarms holds" in shown.stdout
    wait_for(lambda: json.loads(audit("trace", alarm, "--store", gateway.database, "--json").stdout)["records"][0]["uplinks"] == ["county"],
             what="the platform's name beside what it has")

    gateway.stop()
    copy = tmp_path / "copy.db"
    shutil.copy(gateway.database, copy)
    assert audit("verify", "--store", copy).returncode == 0
    first = story["records"][0]["record"]["seq"]
    change(copy, f"UPDATE alarm SET body = replace(body, '\"acked\":false', '\"acked\":true') WHERE seq = {first};"
                 "DELETE FROM event WHERE seq = 2; DELETE FROM telemetry WHERE seq BETWEEN 100 AND 102")
    found = audit("verify", "--store", copy, "--json")
    assert found.returncode == 1
    streams = json.loads(found.stdout)["streams"]
    assert (streams["alarm"]["bad"]["first"], streams["alarm"]["bad"]["what"]) == (first, "text")
    assert (streams["event"]["bad"]["first"], streams["event"]["bad"]["what"]) == (2, "missing")
    assert (streams["telemetry"]["bad"]["first"], streams["telemetry"]["bad"]["last"]) == (100, 102)
    assert streams["report"]["ok"]
    told = audit("verify", "--store", copy)
    assert told.returncode == 1 and f"BAD: number {first}" in told.stdout and "BAD: number 100 to 102" in told.stdout
    broken = audit("trace", alarm, "--store", copy)
    assert broken.returncode == 1 and "broken" in broken.stdout and "DOES NOT HOLD" in broken.stdout


def test_wrong_usage(tmp_path):
    for arguments in ([], ["verify"], ["trace"], ["trace", "--store", "x"], ["verify", "x", "--store", "x"], ["nonsense", "--store", "x"],
                      ["verify", "--store"], ["verify", "--nonsense", "--store", "x"]):
        assert audit(*arguments).returncode == 2, arguments
    assert audit("--help").returncode == 0 and "trace ALARM" in audit("--help").stdout
    missing = audit("verify", "--store", tmp_path / "nowhere.db")
    assert missing.returncode == 1 and str(tmp_path / "nowhere.db") in missing.stderr
    assert not (tmp_path / "nowhere.db").exists()
    (tmp_path / "words.db").write_text("no database\n" * 100)
    words = audit("verify", "--store", tmp_path / "words.db")
    assert words.returncode == 1 and "not a database" in words.stderr
