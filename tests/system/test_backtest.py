"""riskgatectl backtest: the configuration that ran, played over what it recorded, raises exactly what was raised live, to the byte, over faults,
delays, acknowledgements, a restart and a kill -9; another one raises what its limits say; what is thin or unknown is told."""

import json

import pytest

from conftest import wait_for

POLL_MS = 50


@pytest.fixture
def dust(plant, daemon):
    """dust() -> plant, daemon: two detectors; rules with delays, latching nowhere, silence after 700 ms."""

    def make(run=True):
        world = plant({"listeners": [{"name": "shop", "tcp": "127.0.0.1:0", "units": [
            {"id": unit, "registers": [{"holding": 0, "type": "f32", "value": 5.1}, {"holding": 2, "value": 1}]} for unit in (1, 2)]}]})
        gateway = daemon({
            "buses": [{"name": "shop", "tcp": f"127.0.0.1:{world.ports['shop']}", "timeout": "100ms"}],
            "areas": [{"name": "plant"}, {"name": "mill", "parent": "plant"}],
            "devices": [{"name": f"dust-{unit}", "bus": "shop", "unit": unit, "poll": f"{POLL_MS}ms", "area": "mill",
                         "offline": {"after": "700ms", "level": "orange"},
                         "points": [{"name": "mg", "holding": 0, "type": "f32", "order": "ABCD", "range": [0, 100], "unit": "mg/m³"},
                                    {"name": "fan", "holding": 2, "type": "u16"}]} for unit in (1, 2)],
            "rules": [
                {"name": "high", "points": "*.mg", "above": {"yellow": 20, "red": 50}, "deadband": 1, "on_delay": "150ms",
                 "off_delay": "250ms", "message": "粉尘浓度过高"},
                {"name": "mean", "points": "dust-1.mg", "mean": "3s", "coverage": 50, "above": {"blue": 15, "orange": 40}},
                {"name": "fan-off", "points": "dust-1.fan", "is": {"0": "blue"}}],
        }, run=run)
        return world, gateway

    return make


def level(gateway, rule, point):
    return next((a["level"] for a in gateway.alarms() if a["rule"] == rule and a["point"] == point), None)


def backtest(gateway, *more):
    return json.loads(gateway.ctl("backtest", gateway.file, "--store", gateway.database, "--json", *more).stdout)


def live(gateway):
    """The bodies of the alarm records without seq and hash: what the engine said."""
    records = []
    for body, in gateway.query("SELECT body FROM alarm ORDER BY seq"):
        record = json.loads(body)
        del record["seq"], record["hash"]
        records.append(record)
    return records


def check_same(gateway):
    """A daemon that runs may go on recording: what was there before is played, and what is played is there after."""
    before = live(gateway)
    found = backtest(gateway)
    after = live(gateway)
    for played, recorded in zip(found["events"], after):
        assert played == recorded
    assert len(before) <= len(found["events"]) <= len(after)
    assert found["summary"]["recorded"] == len(found["events"]) == found["summary"]["events"]
    return found


