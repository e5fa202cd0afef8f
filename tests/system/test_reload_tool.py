"""riskgatectl reload and diff: the difference before, the outcome after, and what a change would have made of the recorded past."""

import json
import os
import pwd

import pytest

from conftest import wait_for
from evidence import configs_of, head, site_of, uplink, world_of


def limits(gateway, **above):
    gateway.config["rules"][0]["above"] = above
    gateway.write()


def changes(answer):
    return {c["what"]: (c["before"], c["after"]) for c in answer["changes"]}


@pytest.fixture
def gateway(plant, broker, daemon):
    world = plant(world_of(buses=2, units=2))
    one = daemon(site_of(world, [uplink(broker.port)], units=2))
    wait_for(lambda: head(one, "telemetry") > 20, what="records")
    return one


def test_the_difference_first_then_the_outcome(gateway):
    before = gateway.status()["config"]["sha256"]
    same = gateway.ctl("reload")
    assert "no difference: the very same files" in same.stdout and "unchanged" in same.stdout

    limits(gateway, yellow=15, red=50)
    gateway.config["rules"].append({"name": "gas-low", "points": "d-0-1.gas", "below": {"blue": -1}})
    gateway.write()
    dry = gateway.ctl("reload", "--dry-run")
    assert "rule.gas-high.above.yellow" in dry.stdout and "applied" not in dry.stdout
    assert gateway.status()["config"]["sha256"] == before and not [e for e in configs_of(gateway) if e.get("changes")]
    planned = json.loads(gateway.ctl("reload", "--dry-run", "--json").stdout)
    assert planned["valid"] and planned["running"]["sha256"] == before and planned["errors"] == []
    assert changes(planned)["rule.gas-high.above.yellow"] == ("20", "15")

    done = gateway.ctl("reload")
    lines = done.stdout.splitlines()
    row = next(line.split() for line in lines if line.startswith("rule.gas-high.above.yellow"))
    assert row == ["rule.gas-high.above.yellow", "20", "15"]
    assert next(line for line in lines if line.startswith("rule.gas-low")).split()[-3:] == ["new", f"({len(planned['changes']) - 1}", "keys)"]
    assert lines[-1].startswith(f"applied: {len(planned['changes'])} changes")
    now = gateway.status()["config"]["sha256"]
    assert now == planned["sha256"] != before
    event = wait_for(lambda: [e for e in configs_of(gateway) if e.get("changes")], what="the event on the disk")[-1]
    me = pwd.getpwuid(os.getuid()).pw_name
    assert event["applied"] and event["sha256"] == now and me in event["by"] and event["uid"] == os.getuid()
    assert {c["what"]: (c["old"], c["new"]) for c in event["changes"]} == changes(planned)

    limits(gateway, yellow=16, red=50)
    answer = json.loads(gateway.ctl("reload", "--json").stdout)
    assert answer["outcome"] == "applied" and changes(answer) == {"rule.gas-high.above.yellow": ("15", "16")} and me in answer["by"]


def test_a_refused_file_is_told_with_its_errors(gateway):
    before = gateway.status()["config"]
    limits(gateway, yellow=60, red=50)
    done = gateway.ctl("reload", check=False)
    assert done.returncode == 1
    assert f"{gateway.file}:1:" in done.stderr and "error: " in done.stderr and "refused: what was in force stays" in done.stderr
    assert "applied" not in done.stdout
    answer = gateway.ctl("reload", "--json", check=False)
    told = json.loads(answer.stdout)
    assert answer.returncode == 1 and told["outcome"] == "refused" and told["errors"][0]["line"] == 1 and told["errors"][0]["column"] > 1
    assert gateway.ctl("reload", "--dry-run", check=False).returncode == 1
    assert gateway.status()["config"] == before
    wait_for(lambda: len(configs_of(gateway)) >= 2, what="the events on the disk")
    assert [e["applied"] for e in configs_of(gateway)] == [False, False], "a dry run asks for nothing"

    # What only the daemon can say.
    limits(gateway, yellow=20, red=50)
    gateway.config["gateway"]["id"] = "gw-02"
    gateway.write()
    done = gateway.ctl("reload", check=False)
    assert done.returncode == 1 and "gateway.id" in done.stderr


