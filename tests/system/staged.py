"""Machines that are staged under real programs by libraries loaded before all others (tests/preload): a system clock that is set."""

import os
import pathlib
import struct
import subprocess
import time

from conftest import program

SECOND, MINUTE, HOUR, DAY, YEAR = 1, 60, 3600, 86400, 365 * 86400


def preload(name, *libraries):
    """The environment in which a program runs with these libraries before its own; a sanitizer's run-time must still come first."""
    linked = subprocess.run(["ldd", program(name)], capture_output=True, text=True, check=True).stdout
    first = [line.split()[2] for line in linked.splitlines() if "libasan" in line or "libtsan" in line]
    return {"LD_PRELOAD": " ".join(first + [str(library) for library in libraries])}


class Clock:
    """A wall clock of a program's own. Start the program with env=clock.env()."""

    def __init__(self, folder, ahead=0.0, synced=True):
        self.file = pathlib.Path(folder) / "clock"
        self.ahead, self.synced = ahead, synced
        self._write()

    def _write(self):
        data = struct.pack("=qq", int(self.ahead * 1e9), int(self.synced))
        if not self.file.exists():
            self.file.write_bytes(data)
            return
        with open(self.file, "r+b", buffering=0) as file:  # in place: it is mapped
            file.write(data)

    def env(self, name="riskgated", **more):
        return {**os.environ, **preload(name, library("stepped_clock")), "RG_CLOCK_FILE": str(self.file), **more}

    def step(self, seconds):
        self.ahead += seconds
        self._write()

    def show(self, wall, synced=None):
        """The clock is set to this time (seconds since 1970)."""
        self.ahead = wall - time.time()
        if synced is not None:
            self.synced = synced
        self._write()

    def sync(self, synced=True):
        self.synced = synced
        self._write()

    def now_ms(self):
        return int((time.time() + self.ahead) * 1000)


def library(name):
    return program(f"{name}.so")


class Disk:
    """The disk of a program's own files, those whose path begins with prefix. Start the program with env=disk.env()."""

    FORM = "=qqqqq"  # errno of writes, errno of syncs, ms of a sync; failures, syncs

    def __init__(self, folder, prefix):
        self.file, self.prefix = pathlib.Path(folder) / "disk-faults", str(prefix)
        self.file.write_bytes(bytes(struct.calcsize(self.FORM)))

    def env(self, name="riskgated", **more):
        return {**os.environ, **preload(name, library("faulty_disk")), "RG_DISK_FILE": str(self.file),
                "RG_DISK_PREFIX": self.prefix, **more}

    def set(self, write=0, sync=0, slow_ms=0):
        with open(self.file, "r+b", buffering=0) as file:  # in place: it is mapped
            file.write(struct.pack("=qqq", write, sync, slow_ms))

    def heal(self):
        self.set()

    @property
    def failures(self):
        return struct.unpack(self.FORM, self.file.read_bytes())[3]

    @property
    def syncs(self):
        return struct.unpack(self.FORM, self.file.read_bytes())[4]


class Line:
    """The bus to a TCP port on the loopback, which hangs in the kernel while it is told to. Start the program with env=line.env()."""

    FORM = "=qqq"  # port, whether it hangs; how often it did

    def __init__(self, folder, port):
        self.file, self.port = pathlib.Path(folder) / "line-faults", port
        self.file.write_bytes(bytes(struct.calcsize(self.FORM)))
        self.hang(False)

    def env(self, name="riskgated", **more):
        return {**os.environ, **preload(name, library("hanging_line")), "RG_LINE_FILE": str(self.file), **more}

    def hang(self, hangs=True):
        with open(self.file, "r+b", buffering=0) as file:  # in place: it is mapped
            file.write(struct.pack("=qq", self.port, int(hangs)))

    @property
    def hung(self):
        return struct.unpack(self.FORM, self.file.read_bytes())[2]
