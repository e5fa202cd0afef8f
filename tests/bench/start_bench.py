#!/usr/bin/python3
"""How long a large configuration takes to be checked and to start, and what it takes of memory.

    RG_BIN=build/release/bin tests/bench/start_bench.py [--devices N] [--points N] [--period MS] [--form FORM]... [--json FILE]

The devices have a TCP connection each, the points are u16 holding registers with three rules on every one, an uplink delivers all. Forms:

    lines     every point written on a line of its own
    profile   the points in one profile, a device a line

For each form, on one core (plant and broker on the others): `riskgatectl check`; a start with an empty store; a start with what the run before
left. Ready is when the last device's first reading was taken, by the readings' own time stamps, counted from exec. Prints a table; no
verdict: on a shared machine a number is none."""

import argparse
import contextlib
import json
import os
import pathlib
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / "tests" / "system"))

from conftest import Broker, Program, program, wait_for  # noqa: E402
from small_box import memory_kib  # noqa: E402

FORMS = ("lines", "profile")
PATIENCE = 300
TICK = os.sysconf("SC_CLK_TCK")


def configure(folder, options, form, ports, url):
    """The configuration in that form; its size in bytes."""
    points = [f"{{name: p{i}, holding: {i}, type: u16}}" for i in range(options.points)]
    lines = ["gateway: {id: gw-01, enterprise: {code: 91350100M000100Y43, name: 测试企业}}", "store: {path: riskgate.db}",
             f"uplinks: [{{name: county, url: '{url}'}}]", "buses:"]
    lines += [f"  - {{name: {name}, tcp: '127.0.0.1:{port}'}}" for name, port in ports.items()]
    lines += ["devices:"]
    for name in ports:
        device = f"name: {name}, bus: {name}, unit: 1, poll: {options.period}ms"
        if form == "profile":
            lines += [f"  - {{{device}, profile: bench-map}}"]
        else:
            lines += ["  - " + device.replace(", ", "\n    "), "    points:", *(f"      - {point}" for point in points)]
    lines += ["rules:",
              "  - {name: high, points: '*.*', above: {yellow: 60000, red: 64000}, deadband: 100}",
              "  - {name: low, points: '*.*', below: {yellow: 100, red: 10}}",
              f"  - {{name: long, points: '*.*', above: {{blue: 45000}}, on_delay: {options.period * 20}ms}}"]
    (folder / "riskgate.yaml").write_text("\n".join(lines) + "\n")
    (folder / "profiles").mkdir()
    (folder / "profiles" / "bench-map.yaml").write_text(
        "name: bench-map\nmaker: none\ndevice: a map of registers\nreads: what the plant makes up\nsource: start_bench.py\nnote: none\npoints:\n"
        + "".join(f"  - {point}\n" for point in points))
    return (folder / "riskgate.yaml").stat().st_size


def check(here, folder):
    """(seconds, of them on the processor)"""
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run([*here, str(program("riskgatectl")), "check", "riskgate.yaml"], cwd=folder, capture_output=True, text=True, check=False)
    took, after = time.monotonic() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        sys.exit(f"check: {done.stdout}{done.stderr}")
    return took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def firsts(database, since):
    """The time stamp of each device's first reading since a moment; none where the store is not made yet."""
    try:
        with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)) as db:
            return dict(db.execute("SELECT json_extract(body, '$.device'), min(ts) FROM telemetry WHERE ts >= ? GROUP BY 1", (since,)))
    except sqlite3.OperationalError:
        return {}


