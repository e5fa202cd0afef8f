#!/usr/bin/python3
"""How punctually the daemon asks: the instants at which riskgate-plant was asked, against the grid of whole periods.

    RG_BIN=build/release/bin tests/bench/poll_jitter.py [--seconds N]

Prints one line for each kind of site; no verdict, because on a shared machine a number is none. Lateness is that of a poll's
first request at the plant: the daemon's own, the loopback's and, where several devices share a bus, the wait for those before it."""

import argparse
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / "tests" / "system"))

from conftest import Control, Program, program, wait_for  # noqa: E402

ENTERPRISE = {"code": "91350100M000100Y43", "name": "测试企业"}


def units(*numbers, mute=()):
    return [{"id": n, "registers": [{"holding": 0, "count": 10, "value": n}], "faults": [{"kind": "mute"}] if n in mute else []}
            for n in numbers]


class Site:
    """Listeners of the plant, each with its bus, and the devices on them. measured: those whose punctuality counts."""

    def __init__(self, name, period_ms):
        self.name, self.period_ms = name, period_ms
        self.listeners, self.buses, self.devices, self.measured = [], [], [], []

    def add(self, name, unit_list, measured, where=None, **bus):
        self.listeners.append({"name": name, **(where or {"tcp": "127.0.0.1:0"}), "units": unit_list})
        self.buses.append((name, bus))
        for unit in unit_list:
            self.device(name, unit["id"])
            if unit["id"] in measured:
                self.measured.append((name, unit["id"]))

    def device(self, bus, unit):
        points = [{"name": f"p{i}", "holding": i, "type": "u16"} for i in range(10)]
        self.devices.append({"name": f"{bus}-{unit}", "bus": bus, "unit": unit, "poll": f"{self.period_ms}ms", "points": points})


def sites(folder, refused):
    one = Site("1 TCP device, 100 ms", 100)
    one.add("a", units(1), [1])
    yield one
    twenty = Site("20 TCP devices, 200 ms", 200)
    for i in range(20):
        twenty.add(f"a{i}", units(1), [1])
    yield twenty
    ten = Site("10 units behind one TCP connection, 1 s", 1000)
    ten.add("a", units(*range(1, 11)), range(1, 11))
    yield ten
    line = Site("RTU line of 6 at 9600 baud, 1 s, 2 mute", 1000)
    line.add("line", units(*range(1, 7), mute=(2, 5)), [1, 3, 4, 6], {"rtu": str(folder / "line"), "baud": 9600}, baud=9600)
    yield line
    all_well = Site("1,000 TCP devices, 1 s", 1000)
    for i in range(1000):
        all_well.add(f"a{i}", units(1), [1])
    yield all_well
    many = Site("1,000 TCP devices, 1 s, 300 dead", 1000)
    for i in range(700):
        many.add(f"a{i}", units(1), [1])
    for i in range(150):
        many.add(f"m{i}", units(1, mute=(1,)), [])
    for i in range(150):
        many.buses.append((f"r{i}", {"tcp": f"127.0.0.1:{refused}"}))
        many.device(f"r{i}", 1)
    yield many


def late_ms(control, site, from_us, to_us):
    """Lateness of each poll, and how many instants were not served."""
    period_us = site.period_ms * 1000
    first, last = from_us // period_us + 1, to_us // period_us - 1
    late, missed = [], 0
    for listener, unit in site.measured:
        at = [h["at_us"] for h in control.history(listener, unit) if first * period_us <= h["at_us"] < (last + 1) * period_us]
        late += [us % period_us / 1000 for us in at]
        missed += last - first + 1 - len({us // period_us for us in at})
    return sorted(late), missed


def memory_kib(pid):
    return next(int(line.split()[1]) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM"))


def run(site, folder, seconds):
    scenario, ports_file, sock = folder / "plant.yaml", folder / "ports.json", folder / "plant.sock"
    scenario.write_text(json.dumps({"history": 4096, "listeners": site.listeners}))
    plant = Program([program("riskgate-plant"), "--config", scenario, "--port-file", ports_file, "--control", sock], folder / "plant.log")
    daemon = None
    try:
        wait_for(ports_file.exists, what="the plant")
        ports = json.loads(ports_file.read_text())
        buses = []
        for name, bus in site.buses:
            place = {"rtu": ports[name]} if "baud" in bus else {} if "tcp" in bus else {"tcp": f"127.0.0.1:{ports[name]}"}
            buses.append({"name": name, **place, **bus})
        config = folder / "riskgate.yaml"
        config.write_text(json.dumps({"gateway": {"id": "gw-01", "enterprise": ENTERPRISE}, "store": {"path": str(folder / "riskgate.db")},
                                      "control": {"socket": str(folder / "control.sock")}, "buses": buses, "devices": site.devices}, indent=1))
        daemon = Program([program("riskgated"), "--config", config], folder / "riskgated.log")

        def status():
            done = subprocess.run([program("riskgatectl"), "--socket", str(folder / "control.sock"), "status", "--json"],
                                  capture_output=True, text=True, check=False)
            return json.loads(done.stdout) if done.returncode == 0 else None

        measured = {f"{listener}-{unit}" for listener, unit in site.measured}
        def settled():
            found = status()
            return found and all(d["state"] == "online" if d["name"] in measured else d["state"] != "doubtful" for d in found["devices"])

        wait_for(settled, timeout=60, what="all devices that are well, and all that are mute to be known as such")
        control = Control(sock)
        from_us = time.monotonic_ns() // 1000
        time.sleep(seconds)
        late, missed = late_ms(control, site, from_us, time.monotonic_ns() // 1000)
        control.close()
        percentiles = [late[min(len(late) - 1, len(late) * p // 1000)] for p in (500, 990)]
        print(f"{site.name:44}{len(late):8}{percentiles[0]:9.2f}{percentiles[1]:9.2f}{late[-1]:9.2f}{missed:8}{memory_kib(daemon.pid) / 1024:10.1f}",
              flush=True)
    finally:
        for child in (daemon, plant):
            if child is not None:
                child.stop()


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seconds", type=float, default=20, help="of measuring, for each kind of site")
    seconds = arguments.parse_args().seconds
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}; lateness of polls against their grid, ms")
    print(f"{'site':44}{'polls':>8}{'p50':>9}{'p99':>9}{'max':>9}{'missed':>8}{'peak MiB':>10}", flush=True)
    with tempfile.TemporaryDirectory() as folder, socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # taken and not listened on: refuses
        for number, site in enumerate(sites(pathlib.Path(folder), held.getsockname()[1])):
            own = pathlib.Path(folder) / str(number)
            own.mkdir()
            run(site, own, seconds)


if __name__ == "__main__":
    main()
