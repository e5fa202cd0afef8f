"""The system clock is set while the daemon runs: by seconds, hours and years, forward and back, before it was ever synchronised and
after. Polls, delays, commits, keep-alive and retention go by another clock and notice nothing; each setting is told; what was taken
before the clock could be trusted is told apart for ever. The clock is the daemon's own (tests/preload): the machine's is not touched."""

import json

import pytest

from conftest import wait_for
from evidence import LONG, Listener, head, judge, site_of, uplink, world_of
from staged import DAY, HOUR, MINUTE, YEAR, Clock

ON_DELAY, LONG_DELAY = 700, 4000
FIRMWARE = 1_600_000_000  # what a board without a battery shows: 2020-09-13
SETTINGS = (5, -5, 3 * HOUR, -26 * HOUR, 26 * HOUR, 31 * DAY, -31 * DAY, YEAR, -YEAR - 2 * HOUR, 1.2, -1.5, -50 * YEAR, 50 * YEAR)
EVES = (1_835_481_596, 1_798_761_596, 2_147_483_644)  # 2028-02-29 23:59:56, 2026-12-31 23:59:56, the end of 32-bit time


def alarms_site(world, port, on_delay=ON_DELAY, **options):
    site = site_of(world, [uplink(port, keepalive="2s", **options)], units=2, poll="50ms", swings=False)
    site["rules"] = [{"name": "gas-high", "points": "*.gas", "above": {"red": 50}, "on_delay": f"{on_delay}ms", "off_delay": "300ms"}]
    return site


def events(gateway, kind):
    return [r for _, r in gateway.records("event") if r["kind"] == kind]


def crossing(gateway, seq):
    """Milliseconds on the monotonic clock from the first reading over the limit to the alarm of that number."""
    (raised,) = gateway.query("SELECT mono FROM alarm WHERE seq = ?", seq)[0]
    # The alarm may be stored before the last of what it was raised for: one that is younger shows that all of it is there.
    wait_for(lambda: gateway.query("SELECT max(mono) FROM telemetry WHERE device = (SELECT id FROM device WHERE name = 'd-0-1')")[0][0] > raised,
             what="the readings up to the alarm")
    rows = gateway.query("SELECT mono, body FROM telemetry WHERE device = (SELECT id FROM device WHERE name = 'd-0-1') AND mono <= ?"
                         " ORDER BY seq", raised)
    over = None
    for mono, body in rows:
        high = json.loads(body)["values"].get("gas", 0) >= 50
        over = mono if high and over is None else over if high else None
    return raised - over


def raise_and_clear(gateway, world, meanwhile):
    """An alarm whose on-delay runs while something happens to the clock; its raise's number."""
    before = head(gateway, "alarm")
    asked = lambda: world.control.listener("bus-0")["units"]["1"]["requests"]  # noqa: E731
    world.control.set("bus-0", 1, "holding", 0, 60)
    then = asked()
    # The second request comes after the answer to the first was taken. By the plant's word, which is there at once: no program is
    # started for it, as the delay does not wait.
    wait_for(lambda: asked() >= then + 2, what="the reading over the limit")
    meanwhile()
    seq = wait_for(lambda: [s for s, r in gateway.records("alarm") if s > before and r["event"] == "raise"], what="the alarm")[0]
    world.control.set("bus-0", 1, "holding", 0, 0)
    wait_for(lambda: [s for s, r in gateway.records("alarm") if s > seq and r["event"] == "clear"], what="the alarm's end")
    return seq


def answered(gateway):
    return sum(d["ok"] for d in gateway.status()["devices"])


@pytest.fixture
def clock(tmp_path):
    return Clock(tmp_path)


def test_settings_change_nothing_but_the_stamps(plant, broker, daemon, platform, clock):
    world = plant(world_of(buses=1, units=2))
    watcher = platform(broker, "--require-complete")
    site = alarms_site(world, broker.port)
    site["store"] = {"commit": "100ms", "retention": {"telemetry": "100y", "alarms": "100y", "events": "100y"}}
    gateway = daemon(site, run=False).start(env=clock.env())
    told = 0
    with Listener(broker.port) as seen:
        for setting in (*SETTINGS, *(("eve", eve) for eve in EVES)):
            before = answered(gateway), seen.count()
            ahead = clock.ahead

            def set_clock(setting=setting):
                if isinstance(setting, tuple):
                    clock.show(setting[1])
                else:
                    clock.step(setting)

            seq = raise_and_clear(gateway, world, set_clock)
            told += 1
            event = wait_for(lambda n=told: (events(gateway, "clock") + [None])[n - 1], what=f"the step {setting} told")
            assert event["synced"] is True and abs(event["step_ms"] - (clock.ahead - ahead) * 1000) < 500, (setting, event)
            # The delay is that of the monotonic clock, to the millisecond; the time told is that of the clock as it is now.
            assert abs(crossing(gateway, seq) - ON_DELAY) <= 1, setting
            raised = dict(gateway.records("alarm"))[seq]
            assert -1000 < clock.now_ms() - raised["ts"] < LONG * 1000, (setting, raised)
            wait_for(lambda b=before: answered(gateway) > b[0] + 10, what="further polls")
            seen.wait(lambda all, b=before: any(m.kind == "telemetry" and abs(m.json["records"][-1]["ts"] - clock.now_ms()) < 60000
                                                for m in all[b[1]:]), "telemetry with the new time")
        state = gateway.status()["uplinks"][0]
        assert state["connected"] and state["connects"] == 1, "the connection is kept alive by another clock"
    assert len(events(gateway, "clock")) == told
    assert not events(gateway, "lost") and not [e for e in events(gateway, "device") if e["state"] == "offline"]
    assert gateway.query("SELECT count(*) FROM telemetry WHERE unsynced <> 0")[0][0] == 0
    judge(gateway, watcher)


