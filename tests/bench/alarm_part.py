"""Parts `alarm` and `backfill` of tests/bench/run: how long an alarm takes to a platform, and what a back-fill does, under the full work."""

import contextlib
import json
import subprocess
import time

from conftest import program, wait_for

PATIENCE = 120
OFTEN_MS = 50  # the period of the detector that is polled between the instants of the others
FILL_POINTS = 10  # of a record of bench_fill


def missed(options, world):
    """A store that owes the platform much, where the gateway will find it."""
    path = world.folder / "riskgate.db"
    for old in world.folder.glob("riskgate.db*"):
        old.unlink()
    if options.missed:
        subprocess.run(world.there(program("bench_fill"), path, options.missed), check=True)


@contextlib.contextmanager
def gateway(options, world, make, more):
    """One at work; another one may follow it in the same folder."""
    world.plant[1].do("reset")
    one = make(options, world, more)
    try:
        yield one
    finally:
        one.stop()


# ---- alarms ----

class Detectors:
    """bench_floor alarm: two devices, a subscriber to alarms, and the floor."""

    def __init__(self, world):
        command = world.there(program("bench_floor"), "alarm", world.broker[1], world.core + 1, world.folder)
        # Its floor's thread goes to the gateway's core by itself; the rest is told where to be once it runs.
        self.child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ports = json.loads(self.child.stdout.readline())

    def say(self):
        self.child.stdin.write("\n")
        self.child.stdin.flush()

    def ask(self):
        self.say()
        return json.loads(self.child.stdout.readline())

    def stop(self):
        self.child.stdin.close()
        self.child.wait(PATIENCE)

    def site(self, options):
        """What the configuration has of them: the first one is polled with all others and has as many points, the second one often."""
        devices = []
        for name, period, points in (("burst", options.period, options.points), ("between", min(OFTEN_MS, options.period), 1)):
            devices += [f"  - name: {name}", f"    bus: {name}", "    unit: 1", f"    poll: {period}ms", "    points:"]
            devices += [f"      - {{name: p{i}, holding: {i}, type: u16}}" for i in range(points)]
        return {"buses": [f"  - {{name: {name}, tcp: '127.0.0.1:{port}'}}" for name, port in self.ports.items()], "devices": devices,
                "rules": ["  - {name: shown, points: [burst.p0, between.p0], above: {red: 30000}}"]}


def measure_alarms(options, world, make, rate):
    detectors = Detectors(world)
    try:
        more = detectors.site(options)
        if rate:
            more["uplink"] = f", backfill: {{rate: {rate}/s}}"
        with gateway(options, world, make, more) as one:
            detectors.say()
            before = one.subscriber.ask()
            time.sleep(options.seconds)
            found = detectors.ask()
            after = one.subscriber.ask()
    finally:
        detectors.stop()
    found["live"] = after["live"]
    found["fill_records"] = after["fill_records"] - before["fill_records"]
    found["over_floor_ms"] = {name: {q: found[name][q] - found["floor"][q] for q in ("p50_ms", "p99_ms")} for name in ("burst", "between")}
    return found


def run_alarm(options, world, make):
    options_missed, found = options.missed, {}
    options.missed = 0
    missed(options, world)
    found["work"] = measure_alarms(options, world, make, 0)
    options.missed = options_missed
    missed(options, world)
    # A pace at which it lasts as long as this does.
    found["beside_backfill"] = measure_alarms(options, world, make, max(1, options.missed // (options.seconds + 5)))
    return found


# ---- back-fill ----

def run_backfill(options, world, make):
    missed(options, world)
    with gateway(options, world, make, {"uplink": ", backfill: {rate: unlimited}"}) as one:
        def filled():
            got = one.subscriber.ask()
            return got if got["fill_records"] >= options.missed else None
        got = wait_for(filled, PATIENCE * 5, "the back-fill")
    seconds = max(got["fill_us"], 1) / 1e6
    return {"records": got["fill_records"], "points": got["fill_points"], "seconds": seconds, "records_per_s": got["fill_records"] / seconds,
            "points_per_s": got["fill_points"] / seconds, "live_messages": got["live_messages"], "live": got["live"]}


# ---- both ----

def run(part, options, world, make):
    """make(options, world, more): a gateway at work; more: what its configuration has besides."""
    return run_alarm(options, world, make) if part == "alarm" else run_backfill(options, world, make)


def text(spread):
    return "p50 {p50_ms:.2f}  p99 {p99_ms:.2f}  max {max_ms:.2f} ms".format(**spread)


def rows(part, found):
    if part == "backfill":
        return [("back-fill, unlimited", f"{found['records']:,} records in {found['seconds']:.1f} s: {found['records_per_s']:,.0f} records/s, "
                 f"{found['points_per_s']:,.0f} points/s"),
                ("  what is new beside it", f"{found['live_messages']} messages, their oldest records' age {text(found['live'])}")]
    lines = []
    for name, one in (("alarm under the work", found["work"]), ("beside a back-fill", found["beside_backfill"])):
        lines.append((name, f"{one['fill_records']:,} records were; age of what is new: {text(one['live'])}" if one["fill_records"] else ""))
        lines += [(f"  {what}", f"{text(one[key])}, of {one[key + '_count']}; over the floor p50 {one['over_floor_ms'][key]['p50_ms']:.2f}  p99 "
                   f"{one['over_floor_ms'][key]['p99_ms']:.2f} ms")
                  for what, key in (("from the burst of all devices", "burst"), ("between the bursts", "between"))]
        lines += [(f"  {what}", text(one[key])) for what, key in (("the floor", "floor"), ("    a commit (FULL)", "commit"), ("    a round trip", "trip"))]
    return lines
