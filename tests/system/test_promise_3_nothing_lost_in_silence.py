"""Promise 3: every record reaches every uplink at least once. The broker away for a minute, the link a black hole, connections killed in
the middle of a burst, and the daemon killed during the outage and during the back-fill: afterwards the platform has it all."""

import contextlib
import itertools
import time

from conftest import wait_for
from evidence import (LONG, Listener, assert_lives, assert_store_is_sound, assert_told_is_stored, dice, head, judge, rows,
                      site_of, uplink, world_of)
from stalls import Watch

OUTAGE = 60.0  # the broker away for a minute
BLACK_HOLE = 8.0


def broker_back(broker, link, listener, watcher):
    """Starts the broker again; the gateway gets through only once the others have subscribed, for a broker drops what nobody wants."""
    before = listener.subscribed
    subscribed = broker.child.output().count("Received SUBSCRIBE from riskgate-platform")
    link.cut()
    broker.start()
    wait_for(lambda: listener.subscribed > before, LONG, "the listener's subscription")
    wait_for(lambda: broker.child.output().count("Received SUBSCRIBE from riskgate-platform") > subscribed, LONG,
             "the platform's subscription")
    assert watcher.child.running
    link.mend()


def fills(messages):
    """The numbers of the telemetry sent as back-fill, in the order of arrival."""
    return list(itertools.chain.from_iterable(m.numbers for m in messages if m.kind == "telemetry" and m.fill))


def assert_order_after_outage(messages, raised):
    """messages: what came from the reconnect on, without a further connection between. raised: numbers of the alarm records of the
    outage."""
    telemetry = [m for m in messages if m.kind == "telemetry"]
    live = [m for m in telemetry if not m.fill]
    # What is committed now never waits for the back-fill: of which little may come at a stretch, until the next commit.
    stretches = [sum(len(m.numbers) for m in group) for fill, group in itertools.groupby(telemetry, lambda m: m.fill) if fill]
    assert live and max(stretches) < len(fills(messages)) // 3, (len(live), stretches)
    first_fill = messages.index(next(m for m in telemetry if m.fill))
    told = set(itertools.chain.from_iterable(m.numbers for m in messages[:first_fill] if m.kind == "alarm"))
    assert set(raised) <= told, f"alarms behind the back-fill: {sorted(set(raised) - told)[:5]}"
    for kind in ("alarm", "event", "telemetry"):
        for fill in (True, False):
            sent = [m.numbers for m in messages if m.kind == kind and m.fill is fill]
            flat = list(itertools.chain.from_iterable(sent))
            assert flat == sorted(set(flat)), f"{kind}, back-fill {fill}: out of order"
    assert max(fills(messages)) < live[0].json["first"], "what is not marked as back-fill was taken after the connection came up"


