"""Ports that nobody else takes: neither the kernel for others, nor another test."""

import contextlib
import fcntl
import os
import pathlib
import random
import socket
import tempfile


class Ports:
    """TCP ports of the loopback that belong to one test until its process ends, whether somebody listens on them just then or not: from
    below those that the kernel gives out by itself (to whoever binds port 0, and to each connection as its own end), and locked against the
    other tests that run beside this one. So a broker that is stopped finds its port again, and where nobody listens nobody will."""

    def __init__(self, lowest=10000):
        with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
            highest = int(file.read().split()[0])
        self.ports = list(range(lowest, highest if highest > lowest + 1000 else 32768))
        random.SystemRandom().shuffle(self.ports)
        place = pathlib.Path(tempfile.gettempdir()) / f"riskgate-test-ports-{os.geteuid()}"
        self.locks = open(place, "ab")  # pylint: disable=consider-using-with

    def take(self):
        while self.ports:
            port = self.ports.pop()
            with contextlib.suppress(OSError), socket.socket() as probe:
                fcntl.lockf(self.locks, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
                return port
        raise AssertionError("all ports are taken")


PORTS = Ports()


def free_port():
    """A TCP port on the loopback that nobody listens on, and nobody will whom this test does not tell to."""
    return PORTS.take()