def test_diff_of_another_file(gateway, tmp_path):
    other = tmp_path / "wanted.yaml"
    wanted = json.loads(json.dumps(gateway.config))
    wanted["devices"][0]["poll"] = "250ms"
    gone = wanted["devices"].pop()
    other.write_text(json.dumps(wanted))
    shown = gateway.ctl("diff", other).stdout
    rows = [line.split() for line in shown.splitlines()]
    assert ["device.d-0-1.poll", "20ms", "250ms"] in rows
    assert any(row[:3] == [f"device.{gone['name']}", "there", "gone"] for row in rows)
    assert len([line for line in shown.splitlines() if gone["name"] in line]) == 1, "its points are told with it"
    answer = json.loads(gateway.ctl("diff", other, "--json").stdout)
    assert changes(answer)["device.d-0-1.poll"] == ("20ms", "250ms") and "backtest" not in answer
    assert answer["file"] == str(other) and answer["running"]["file"] == str(gateway.file)

    other.write_text("gateway: {")
    broken = gateway.ctl("diff", other, "--json", check=False)
    assert broken.returncode == 1 and json.loads(broken.stdout)["errors"] and not json.loads(broken.stdout)["valid"]
    assert gateway.ctl("diff", other, check=False).returncode == 1
    assert gateway.ctl("diff", check=False).returncode == 2
    gateway.stop()
    assert gateway.ctl("diff", other, check=False).returncode == 3 and gateway.ctl("reload", check=False).returncode == 3


def test_the_verdict_of_the_back_test(gateway, tmp_path):
    wait_for(lambda: sum(r["event"] == "clear" for _, r in gateway.records("alarm")) > 6, what="alarms of the swings")
    other = tmp_path / "wanted.yaml"
    wanted = json.loads(json.dumps(gateway.config))
    wanted["rules"] = wanted["rules"][:1]
    other.write_text(json.dumps(wanted))
    found = json.loads(gateway.ctl("diff", other, "--backtest", "--json").stdout)["backtest"]
    assert found["beside"] == "running" and found["store"] == str(gateway.database)
    assert found["alarms_old"] > 6 and found["alarms_new"] == 0
    assert found["disappears_count"] == found["alarms_old"] and found["appears_count"] == 0
    rule = next(r for r in found["rules"] if r["rule"] == "swing-high")
    assert rule["new"] is None and rule["old"]["alarms"] == found["alarms_old"]
    shown = gateway.ctl("diff", other, "--backtest", "--last", "1h").stdout
    assert "Back-test: 0 alarms with it" in shown and "with what runs" in shown

    # Its own file, changed since: what was recorded takes the place of what runs, and is the same here.
    copy = tmp_path / "copy.yaml"
    copy.write_bytes(gateway.file.read_bytes())
    gateway.file.write_bytes(other.read_bytes())
    found = json.loads(gateway.ctl("diff", gateway.file, "--backtest", "--json").stdout)["backtest"]
    assert found["beside"] == "recorded" and found["alarms_new"] == 0 and found["disappears_count"] == found["alarms_old"] > 6
    beside = json.loads(gateway.ctl("diff", gateway.file, "--backtest", "--running", copy, "--json").stdout)["backtest"]
    assert beside["beside"] == "running" and beside["alarms_old"] >= found["alarms_old"]
    wrong = gateway.ctl("diff", gateway.file, "--backtest", "--running", other, check=False)
    assert wrong.returncode == 1 and "is not what runs" in wrong.stderr
    assert gateway.ctl("diff", gateway.file, "--backtest", "--last", "yesterday", check=False).returncode == 2