def run(here, folder, options):
    """One start, to the readings of three polls of all devices."""
    since = time.time() * 1000
    daemon = Program([*here, program("riskgated"), "--config", "riskgate.yaml"], folder / "riskgated.log", cwd=folder)

    def readings(records):
        assert daemon.running, daemon.output()
        found = firsts(folder / "riskgate.db", since)
        return len(found) == options.devices and found if records else found

    try:
        found = wait_for(lambda: readings(True), PATIENCE, "a reading of every device")
        ready = max(found.values())
        fields = pathlib.Path(f"/proc/{daemon.pid}/stat").read_text().rpartition(")")[2].split()
        cpu = (int(fields[11]) + int(fields[12])) / TICK
        wait_for(lambda: firsts(folder / "riskgate.db", ready + 3 * options.period), PATIENCE, "three polls more")
        return {"first_s": (min(found.values()) - since) / 1000, "ready_s": (ready - since) / 1000, "cpu_s_so_far": cpu,
                "resident_mib": memory_kib(daemon.pid) / 1024, "at_most_mib": memory_kib(daemon.pid, "VmHWM") / 1024}
    finally:
        daemon.stop(PATIENCE)


def measure(here, there, options, form, url):
    with tempfile.TemporaryDirectory(prefix="riskgate-start-", dir=options.folder) as name, contextlib.ExitStack() as stack:
        folder = pathlib.Path(name)
        listeners = [{"name": f"d{i}", "tcp": "127.0.0.1:0", "units": [{"id": 1, "registers": [
            {"holding": 0, "count": options.points, "value": 30000, "noise": {"amplitude": 20000, "every": f"{max(options.period // 2, 1)}ms"}}]}]}
                     for i in range(options.devices)]
        ports = folder / "ports.json"
        (folder / "plant.yaml").write_text(json.dumps({"history": 4, "tick": f"{min(10, max(options.period // 2, 1))}ms", "listeners": listeners}))
        plant = Program([*there, program("riskgate-plant"), "--config", folder / "plant.yaml", "--port-file", ports], folder / "plant.log")
        stack.callback(plant.stop)
        wait_for(lambda: ports.exists() or not plant.running, PATIENCE, "the plant")
        assert plant.running, plant.output()
        found = {"bytes": configure(folder, options, form, json.loads(ports.read_text()), url)}
        found["check_s"], found["check_cpu_s"] = check(here, folder)
        found["empty"] = run(here, folder, options)
        found["again"] = run(here, folder, options)
        return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, default=1000)
    parser.add_argument("--points", type=int, default=100, help="of each device")
    parser.add_argument("--period", type=int, default=1000, metavar="MS", help="of polling")
    parser.add_argument("--form", action="append", choices=FORMS, help="this one; may be given again")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="the same as JSON")
    parser.add_argument("--folder", type=pathlib.Path, help="on the disk to use; default: that of temporary files")
    options = parser.parse_args()
    if min(options.devices, options.points, options.period) < 1:
        parser.error("numbers are at least 1")
    cores = sorted(os.sched_getaffinity(0))
    here = ["taskset", "-c", str(cores[-1])]
    there = ["taskset", "-c", ",".join(map(str, cores[:-1] or cores))]
    result = {"devices": options.devices, "points": options.devices * options.points, "load": os.getloadavg()[0]}
    print(f"{options.devices} devices x {options.points} points every {options.period} ms; {os.cpu_count()} processors, load {result['load']:.1f}")
    print("| form | bytes | check, s (on the processor) | store | first reading, s | all devices', s | on the processor, s | MiB | MiB at most |")
    print("| --- | ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory(prefix="riskgate-broker-") as name:
        broker = Broker(pathlib.Path(name))
        broker.start()
        try:
            for form in options.form or FORMS:
                found = result[form] = measure(here, there, options, form, broker.url)
                for store in ("empty", "again"):
                    one = found[store]
                    print(f"| {form} | {found['bytes']:,} | {found['check_s']:.2f} ({found['check_cpu_s']:.2f}) | {store} | {one['first_s']:.2f} | "
                          f"{one['ready_s']:.2f} | {one['cpu_s_so_far']:.2f} | {one['resident_mib']:.1f} | {one['at_most_mib']:.1f} |", flush=True)
        finally:
            broker.kill()
    if options.json:
        options.json.write_text(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
