"""Fifty reloads under load, in every way a configuration can change and with files that are refused among them: nothing leaks, nothing is
lost, and what did not change never notices."""

import json
import signal

from conftest import wait_for
from evidence import (LONG, assert_store_is_sound, await_arrival, configs_of, descriptors, head, judge, resident, site_of, threads,
                      uplink, world_of)
from test_promise_5_a_thousand import sanitized
from test_promise_9_bounded import LITTLE_QUARANTINE

WARM, MORE = 10, 50
# Bytes. A site that is kept is 64 KiB and more, so 50 of them 3 MiB; 1 MiB of the store's pages may still come into its cache meanwhile.
GROWTH = 2 << 20


def changed(site, number):
    """The site in its shape of that number: one kind of change each; every fifth is refused. All are back after ten."""
    site = json.loads(json.dumps(site))
    kind = number % 10
    if kind in (4, 9):
        site["rules"][0]["above"] = {"yellow": 60, "red": 50}
    elif kind in (0, 5):
        site["rules"][0]["above"] = {"yellow": 20, "red": 51 + kind}
    elif kind in (1, 6):
        site["devices"][0]["poll"] = f"{30 + kind}ms"
    elif kind in (2, 7):
        site["devices"].append({**site["devices"][-1], "name": "one-more", "unit": 4})
        site["rules"].append({"name": "mean", "points": "*.swing", "signal": {"mean": "10s"}, "above": {"blue": 90}})
    elif kind == 3:
        del site["buses"][1]
        site["devices"] = [d for d in site["devices"] if d["bus"] != "bus-1"]
    else:
        site["uplinks"].append({**site["uplinks"][0], "name": "city"})
    return json.dumps(site, ensure_ascii=False)


def take(gateway, text, number):
    """By a signal and by the tool in turn; waits for its event. Whether it was taken."""
    before = len(configs_of(gateway))
    beside = gateway.file.with_suffix(".new")
    beside.write_text(text, encoding="utf-8")
    beside.replace(gateway.file)
    if number % 2:
        gateway.child.signal(signal.SIGHUP)
    else:
        gateway.ctl("reload", "--json", check=False)
    wait_for(lambda: len(configs_of(gateway)) > before, LONG, "the config event")
    return configs_of(gateway)[before]["applied"]


def test_fifty_reloads_leak_nothing(plant, broker, daemon, platform):
    world = plant(world_of(buses=3, units=4))
    watcher = platform(broker, "--require-complete")
    gateway = daemon(site_of(world, [uplink(broker.port, backfill={"rate": "unlimited"})], units=3), run=False)
    gateway.start(env=LITTLE_QUARANTINE)
    pid, figures, polled = gateway.child.pid, [], 0
    wait_for(lambda: head(gateway, "telemetry") > 100, what="the site at work")
    original = json.dumps(gateway.config, ensure_ascii=False)
    assert json.loads(gateway.ctl("reload", "--json").stdout)["outcome"] == "unchanged"

    for number in range(WARM + MORE):
        if number in (WARM, WARM + MORE - 10):
            figures.append((resident(pid), descriptors(pid), threads(pid)))
        stored = head(gateway, "telemetry")
        assert take(gateway, changed(gateway.config, number), number) == (number % 5 != 4), number
        wait_for(lambda s=stored: head(gateway, "telemetry") > s + 30, LONG, "polling to go on")
        now = gateway.device("d-2-3")["ok"]
        assert now >= polled, "a device that never changed began anew"
        polled = now
    assert take(gateway, original, 1)

    wait_for(lambda: threads(pid) <= figures[0][2], LONG, "the old threads ended")
    wait_for(lambda: descriptors(pid) <= figures[0][1], LONG, "the old descriptors closed")
    grown = resident(pid) - figures[0][0]
    print(f"{figures}: grown by {grown >> 10} KiB over {MORE} reloads")
    assert grown < GROWTH or sanitized(), "what is still referred to, and never freed"  # a sanitizer tells of the rest, at the end
    listeners = world.control.stats()["listeners"]
    assert listeners["bus-2"]["accepted"] == 1, "a bus that never changed was connected once"
    county = next(u for u in gateway.status()["uplinks"] if u["name"] == "county")
    assert county["connects"] == 1, "a platform that never changed was connected once"
    await_arrival(gateway, watcher)
    judge(gateway, watcher)
    assert_store_is_sound(gateway)