def test_what_ran_comes_again(dust):
    world, gateway = dust()
    alarms = lambda wanted, what: wait_for(lambda: wanted() if gateway.child.running else False, what=what)  # noqa: E731

    world.control.set("shop", 1, "holding", 0, 33.3)
    alarms(lambda: level(gateway, "high", "dust-1.mg") == "yellow", "yellow")
    gateway.ctl("ack", next(a["alarm"] for a in gateway.alarms() if a["rule"] == "high"), "--by", "张三", "--comment", "看到了")
    world.control.set("shop", 1, "holding", 0, 77.7)
    alarms(lambda: level(gateway, "high", "dust-1.mg") == "red", "red")
    alarms(lambda: level(gateway, "mean", "dust-1.mg"), "the mean")
    world.control.fault("shop", 2, "mute")
    alarms(lambda: level(gateway, "offline", "dust-2") == "orange", "its silence")

    assert gateway.stop() == 0
    gateway.start()
    alarms(lambda: level(gateway, "high", "dust-1.mg") == "red", "red after the restart")
    world.control.clear("shop", 2)
    world.control.set("shop", 1, "holding", 2, 0)
    alarms(lambda: level(gateway, "fan-off", "dust-1.fan") == "blue" and level(gateway, "offline", "dust-2") is None, "the fan, and an answer")

    gateway.kill()
    gateway.start()
    alarms(lambda: level(gateway, "high", "dust-1.mg") == "red", "red after the power cut")
    world.control.set("shop", 1, "holding", 0, 2.5)
    world.control.set("shop", 1, "holding", 2, 1)
    world.control.set("shop", 2, "holding", 0, 21)
    alarms(lambda: [a["point"] for a in gateway.alarms() if a["rule"] != "mean"] == ["dust-2.mg"], "only the other one")
    check_same(gateway)  # while it runs

    assert gateway.stop() == 0
    summary = check_same(gateway)["summary"]
    assert [run["stopped"] for run in summary["history"]["runs"]] == [True, False, True]
    rules = {r["rule"]: r for r in summary["rules"]}
    assert rules["high"]["alarms"] == 2 and rules["high"]["red"] == 1 and rules["high"]["yellow"] == 1
    assert rules["mean"]["alarms"] >= 1 and rules["offline"]["orange"] >= 1 and rules["fan-off"]["blue"] == 1
    assert summary["unknown"] == [] and summary["never_recorded"] == [] and not summary["history"]["midway"]


def test_another_limit(dust, tmp_path):
    world, gateway = dust()
    world.control.set("shop", 1, "holding", 0, 33.3)
    wait_for(lambda: level(gateway, "high", "dust-1.mg") == "yellow", what="yellow")
    assert gateway.stop() == 0

    other = json.loads(gateway.file.read_text())
    other["rules"][0]["above"] = {"yellow": 20, "red": 30}
    other["devices"][0]["points"].append({"name": "hum", "holding": 5, "type": "u16"})
    del other["devices"][1]
    file = tmp_path / "other.yaml"
    file.write_text(json.dumps(other))

    found = json.loads(gateway.ctl("backtest", "--compare", gateway.file, file, "--store", gateway.database, "--json").stdout)
    high = next(r for r in found["rules"] if r["rule"] == "high")
    assert high["old"]["yellow"] == 1 and high["new"]["red"] == 1 and high["higher"] == 1
    assert high["appears"] == high["disappears"] == 0
    assert [a["level"] for a in found["other_level"]] == ["red"]
    assert found["new"]["unknown"] == ["dust-2"] and found["new"]["never_recorded"] == ["dust-1.hum"]
    assert found["old"]["unknown"] == [] and found["old"]["never_recorded"] == []

    for arguments in (["backtest", file], ["backtest", "--compare", gateway.file, file]):
        text = gateway.ctl(*arguments, "--store", gateway.database).stdout
        assert "high" in text and "dust-2" in text and "dust-1.hum" in text


def test_wrong_use(dust, tmp_path):
    _, gateway = dust(run=False)
    assert gateway.ctl("backtest", check=False).returncode == 2
    assert gateway.ctl("backtest", "--compare", gateway.file, check=False).returncode == 2
    assert gateway.ctl("backtest", gateway.file, "--from", "yesterday", check=False).returncode == 2
    for command in (["backtest", gateway.file], ["diff", gateway.file, "--backtest"], ["history", "a.b"]):
        turned = gateway.ctl(*command, "--from", "2025-11-23", "--to", "2025-11-22", check=False)
        assert turned.returncode == 2 and "--from is later than --to" in turned.stderr, turned
    missing = gateway.ctl("backtest", gateway.file, "--store", tmp_path / "none.db", check=False)
    assert missing.returncode == 1 and "none.db" in missing.stderr
    foreign = tmp_path / "foreign.db"
    foreign.write_text("no database at all, but long enough to be looked at" * 100)
    refused = gateway.ctl("backtest", gateway.file, "--store", foreign, check=False)
    assert refused.returncode == 1 and "foreign.db" in refused.stderr
    gateway.file.write_text("rules: [{name: x, points: nobody}]")
    broken = gateway.ctl("backtest", gateway.file, "--store", foreign, check=False)
    assert broken.returncode == 1 and "error" in broken.stderr
