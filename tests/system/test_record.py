"""Which readings are recorded: thinned while nothing happens, all of them around an alarm, and every one in the minute roll-ups, which a
kill -9 neither shortens nor counts twice; riskgatectl history tells both."""

import json

from conftest import wait_for

NAIVE = """SELECT device || '.' || point AS p, ts - ts % 60000 AS m, count(value), min(value), max(value), round(avg(value), 9),
           count(*) FILTER (WHERE quality <> 'good') FROM v_reading GROUP BY 1, 2 ORDER BY 1, 2"""
ROLLED = "SELECT point, minute, n, min, max, round(mean, 9), bad FROM v_rollup ORDER BY 1, 2"


def site_of(world, **device):
    return {
        "store": {"commit": "100ms"},
        "buses": [{"name": "shop", "tcp": f"127.0.0.1:{world.ports['shop']}", "timeout": "200ms"}],
        "devices": [{"name": "gas", "bus": "shop", "unit": 1, "poll": "20ms", "offline": {"after": "1h"},
                     "points": [{"name": "lel", "holding": 0, "type": "u16", "scale": 0.1, "change": 5},
                                {"name": "fan", "holding": 1, "type": "u16", "bit": 0}], **device}],
        "rules": [{"name": "high", "points": "gas.lel", "above": {"red": 50}}],
    }


def shop(plant):
    return plant({"listeners": [{"name": "shop", "tcp": "127.0.0.1:0", "units": [
        {"id": 1, "registers": [{"holding": 0, "value": 100}, {"holding": 1, "value": 1}]}]}]})


def frames(gateway, where="1"):
    return [row[0] for row in gateway.query(f"SELECT count(*) FROM telemetry WHERE {where}")][0]


def test_thinned_but_around_an_alarm(plant, daemon):
    world = shop(plant)
    gateway = daemon(site_of(world, record={"every": "1h", "around_alarms": "500ms"}))
    thinned = lambda: gateway.device("gas")["thinned"]  # noqa: E731
    wait_for(lambda: thinned() > 100, what="readings that are not recorded")
    wait_for(lambda: frames(gateway) >= 1, what="the first frame")
    assert frames(gateway) == 1
    assert gateway.device("gas")["held"] > 0 and gateway.device("gas")["recorded"] == 1

    world.control.set("shop", 1, "holding", 0, 600)
    wait_for(lambda: frames(gateway, "held") > 5 and frames(gateway) > 20, what="what was held back, and all that comes now")
    raised = gateway.records("alarm")[0][1]["ts"]
    held = gateway.query("SELECT ts, turn, seq FROM telemetry WHERE held ORDER BY seq")
    assert held == sorted(held) and [row[1] for row in held] == sorted(row[1] for row in held)
    # Half a second is measured on the monotonic clock; its ms do not begin with those of the wall clock.
    assert all(raised - 502 <= ts <= raised + 2 for ts, _, _ in held), [ts - raised for ts, _, _ in held]
    before = thinned()
    world.control.set("shop", 1, "holding", 0, 100)
    wait_for(lambda: thinned() > before + 50, what="thinning again")
    cleared = gateway.records("alarm")[-1][1]
    assert cleared["event"] == "clear"
    after = gateway.query("SELECT max(ts) FROM telemetry")[0][0]
    assert cleared["ts"] < after <= cleared["ts"] + 502
    recorded = frames(gateway)

    # A state is recorded at once when it changes, a quantity only beyond its `change`.
    world.control.set("shop", 1, "holding", 0, 140)
    before = thinned()
    wait_for(lambda: thinned() > before + 20, what="polls that saw 14.0")
    assert frames(gateway) == recorded
    world.control.set("shop", 1, "holding", 1, 0)
    wait_for(lambda: frames(gateway) == recorded + 1, what="the fan's frame")
    assert gateway.records("telemetry")[-1][1]["values"] == {"lel": 14, "fan": 0}

    # The rules saw everything, and so do the roll-ups.
    seen = gateway.device("gas")["recorded"] + gateway.device("gas")["thinned"]
    gateway.stop()
    total = gateway.query("SELECT sum(n + bad) FROM v_rollup WHERE point = 'gas.lel'")[0][0]
    assert total >= seen > recorded
    shown = json.loads(gateway.ctl("history", "gas.lel", "--minute", "--store", gateway.database, "--json").stdout)["rows"]
    assert sum(row["n"] + row["bad"] for row in shown) == total and min(row["min"] for row in shown) == 10
    told = json.loads(gateway.ctl("backtest", gateway.file, "--store", gateway.database, "--json").stdout)["summary"]
    assert [(t["device"], t["every_ms"]) for t in told["history"]["thinned"]] == [("gas", 3600000)]


def test_roll_ups_over_kills(plant, daemon):
    world = shop(plant)
    gateway = daemon(site_of(world), run=False)
    for value in (100, 200, 300):
        world.control.set("shop", 1, "holding", 0, value)
        gateway.start()
        reached = frames(gateway) + 40
        wait_for(lambda: frames(gateway) >= reached, what="readings on the disk")  # noqa: B023
        gateway.kill()
    gateway.start()
    world.control.fault("shop", 1, "mute")
    wait_for(lambda: frames(gateway, "body LIKE '%\"bad\"%'") > 0, what="a bad reading")
    gateway.stop()
    assert gateway.query(ROLLED) == gateway.query(NAIVE)
    assert gateway.query("SELECT sum(n), sum(bad) FROM v_rollup WHERE point = 'gas.lel'")[0][0] > 100

    shown = json.loads(gateway.ctl("history", "gas.lel", "--store", gateway.database, "--json").stdout)["rows"]
    assert [(row["ts"], row["value"], row["quality"]) for row in shown] == gateway.query(
        "SELECT ts, value, quality FROM v_reading WHERE device = 'gas' AND point = 'lel' ORDER BY ts, seq")
    assert gateway.ctl("history", "gas.nothing", "--minute", "--store", gateway.database, check=False).returncode == 1
    fan = json.loads(gateway.ctl("history", "gas.fan", "--store", gateway.database, "--json").stdout)["rows"]
    assert {row["value"] for row in fan} == {1, None}  # its own readings, none of its neighbour's
    assert gateway.ctl("history", check=False).returncode == 2


def test_history_of_the_running_daemon(plant, daemon):
    gateway = daemon(site_of(shop(plant)))
    wait_for(lambda: frames(gateway) > 5, what="readings on the disk")
    lines = gateway.ctl("history", "gas.lel").stdout.splitlines()
    assert len(lines) > 5 and lines[-1].replace(",", " ").split()[2:4] == ["10", "good"]
