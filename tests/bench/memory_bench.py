#!/usr/bin/python3
"""What a small box needs: memory of the daemon with 100 devices of 20 points each, and the time from its start to its first reading.

    RG_BIN=build/release/bin tests/bench/memory_bench.py [--seconds N] [--period 1s] [--maps]

Prints a table; no verdict. For each site: memory right after the first readings, after N seconds of polling, after a reload, and the most it
ever was, start and reload included; then the time from exec to the first reading, and to the last device's first one, by the readings' own
time stamps. --maps adds where the memory lies before the reload."""

import argparse
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import sys
import tempfile
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / "tests" / "system"))

import small_box  # noqa: E402
from conftest import Broker, Program, program, wait_for  # noqa: E402


def ask(folder, sql):
    try:
        with sqlite3.connect(f"file:{folder / 'riskgate.db'}?mode=ro", uri=True, timeout=10) as db:
            return db.execute(sql).fetchall()
    except sqlite3.OperationalError:
        return []  # not made yet


def reload(folder, config, daemon):
    config["rules"][0]["above"]["red"] += 1
    (folder / "riskgate.yaml").write_text(small_box.text(config))
    daemon.signal(signal.SIGHUP)
    wait_for(lambda: ask(folder, "SELECT 1 FROM event WHERE json_extract(body, '$.kind') = 'config'"), what="the reload")
    time.sleep(3)


def measure(name, folder, daemon, config, began, wanted):
    def firsts():
        rows = ask(folder, "SELECT json_extract(body, '$.device'), min(ts) FROM telemetry GROUP BY 1")
        return len(rows) == small_box.DEVICES and [ts - began for _, ts in rows]

    first = wait_for(firsts, 60, "a reading of every device")
    figures = [small_box.memory_kib(daemon.pid)]
    time.sleep(wanted.seconds)
    figures.append(small_box.memory_kib(daemon.pid))
    where = small_box.mappings(daemon.pid) if wanted.maps else {}
    threads = len(os.listdir(f"/proc/{daemon.pid}/task"))
    reload(folder, config, daemon)
    figures += [small_box.memory_kib(daemon.pid), small_box.memory_kib(daemon.pid, "VmHWM")]
    print(f"| {name} | {threads} | {' | '.join(f'{kib / 1024:.1f}' for kib in figures)} | {min(first):.0f} | {max(first):.0f} |", flush=True)
    for kind, (resident, dirty) in sorted(where.items(), key=lambda item: -item[1][0])[:16]:
        print(f"    {resident:7} KiB, {dirty:6} of them private and written: {kind}")


def run(name, folder, buses, uplinks, wanted):
    folder.mkdir()
    (folder / "plant.yaml").write_text(json.dumps(small_box.scenario(buses)))
    ports = folder / "ports.json"
    plant = Program([program("riskgate-plant"), "--config", folder / "plant.yaml", "--port-file", ports], folder / "plant.log")
    daemon = None
    try:
        wait_for(lambda: ports.exists() or not plant.running, what="the plant")
        assert plant.running, plant.output()
        config = small_box.site(folder, json.loads(ports.read_text()), uplinks, wanted.period)
        (folder / "riskgate.yaml").write_text(small_box.text(config))
        began = time.time() * 1000
        daemon = Program([program("riskgated"), "--config", folder / "riskgate.yaml"], folder / "riskgated.log")
        measure(name, folder, daemon, config, began, wanted)
    finally:
        if daemon:
            daemon.stop()
        plant.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--period", default="1s")
    parser.add_argument("--maps", action="store_true")
    wanted = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="riskgate-small-"))
    broker = Broker(folder / "broker")
    try:
        broker.start()
        print("| site | threads | MiB at first | MiB then | MiB after a reload | MiB at most | first reading, ms | the last device's first, ms |")
        print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
        uplinks = [{"name": "county", "url": broker.url}]
        for buses in (4, 100):
            run(f"{buses} connections, no uplink", folder / f"{buses}-alone", buses, [], wanted)
            run(f"{buses} connections, one uplink", folder / f"{buses}-linked", buses, uplinks, wanted)
    finally:
        broker.kill()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