def test_the_broker_away_for_a_minute(plant, make_broker, daemon, platform, relay):
    away, steady = make_broker(), make_broker()
    link = relay(away.port)
    world = plant(world_of(buses=4, units=3, period="3s"))
    watcher, other = platform(away, "--require-complete"), platform(steady, "--require-complete")
    gateway = daemon(site_of(world, [uplink(link.port, backfill={"rate": "2500/s"}), uplink(steady.port, "city")], units=3))
    wait_for(lambda: len(watcher.records("telemetry")) > 200, what="telemetry at the platform")

    with Listener(away.port) as seen:
        away.kill()
        began = time.monotonic()
        missed = {stream: head(gateway, stream) for stream in ("alarm", "telemetry")}
        wait_for(lambda: not gateway.status()["uplinks"][0]["connected"], what="the loss noticed")
        assert gateway.status()["uplinks"][0]["detail"]

        # Meanwhile: polling, alarms, the store and the other platform go on as if nothing were.
        world.control.set("bus-1", 2, "holding", 0, 60)
        lasting = wait_for(lambda: [a for a in gateway.alarms() if a["point"] == "d-1-2.gas"], what="the alarm")[0]["alarm"]
        gateway.ctl("ack", lasting, "--by", "张三")
        wait_for(lambda: any(lasting in text and '"event":"ack"' in text for text in other.records("alarm").values()),
                 what="the acknowledgement at the other platform")
        requests = sum(one["requests"] for one in world.control.stats()["listeners"].values())
        wait_for(lambda: sum(one["requests"] for one in world.control.stats()["listeners"].values()) > requests + 1000,
                 what="further polls")

        # Killed during the outage: the alarm and what is owed outlive it. Late, so that the new process's tries to connect are not
        # far apart yet when the broker is back.
        time.sleep(max(0.0, OUTAGE - 10 - (time.monotonic() - began)))
        owed = gateway.status()["uplinks"][0]["pending"]
        assert owed["telemetry"] > 1000 and owed["alarm"] > 20, owed
        gateway.kill()
        assert_told_is_stored(other, assert_store_is_sound(gateway))
        gateway.start()
        assert [a["acked_by"] for a in gateway.alarms() if a["alarm"] == lasting] == ["张三"]
        assert gateway.status()["uplinks"][0]["pending"]["telemetry"] >= owed["telemetry"]
        time.sleep(max(0.0, OUTAGE - (time.monotonic() - began)))

        raised = [seq for seq in rows(gateway, "alarm") if seq > missed["alarm"] + 1]
        since = seen.count()
        broker_back(away, link, seen, watcher)
        seen.wait(lambda all: len(fills(all[since:])) > owed["telemetry"] // 2, "half of the back-fill", LONG)
        gateway.kill()
        messages = [m for m in seen.messages[since:] if not m.retain]
        assert_order_after_outage(messages, raised)
        begun = min(fills(messages))
        since = seen.count()

        # Killed during the back-fill: it goes on where it was, give or take what was on the way.
        gateway.start()
        seen.wait(lambda all: fills(all[since:]), "the back-fill to go on", LONG)
        assert min(fills(seen.messages[since:])) > begun
    report = judge(gateway, watcher)
    assert report["streams"]["telemetry"]["backfill_messages"] > 0
    assert lasting in assert_lives(rows(gateway, "alarm")).values()
    assert other.finish()["breach_count"] == 0


def test_black_holes_and_cuts(plant, broker, daemon, platform, relay):
    numbers = dice()
    rate = 800
    link = relay(broker.port)
    world = plant(world_of(period="3s"))
    watcher = platform(broker, "--require-complete")
    with contextlib.ExitStack() as stack:
        seen = stack.enter_context(Listener(broker.port))
        gateway = daemon(site_of(world, [uplink(link.port, keepalive="1s", backfill={"rate": f"{rate}/s"})]))
        for _ in range(2):
            connects = wait_for(lambda: gateway.status()["uplinks"][0]["connected"] and gateway.status()["uplinks"][0]["connects"],
                                LONG, "the connection")
            messages = gateway.status()["uplinks"][0]["messages"]
            wait_for(lambda: gateway.status()["uplinks"][0]["messages"] > messages + numbers.randrange(5, 20), what="a burst")
            link.cut()
            wait_for(lambda: not gateway.status()["uplinks"][0]["connected"], what="the cut noticed")
            link.mend()
        wait_for(lambda: gateway.status()["uplinks"][0]["connects"] > connects, LONG, "the connection after the cuts")

        # Now nothing is refused and nothing answers: only the keep-alive tells.
        before = head(gateway, "telemetry")
        link.hold()
        held = time.monotonic()
        wait_for(lambda: not gateway.status()["uplinks"][0]["connected"], what="the black hole noticed")
        world.control.set("bus-2", 1, "holding", 0, 60)
        time.sleep(max(0.0, BLACK_HOLE - (time.monotonic() - held)))
        wait_for(lambda: head(gateway, "telemetry") > before + 2500, LONG, "a backlog")
        watch = stack.enter_context(contextlib.closing(Watch()))
        mended = time.monotonic()
        link.mend()
        # What is stored until then is missed and comes at the pace of a back-fill: the judge's goal has to hold all of it.
        wait_for(lambda: gateway.status()["uplinks"][0]["connected"], LONG, "the connection after the black hole")

        states = [(r["state"], r["detail"]) for _, r in gateway.records("event") if r["kind"] == "uplink"]
        assert [state for state, _ in states].count("lost") >= 3
        assert all(detail for state, detail in states if state == "lost")
        report = judge(gateway, watcher)
        assert report["streams"]["telemetry"]["backfill_messages"] > 0

        filled = [m for m in seen.of("telemetry") if m.fill]
        span = filled[-1].at - filled[0].at
        total = sum(len(m.numbers) for m in filled)
        # A full bucket and one message may come at once; a third for the listener's own late start, and what it stood still before that.
        span += watch.still_ms(mended * 1000, filled[0].at * 1000) / 1000
        assert total > 2000 and span > 0.67 * (total - 1000) / rate, (total, span)