def test_a_start_without_network_time(plant, broker, daemon, platform, clock):
    """A board that wakes up years ago. What it takes until it is told the time is marked, in the record, the message and the store; the
    setting is told; nothing of it is marked or unmarked afterwards, and the age of what has no time is not judged."""
    clock.show(FIRMWARE, synced=False)
    world = plant(world_of(buses=1, units=2))
    watcher = platform(broker, "--require-complete")
    gateway = daemon(alarms_site(world, broker.port, LONG_DELAY), run=False).start(env=clock.env())
    assert gateway.status()["clock_synced"] is False
    wait_for(lambda: len(watcher.records("telemetry")) > 20, what="telemetry")
    seq = raise_and_clear(gateway, world, lambda: None)
    with Listener(broker.port) as seen:
        seen.wait(lambda all: any(m.kind == "telemetry" and m.json.get("clock") == "unsynced" for m in all), "a marked message")
        seen.wait(lambda all: any(m.kind == "state" and m.json.get("clock") == "unsynced" for m in all), "a marked document")

        # Its delay begins in the past and ends today, when the daemon has seen that the clock may be trusted (it looks once a second).
        def set_clock():
            clock.show(1_800_000_000, synced=True)
            wait_for(lambda: gateway.status()["clock_synced"], what="the trust")

        over = raise_and_clear(gateway, world, set_clock)
        event = wait_for(lambda: events(gateway, "clock"), what="the setting told")[0]
        assert event["synced"] is True and abs(event["step_ms"] - (1_800_000_000 - FIRMWARE) * 1000) < 600_000
        since = seen.count()
        seen.wait(lambda all: any(m.kind == "telemetry" and "clock" not in m.json for m in all[since:]), "an unmarked message")
        assert gateway.status()["clock_synced"] is True

        # Lost again, and found again with a setting back.
        clock.sync(False)
        wait_for(lambda: len(events(gateway, "clock")) == 2, what="the loss told")
        clock.step(-2 * HOUR)
        wait_for(lambda: len(events(gateway, "clock")) == 3, what="the step told")
        clock.sync(True)
        wait_for(lambda: len(events(gateway, "clock")) == 4, what="the synchronisation told")
        assert [(e["step_ms"] != 0, e["synced"]) for e in events(gateway, "clock")] == [(True, True), (False, False), (True, False), (False, True)]

    alarms = dict(gateway.records("alarm"))
    assert alarms[seq]["clock"] == "unsynced" and abs(alarms[seq]["ts"] / 1000 - FIRMWARE) < 600
    assert "clock" not in alarms[over] and abs(alarms[over]["ts"] / 1000 - 1_800_000_000) < 600
    assert abs(crossing(gateway, over) - LONG_DELAY) <= 1
    gateway.stop()
    for stream in ("alarm", "telemetry", "event"):
        for number, body, unsynced, ts in gateway.query(f"SELECT seq, body, unsynced, ts FROM {stream}"):
            record = json.loads(body)
            assert (record.get("clock") == "unsynced") == bool(unsynced), (stream, number)
            # No time of a clock that was not set is without its mark.
            assert unsynced or record["ts"] > 1_700_000_000_000, (stream, number, record)
            assert record["ts"] == ts
    before = {stream: gateway.query(f"SELECT seq, body FROM {stream}") for stream in ("alarm", "telemetry")}
    gateway.start(env=clock.env())
    wait_for(lambda: head(gateway, "telemetry") > len(before["telemetry"]) + 20, what="further records")
    for stream, rows in before.items():
        assert gateway.query(f"SELECT seq, body FROM {stream} WHERE seq <= ?", len(rows)) == rows, stream
    assert not events(gateway, "lost")
    judge(gateway, watcher)


def test_put_back_while_it_connects_and_stops(plant, make_broker, daemon, platform, clock):
    """Libraries wait until a time of day here and there: a clock that is put back by hours must not make such a wait one of hours."""
    broker = make_broker(persistence=True)
    world = plant(world_of(buses=1, units=2))
    watcher = platform(broker, "--require-complete")
    gateway = daemon(alarms_site(world, broker.port), run=False).start(env=clock.env())
    for turn in range(4):
        wait_for(lambda: gateway.status()["uplinks"][0]["connected"], LONG, "the connection")
        goal = head(gateway, "telemetry")
        clock.step(-7 * HOUR)
        wait_for(lambda g=goal: max(watcher.records("telemetry"), default=0) > g, LONG, "telemetry after the setting")
        if turn % 2:
            gateway.child.signal(1)
        else:
            broker.stop()
            wait_for(lambda: not gateway.status()["uplinks"][0]["connected"], what="the loss")
            clock.step(-3 * HOUR)
            broker.start()
    clock.step(-MINUTE)
    judge(gateway, watcher)
