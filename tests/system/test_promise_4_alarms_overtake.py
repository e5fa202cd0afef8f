"""Promise 4: alarms overtake everything. Judged by order, not by the clock: how much telemetry that is younger than an alarm, or older and
long waiting, arrives before it."""

from conftest import wait_for
from evidence import LONG, Listener, head, judge, site_of, uplink, world_of

WINDOW = 32  # messages on their way at most (daemon/uplink/uplink.h)
MESSAGE = 500  # records in one of them at most


def records_before(messages, position, kind, wanted=lambda record: True):
    return sum(wanted(record) for m in messages[:position] if m.kind == kind for record in m.json["records"])


def place_of(messages, alarm, event):
    """Index of the message that brought this transition."""
    return next(i for i, m in enumerate(messages) if m.kind == "alarm"
                and any(r["alarm"] == alarm and r["event"] == event for r in m.json["records"]))


def test_beside_live_telemetry_and_a_large_back_fill(plant, broker, daemon, platform, relay):
    link = relay(broker.port)
    world = plant(world_of(buses=4, units=4))
    watcher = platform(broker, "--require-complete")
    link.cut()
    gateway = daemon(site_of(world, [uplink(link.port, backfill={"rate": "100/s"})], poll="10ms", swings=False))
    wait_for(lambda: head(gateway, "telemetry") > 5000, LONG, "a large backlog")
    with Listener(broker.port) as seen:
        link.mend()
        seen.wait(lambda all: any(m.kind == "telemetry" and m.fill for m in all), "the back-fill", LONG)
        raised = []
        for value in (60, 0) * 5:  # a red alarm and its end, five times over, on another device each time
            unit = 1 + len(raised) // 2 % 4
            world.control.set("bus-0", unit, "holding", 0, value)
            point = f"d-0-{unit}.gas"
            event = "raise" if value else "clear"
            before = len(raised)

            def told(all, event=event, point=point, before=before):
                found = [(r["alarm"], r["event"]) for m in all if m.kind == "alarm" for r in m.json["records"]
                         if r["event"] == event and r["point"] == point and (r["alarm"], r["event"]) not in raised]
                return found if len(raised) == before and found else None

            raised.append(seen.wait(told, f"{event} of {point}", LONG)[0])
        messages = [m for m in seen.messages if not m.retain]
        backlog = gateway.status()["uplinks"][0]["pending"]["telemetry"]
        assert backlog > 2 * MESSAGE, f"no back-fill was left to overtake: {backlog}"
        for alarm, event in raised:
            position = place_of(messages, alarm, event)
            at = next(r["ts"] for r in messages[position].json["records"] if (r["alarm"], r["event"]) == (alarm, event))
            younger = records_before(messages, position, "telemetry", lambda r, at=at: r["ts"] > at)
            # What the store read before the alarm was committed may already be on the wire: one message.
            assert younger <= MESSAGE, f"{younger} younger readings came before {event} of {alarm}"
            assert not messages[position].fill
        # Nothing of the alarm stream is late or missing while telemetry is thousands behind.
        assert gateway.status()["uplinks"][0]["pending"]["alarm"] <= 1
        gateway.config["uplinks"][0]["backfill"]["rate"] = "unlimited"
        gateway.reload()
        judge(gateway, watcher)


def test_behind_a_full_window(plant, broker, daemon, platform, relay):
    """The link takes nothing for a while: the window fills with telemetry. An alarm of that time has at most the window before it."""
    link = relay(broker.port)
    world = plant(world_of(buses=4, units=4))
    watcher = platform(broker, "--require-complete")
    with Listener(broker.port) as seen:
        gateway = daemon(site_of(world, [uplink(link.port, keepalive="120s", backfill={"rate": "300/s"})], poll="10ms", swings=False))
        seen.wait(lambda all: any(m.kind == "telemetry" for m in all), "telemetry")
        link.hold()

        def full():
            before = gateway.status()["uplinks"][0]["messages"]
            waiting = gateway.status()["uplinks"][0]["pending"]["telemetry"]
            wait_for(lambda: gateway.status()["uplinks"][0]["pending"]["telemetry"] > waiting + 1500, LONG, "more records")
            return gateway.status()["uplinks"][0]["messages"] == before

        wait_for(full, LONG, "a full window")
        since = seen.count()
        world.control.set("bus-3", 2, "holding", 0, 60)
        alarm = wait_for(lambda: gateway.alarms(), what="the alarm")[0]["alarm"]
        behind = gateway.status()["uplinks"][0]["pending"]["telemetry"]
        wait_for(lambda: gateway.status()["uplinks"][0]["pending"]["telemetry"] > behind + 2000, LONG, "telemetry behind the alarm")
        link.mend()
        seen.wait(lambda all: any(m.kind == "alarm" for m in all[since:]), "the alarm", LONG)
        messages = seen.messages[since:]
        position = place_of(messages, alarm, "raise")
        ahead = [m for m in messages[:position] if m.kind == "telemetry"]
        assert len(ahead) <= WINDOW
        assert sum(len(m.payload) for m in ahead) <= 256 << 10
        # What had waited for longer than the alarm came after it.
        at = next(r["ts"] for r in messages[position].json["records"] if r["alarm"] == alarm)
        seen.wait(lambda all: any(r["ts"] < at for m in all[since + position:] if m.kind == "telemetry" for r in m.json["records"]),
                  "older telemetry after the alarm", LONG)
        status = gateway.status()["uplinks"][0]
        assert status["connected"] and status["connects"] == 1
        judge(gateway, watcher)
