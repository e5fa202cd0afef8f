"""riskgate-plant judged by counterparts nobody here wrote: pymodbus and mbpoll (libmodbus), over TCP, a pty and RTU over TCP."""

import json
import logging
import math
import os
import pathlib
import select
import signal
import socket
import struct
import subprocess
import sys
import time
import types

import pytest

try:
    import serial_asyncio  # noqa: F401
except ImportError:  # Debian only recommends it, yet pymodbus imports it for a client that is not used here
    sys.modules["serial_asyncio"] = types.ModuleType("serial_asyncio")
    sys.modules["serial_asyncio"].create_serial_connection = None
from pymodbus.client import ModbusSerialClient, ModbusTcpClient
from pymodbus.constants import Endian
from pymodbus.payload import BinaryPayloadDecoder
from pymodbus.transaction import ModbusRtuFramer
from pymodbus.utilities import computeCRC

from conftest import SOURCE, program, wait_for

logging.getLogger("pymodbus").setLevel(logging.CRITICAL)

ORDERS = {"ABCD": Endian.Big, "CDAB": Endian.Little, "BADC": Endian.Big, "DCBA": Endian.Little}
TYPES = {"u32": 305419896, "i32": -123456789, "u64": 1311768467463790, "i64": -1311768467463790,
         "f32": 123456.0, "f64": -123.456789}
DECODE = {"u32": "decode_32bit_uint", "i32": "decode_32bit_int", "u64": "decode_64bit_uint",
          "i64": "decode_64bit_int", "f32": "decode_32bit_float", "f64": "decode_64bit_float"}
WORDS = {"u32": 2, "i32": 2, "u64": 4, "i64": 4, "f32": 2, "f64": 4}


def layout():
    """Every long type in every order, 4 registers apart from 1000 on: (address, type, order)."""
    return [(1000 + 4 * i, kind, order)
            for i, (kind, order) in enumerate((kind, order) for kind in TYPES for order in ORDERS)]


def registers():
    """The registers that every unit of these tests has."""
    rows = [
        {"holding": 0, "count": 125, "raw": 0x1234},
        {"holding": 200, "type": "u16", "scale": 0.1, "value": 12.3},
        {"holding": 201, "type": "i16", "scale": 0.1, "offset": 5, "value": -40.5},
        {"holding": 202, "type": "bcd16", "value": 1234},
        {"holding": 203, "type": "bcd32", "value": 12345678},
        {"holding": 205, "type": "f32", "value": ".nan"},
        {"holding": 210, "count": 123, "writable": True, "value": 0},
        {"holding": 400, "type": "f32", "order": "CDAB", "writable": True, "value": 1.5},
        {"holding": 410, "value": 70000},
        {"holding": 411, "type": "i16", "value": -70000},
        {"input": 30, "count": 3, "value": 7},
        {"coil": 0, "count": 2000, "value": 0, "writable": True},
        {"coil": 3000, "value": 1},
        {"discrete": 4, "value": 1}, {"discrete": 5, "value": 0}, {"discrete": 6, "count": 10, "value": 1},
    ]
    rows += [{"holding": address, "type": kind, "order": order, "value": TYPES[kind]}
             for address, kind, order in layout()]
    return rows


@pytest.fixture
def lines(plant, tmp_path):
    """One plant with the same units on all three kinds of listener."""
    units = [{"id": 1, "registers": registers()}, {"id": 2, "registers": registers()}]
    return plant({"listeners": [
        {"name": "tcp", "tcp": "127.0.0.1:0", "units": units},
        {"name": "rtu", "rtu": str(tmp_path / "line"), "units": units},
        {"name": "conv", "rtu_over_tcp": "127.0.0.1:0", "units": units},
    ]})


@pytest.fixture
def connect(request):
    """connect(plant, listener, timeout) -> a pymodbus client that tries once."""
    made = []

    def run(plant, name, timeout=5):
        if name == "rtu":
            client = ModbusSerialClient(plant.ports[name], baudrate=115200, timeout=timeout, retries=0)
        elif name == "conv":
            client = ModbusTcpClient("127.0.0.1", port=plant.ports[name], framer=ModbusRtuFramer, timeout=timeout,
                                     retries=0)
        else:
            client = ModbusTcpClient("127.0.0.1", port=plant.ports[name], timeout=timeout, retries=0)
        assert client.connect()
        made.append(client)
        return client

    yield run
    for client in made:
        client.close()


class Wire:
    """Raw bytes on a connection or a line, for what a well-behaved client would hide."""

    def __init__(self, plant, name):
        self.rtu = name != "tcp"
        self.socket = None
        if name == "rtu":
            self.fd = os.open(plant.ports[name], os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        else:
            self.socket = socket.create_connection(("127.0.0.1", plant.ports[name]), timeout=5)
            self.fd = self.socket.fileno()

    def frame(self, unit, pdu, tid=0x0102):
        if not self.rtu:
            return struct.pack(">HHHB", tid, 0, len(pdu) + 1, unit) + pdu
        body = bytes([unit]) + pdu
        return body + struct.pack(">H", computeCRC(body))  # pymodbus gives it in the wire's order

    def send(self, data):
        assert os.write(self.fd, data) == len(data)

    def receive(self, length, timeout=5.0):
        """Up to so many bytes; fewer when the time is over or the other end closes."""
        data = b""
        end = time.monotonic() + timeout
        while len(data) < length and select.select([self.fd], [], [], max(0, end - time.monotonic()))[0]:
            piece = os.read(self.fd, length - len(data))
            if not piece:
                break
            data += piece
        return data

    def silent(self, timeout=0.15):
        return self.receive(1, timeout) == b""

    def close(self):
        if self.socket is not None:
            self.socket.close()
        else:
            os.close(self.fd)


@pytest.fixture
def wire():
    made = []

    def run(plant, name):
        made.append(Wire(plant, name))
        return made[-1]

    yield run
    for one in made:
        one.close()


ALL = pytest.mark.parametrize("name", ["tcp", "rtu", "conv"])
READ = bytes([3, 0, 0, 0, 2])  # two holding registers from 0
GOOD = bytes([3, 4, 0x12, 0x34, 0x12, 0x34])


# ---- the right answers -------------------------------------------------------------------------------------------------


@ALL
def test_all_types_and_orders(lines, connect, name):
    client = connect(lines, name)
    for address, kind, order in layout():
        answer = client.read_holding_registers(address, WORDS[kind], slave=1)
        assert not answer.isError(), (kind, order, answer)
        words = answer.registers
        if order in ("BADC", "DCBA"):  # pymodbus knows word orders, not swapped bytes within a word
            words = [r >> 8 | (r & 255) << 8 for r in words]
        decoder = BinaryPayloadDecoder.fromRegisters(words, byteorder=Endian.Big, wordorder=ORDERS[order])
        value = getattr(decoder, DECODE[kind])()
        assert value == pytest.approx(TYPES[kind], rel=1e-12), (kind, order)


def test_word_orders_as_libmodbus_writes_them(lines, connect):
    """123456.0 in libmodbus' unit tests: ABCD 47F1 2000, CDAB 2000 47F1, BADC F147 0020, DCBA 0020 F147."""
    client = connect(lines, "tcp")
    seen = {order: client.read_holding_registers(address, 2, slave=1).registers
            for address, kind, order in layout() if kind == "f32"}
    assert seen == {"ABCD": [0x47F1, 0x2000], "CDAB": [0x2000, 0x47F1], "BADC": [0xF147, 0x0020],
                    "DCBA": [0x0020, 0xF147]}


@ALL
def test_scales_special_values_and_spaces(lines, connect, name):
    client = connect(lines, name)
    assert client.read_holding_registers(200, 5, slave=2).registers == [123, 0x10000 - 455, 0x1234, 0x1234, 0x5678]
    nan = client.read_holding_registers(205, 2, slave=2).registers
    assert math.isnan(struct.unpack(">f", struct.pack(">HH", *nan))[0])
    assert client.read_holding_registers(410, 2, slave=2).registers == [0xFFFF, 0x8000], "held at the ends"
    assert client.read_input_registers(30, 3, slave=2).registers == [7, 7, 7]
    assert client.read_discrete_inputs(4, 12, slave=2).bits[:12] == [True, False] + [True] * 10
    assert client.read_coils(3000, 1, slave=2).bits[0] is True


@ALL
def test_limits_and_exceptions(lines, connect, name):
    client = connect(lines, name)
    assert len(client.read_holding_registers(0, 125, slave=1).registers) == 125
    assert len(client.read_coils(0, 2000, slave=1).bits) == 2000
    assert client.read_holding_registers(125, 1, slave=1).exception_code == 2
    assert client.read_holding_registers(124, 2, slave=1).exception_code == 2
    assert client.read_input_registers(29, 1, slave=1).exception_code == 2
    assert client.read_input_registers(65535, 2, slave=1).exception_code == 2
    assert client.write_register(0, 1, slave=1).exception_code == 2, "not writable"
    assert client.write_coil(3000, True, slave=1).exception_code == 2, "not writable"


@ALL
def test_hostile_requests(lines, wire, name):
    """What no client library sends: exceptions in the order of the standard, quantity before address."""
    cases = {
        bytes([3, 0, 0, 0, 0]): 3, bytes([3, 0, 0, 0, 126]): 3, bytes([4, 0xFF, 0xFF, 0, 126]): 3,
        bytes([1, 0, 0, 0x07, 0xD1]): 3, bytes([2, 0, 4, 0, 0]): 3, bytes([5, 0, 0, 0x12, 0x34]): 3,
        bytes([16, 0, 210, 0, 2, 3, 0, 1, 0]): 3, bytes([16, 0, 210, 0, 0, 0]): 3,
        bytes([15, 0, 0, 0, 9, 1, 0xFF]): 3, bytes([3, 0, 124, 0, 2]): 2, bytes([6, 0xFF, 0xFF, 0, 1]): 2,
        bytes([0x2B, 14, 1, 0]): 1, bytes([7]): 1,
    }
    end = wire(lines, name)
    for pdu, code in cases.items():
        end.send(end.frame(1, pdu))
        expected = end.frame(1, bytes([pdu[0] | 0x80, code]))
        assert end.receive(len(expected)) == expected, pdu.hex()


@ALL
def test_writes_are_read_back(lines, connect, name):
    client = connect(lines, name)
    assert not client.write_register(210, 4711, slave=1).isError()
    assert not client.write_registers(211, list(range(122)), slave=1).isError()
    assert client.read_holding_registers(210, 123, slave=1).registers == [4711] + list(range(122))
    assert not client.write_registers(210, [9] * 123, slave=1).isError()
    assert not client.write_coil(3, True, slave=1).isError()
    assert not client.write_coils(8, [True, False, True] * 3, slave=1).isError()
    assert client.read_coils(0, 20, slave=1).bits[:20] == \
        [False] * 3 + [True] + [False] * 4 + [True, False, True] * 3 + [False] * 3
    assert not client.write_coils(0, [True] * 1968, slave=1).isError()
    assert client.read_holding_registers(210, 1, slave=2).registers == [0], "the neighbour keeps its own"


def test_half_of_a_float_written(lines, connect):
    client = connect(lines, "tcp")
    assert client.read_holding_registers(400, 2, slave=1).registers == [0, 0x3FC0]
    assert not client.write_register(401, 0x4000, slave=1).isError()
    assert client.read_holding_registers(400, 2, slave=1).registers == [0, 0x4000]


def mbpoll(plant, name, *arguments):
    where = ["-m", "rtu", "-b", "9600", "-P", "none", plant.ports[name]] if name == "rtu" else \
        ["-m", "tcp", "-p", str(plant.ports[name]), "127.0.0.1"]
    done = subprocess.run(["mbpoll", "-0", "-1", "-o", "5", *arguments[:-1], *where, *arguments[-1]],
                          capture_output=True, text=True, timeout=30, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["tcp", "rtu"])
def test_mbpoll(lines, name):
    addresses = {(kind, order): address for address, kind, order in layout()}
    code, text = mbpoll(lines, name, "-a", "1", "-t", "4", "-r", "200", "-c", "3", [])
    assert code == 0 and "[200]: \t123" in text and "[202]: \t4660" in text, text
    code, text = mbpoll(lines, name, "-a", "1", "-t", "4:float", "-B", "-r", str(addresses["f32", "ABCD"]), [])
    assert code == 0 and "123456" in text, text
    code, text = mbpoll(lines, name, "-a", "1", "-t", "4:int", "-r", str(addresses["i32", "CDAB"]), [])
    assert code == 0 and "-123456789" in text, text
    code, text = mbpoll(lines, name, "-a", "2", "-t", "1", "-r", "4", "-c", "2", [])
    assert code == 0 and "[4]: \t1" in text and "[5]: \t0" in text, text
    code, text = mbpoll(lines, name, "-a", "2", "-t", "4", "-r", "212", ["77"])
    assert code == 0 and "Written 1" in text, text
    code, text = mbpoll(lines, name, "-a", "2", "-t", "3", "-r", "31", [])
    assert code == 0 and "[31]: \t7" in text, text
    code, text = mbpoll(lines, name, "-a", "2", "-t", "4", "-r", "212", [])
    assert code == 0 and "[212]: \t77" in text, text
    code, text = mbpoll(lines, name, "-a", "1", "-t", "4", "-r", "9999", [])
    assert "Illegal data address" in text, text


# ---- faults ------------------------------------------------------------------------------------------------------------


@ALL
def test_mute_and_clear(lines, connect, wire, name):
    end = wire(lines, name)
    lines.control.fault(name, 1, "mute")
    end.send(end.frame(1, READ))
    assert end.silent()
    end.send(end.frame(2, READ))
    assert end.receive(len(end.frame(2, GOOD))) == end.frame(2, GOOD), "only unit 1 is mute"
    lines.control.clear(name, 1)
    assert connect(lines, name).read_holding_registers(0, 2, slave=1).registers == [0x1234] * 2
    counters = lines.control.listener(name)["units"]
    assert counters["1"] == {"requests": 2, "answers": 1, "exceptions": 0, "faults": 1, "writes": 0}


def test_pymodbus_times_out_on_a_mute_unit(lines, connect):
    lines.control.fault("tcp", 1, "mute")
    assert connect(lines, "tcp", timeout=1).read_holding_registers(0, 1, slave=1).isError()


@ALL
def test_late(lines, wire, name):
    end = wire(lines, name)
    lines.control.fault(name, 1, "late", 300, "times=1")
    began = time.monotonic()
    end.send(end.frame(1, READ, tid=7))
    whole = end.frame(1, GOOD, tid=7)
    assert end.receive(len(whole)) == whole
    assert time.monotonic() - began >= 0.3
    lines.control.fault(name, 1, "late", 200, "times=1")
    # In one piece: the second request is there before the first one's answer is due, however late anybody runs.
    end.send(end.frame(1, READ, tid=8) + end.frame(2, bytes([3, 0, 200, 0, 1]), tid=9))
    other = end.frame(2, bytes([3, 2, 0, 123]), tid=9)
    late = end.frame(1, GOOD, tid=8)
    assert end.receive(len(other) + len(late)) == other + late, "the late answer meets the next exchange"
    assert lines.control.listener(name)["overlapped"] >= 1


@ALL
def test_exception_code(lines, connect, name):
    client = connect(lines, name)
    lines.control.fault(name, 1, "exception", 6)
    assert client.read_holding_registers(0, 1, slave=1).exception_code == 6
    assert client.write_register(210, 5, slave=1).exception_code == 6
    lines.control.clear(name, 1)
    assert client.read_holding_registers(210, 1, slave=1).registers == [0], "it was not carried out"


@ALL
def test_frames_that_are_not_the_answer(lines, wire, name):
    end = wire(lines, name)
    right = end.frame(1, GOOD)
    longer = end.frame(1, bytes([3, 6, 0x12, 0x34, 0x12, 0x34, 0, 0]))
    foreign = end.frame(2, bytes([3, 4, 0xAA, 0xAA, 0xAA, 0xAA]), tid=0x5657)
    expected = {"wrong_unit": end.frame(2, GOOD), "wrong_length": longer, "foreign": foreign + right, "cut": right[:len(right) // 2]}
    if name == "tcp":
        expected["wrong_tid"] = end.frame(1, GOOD, tid=0x0101)
    else:
        expected["wrong_crc"] = right[:-2] + bytes(b ^ 255 for b in right[-2:])
    for kind, answer in expected.items():
        lines.control.fault(name, 1, kind, "times=1")
        end.send(end.frame(1, READ))
        assert end.receive(len(answer)) == answer, kind
        assert end.silent(0.05), kind
    lines.control.fault(name, 1, "cut", 3, "times=1")
    end.send(end.frame(1, READ))
    assert end.receive(3) == right[:3] and end.silent(0.1)
    lines.control.fault(name, 1, "garbage", 40, "times=1")
    end.send(end.frame(1, READ))
    assert len(end.receive(40)) == 40 and end.silent(0.1)
    end.send(end.frame(1, READ))
    assert end.receive(len(right)) == right, "all of them have passed"


def test_pymodbus_refuses_a_wrong_crc(lines, connect):
    client = connect(lines, "rtu", timeout=1)
    lines.control.fault("rtu", 1, "wrong_crc")
    assert client.read_holding_registers(0, 2, slave=1).isError()


@pytest.mark.parametrize("name", ["tcp", "conv"])
def test_drop_and_refuse(lines, connect, wire, name):
    end = wire(lines, name)
    lines.control.fault(name, 1, "drop", "times=1")
    end.send(end.frame(1, READ))
    assert end.receive(1) == b"" and wait_for(lambda: lines.control.listener(name)["links"] == 0)
    client = connect(lines, name)
    assert not client.read_holding_registers(0, 1, slave=1).isError()
    lines.control.fault(name, "*", "refuse")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", lines.ports[name]), timeout=5)
    lines.control.clear(name, "*")
    assert connect(lines, name).read_holding_registers(0, 1, slave=1).registers == [0x1234], "the same port again"


def test_refuse_unplugs_the_line(lines, connect, wire):
    end = wire(lines, "rtu")
    lines.control.fault("rtu", "*", "refuse")
    assert not os.path.lexists(lines.ports["rtu"])
    with pytest.raises(OSError):
        os.write(end.fd, b"x")
    lines.control.clear("rtu", "*")
    assert connect(lines, "rtu").read_holding_registers(0, 1, slave=1).registers == [0x1234]


@ALL
def test_every_nth_request_and_order_of_faults(lines, connect, name):
    client = connect(lines, name)
    lines.control.fault(name, "*", "exception", 4, "every=3")
    seen = [client.read_holding_registers(0, 1, slave=1).isError() for _ in range(9)]
    assert seen == [False, False, True] * 3
    lines.control.fault(name, 1, "exception", 5, "times=1")
    assert client.read_holding_registers(0, 1, slave=1).exception_code == 5, "the unit's own comes first"


def test_timed_faults_signals_and_loops(plant, connect):
    """Times in the file, at 20 times the speed: the value steps at 4 s, the unit is mute from 6 s to 8 s of every 10 s."""
    running = plant({"loop": "10s", "listeners": [{"name": "tcp", "tcp": "127.0.0.1:0", "units": [{
        "id": 1,
        "registers": [{"holding": 0, "timeline": [{"at": "0s", "step": 1}, {"at": "4s", "step": 2}]},
                      {"holding": 1, "counter": {"every": "1s"}},
                      {"holding": 2, "timeline": [{"at": "0s", "ramp": [0, 1000], "over": "10s"}]}],
        "faults": [{"kind": "exception", "code": 7, "from": "6s", "to": "8s"}]}]}]}, "--speed", "20")
    client = connect(running, "tcp")
    loops, faulted = set(), set()

    def look():
        before = running.control.stats()["plant_us"]
        answer = client.read_holding_registers(0, 3, slave=1)
        after = running.control.stats()["plant_us"]
        if before // 10_000_000 != after // 10_000_000:
            return  # the value is of one loop or the other
        low, high = before % 10_000_000, after % 10_000_000
        if answer.isError():
            assert answer.exception_code == 7 and high >= 6_000_000 and low < 8_000_000
            faulted.add(before // 10_000_000)
            return
        assert not (low >= 6_000_000 and high < 8_000_000)
        step, counter, ramp = answer.registers
        assert step in {1 if low < 4_000_000 else 2, 1 if high < 4_000_000 else 2}
        assert before // 1_000_000 <= counter <= after // 1_000_000, "counters run on"
        assert low / 10_000 - 1 <= ramp <= high / 10_000 + 1
        loops.add(before // 10_000_000)

    def enough():
        look()
        return len(loops) >= 3 and len(faulted) >= 2

    wait_for(enough, what="two loops and more, good answers and faults in them")


def test_stuck_noise_walk_and_seed(plant, connect):
    scenario = {"tick": "1ms", "listeners": [{"name": "tcp", "tcp": "127.0.0.1:0", "units": [{"id": 1, "registers": [
        {"holding": 0, "type": "f64", "value": 50, "noise": {"amplitude": 2, "every": "1h"}},
        {"holding": 4, "type": "f64", "walk": {"start": 5, "step": 3, "every": "1ms", "min": 0, "max": 10}},
        {"holding": 8, "type": "f64", "sine": {"mean": 10, "amplitude": 4, "period": "100ms"}, "stuck": {"from": "0s"}},
        {"holding": 12, "type": "f64", "sine": {"mean": 10, "amplitude": 4, "period": "100ms"}},
    ]}]}]}

    def read(client):
        words = client.read_holding_registers(0, 16, slave=1).registers
        return struct.unpack(">4d", struct.pack(">16H", *words))

    first = [plant(scenario, "--seed", seed) for seed in ("5", "5", "6")]
    noise = [read(connect(one, "tcp"))[0] for one in first]
    assert noise[0] == noise[1] != noise[2] and all(48 <= n <= 52 and n != 50 for n in noise)
    client = connect(first[0], "tcp")
    seen = []

    def gathered():
        seen.append(read(client))
        return len({s[1] for s in seen}) > 20 and max(s[3] for s in seen) > 13 and min(s[3] for s in seen) < 7

    wait_for(gathered, what="a walk of 20 values and a whole sine")
    assert all(0 <= walk <= 10 for _, walk, _, _ in seen)
    assert {stuck for _, _, stuck, _ in seen} == {10.0}
    assert all(6 <= sine <= 14 for _, _, _, sine in seen)


# ---- framing -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["rtu", "conv"])
def test_rtu_resynchronises_by_silence(lines, wire, name):
    end = wire(lines, name)
    right = end.frame(1, GOOD)
    request = end.frame(1, READ)
    for broken in (request[:-1] + b"\xff", request[:5], b"\x00", bytes(range(256)) * 3, b"\x01\x10\x00\xd2\x00\x02\xff"):
        before = lines.control.listener(name)
        end.send(broken)
        wait_for(lambda: lines.control.listener(name)["bad_bytes"] == before["bad_bytes"] + len(broken), what="the last of it")
        assert lines.control.listener(name)["bad_frames"] > before["bad_frames"]
        time.sleep(0.05)  # the line's own silence (20 ms) must pass: that is what is tested
        end.send(request)
        assert end.receive(len(right)) == right, broken[:8].hex()


def test_a_request_right_behind_broken_bytes_is_not_heard(plant, wire):
    """As on a real line: only silence begins a frame anew."""
    running = plant({"listeners": [{"name": "conv", "rtu_over_tcp": "127.0.0.1:0", "idle": "1h",
                                    "units": [{"id": 1, "registers": registers()}]}]})
    end = wire(running, "conv")
    end.send(end.frame(1, READ)[:-1] + b"\xff")
    wait_for(lambda: running.control.listener("conv")["bad_frames"] == 1)
    end.send(end.frame(1, READ))
    wait_for(lambda: running.control.listener("conv")["bad_bytes"] == 16)
    assert end.silent() and running.control.listener("conv")["requests"] == 0


@pytest.mark.parametrize("name", ["rtu", "conv"])
def test_an_echoing_line_gives_back_what_it_gets_first(plant, wire, tmp_path, name):
    where = {"rtu": {"rtu": str(tmp_path / "line")}, "conv": {"rtu_over_tcp": "127.0.0.1:0"}}[name]
    end = wire(plant({"listeners": [{"name": name, **where, "echo": True, "units": [{"id": 1, "registers": registers()}]}]}), name)
    request, right = end.frame(1, READ), end.frame(1, GOOD)
    end.send(request)
    assert end.receive(len(request + right)) == request + right
    end.send(end.frame(9, READ))  # nobody is there, but the line is
    assert end.receive(len(request)) == end.frame(9, READ) and end.silent()


@pytest.mark.parametrize("name", ["tcp", "conv"])
def test_a_request_in_single_bytes(plant, wire, name):
    kind = "tcp" if name == "tcp" else "rtu_over_tcp"
    listener = {"name": name, kind: "127.0.0.1:0", "units": [{"id": 1, "registers": registers()}]}
    if name == "conv":
        listener["idle"] = "10s"
    end = wire(plant({"listeners": [listener]}), name)
    for byte in end.frame(1, READ):
        end.send(bytes([byte]))
    right = end.frame(1, GOOD)
    assert end.receive(len(right)) == right


def test_pipelined_tcp_requests(lines, wire):
    end = wire(lines, "tcp")
    end.send(b"".join(end.frame(1, READ, tid=tid) for tid in range(40)))
    expected = b"".join(end.frame(1, GOOD, tid=tid) for tid in range(40))
    assert end.receive(len(expected)) == expected


def test_a_broken_mbap_header_ends_the_connection(lines, wire):
    for header in (b"\x00\x01\x00\x01\x00\x06\x01\x03\x00\x00\x00\x01", b"\x00\x01\x00\x00\x00\x01\x01",
                   b"\x00\x01\x00\x00\x01\x2c\x01"):
        end = wire(lines, "tcp")
        end.send(header)
        assert end.receive(1) == b""
    assert lines.control.listener("tcp")["bad_frames"] == 3


@pytest.mark.parametrize("name", ["rtu", "conv"])
def test_broadcast_writes_to_all_and_is_not_answered(lines, wire, connect, name):
    end = wire(lines, name)
    end.send(end.frame(0, bytes([6, 0, 215, 0, 99])))
    assert end.silent()
    client = connect(lines, name)
    for unit in (1, 2):
        assert client.read_holding_registers(215, 1, slave=unit).registers == [99]


def test_unknown_units(plant, wire):
    running = plant({"listeners": [
        {"name": "tcp", "tcp": "127.0.0.1:0", "unknown": 11, "units": [{"id": 1}]},
        {"name": "conv", "rtu_over_tcp": "127.0.0.1:0", "units": [{"id": 1}]}]})
    end = wire(running, "tcp")
    end.send(end.frame(9, READ))
    assert end.receive(9) == end.frame(9, bytes([0x83, 11]))
    other = wire(running, "conv")
    other.send(other.frame(9, READ))
    assert other.silent()
    assert running.control.listener("conv")["unknown_units"] == 1


def test_baud_makes_answers_take_the_lines_time(plant, wire):
    running = plant({"listeners": [{"name": "conv", "rtu_over_tcp": "127.0.0.1:0", "baud": 1200,
                                    "units": [{"id": 1, "registers": registers()}]}]})
    end = wire(running, "conv")
    began = time.monotonic()
    end.send(end.frame(1, READ))
    right = end.frame(1, GOOD)
    assert end.receive(len(right)) == right
    assert time.monotonic() - began >= (8 + len(right) + 3.5) * 10 / 1200


# ---- what it tells -----------------------------------------------------------------------------------------------------


@ALL
def test_history_and_silence(lines, wire, name):
    end = wire(lines, name)
    right = end.frame(1, GOOD)
    gaps = []
    answered = None
    began = time.monotonic_ns() // 1000

    def ask(unit):
        nonlocal answered
        if answered is not None:
            time.sleep(0.01)  # the silence that is to be measured
            gaps.append(time.monotonic_ns() // 1000 - answered)
        end.send(end.frame(unit, READ))
        assert end.receive(len(right)) == end.frame(unit, GOOD)
        answered = time.monotonic_ns() // 1000

    for _ in range(5):
        ask(1)
    history = lines.control.history(name, 1)
    assert [(h["function"], h["address"], h["quantity"]) for h in history] == [(3, 0, 2)] * 5
    assert history[0]["silence_us"] is None
    assert all(began <= h["at_us"] <= answered for h in history)
    # Whoever is held up, the plant or this test, the silence is never told shorter than it was: but for two times cut to whole us.
    assert all(h["silence_us"] >= gap - 2 for h, gap in zip(history[1:], gaps))
    listener = lines.control.listener(name)
    assert listener["silence_min_us"] == min(h["silence_us"] for h in history[1:])
    assert listener["silence_max_us"] == max(h["silence_us"] for h in history[1:])
    assert listener["switch_silence_min_us"] is None
    ask(2)
    assert lines.control.listener(name)["switch_silence_min_us"] >= gaps[-1] - 2
    lines.control.do("reset")
    assert lines.control.history(name, 1) == []


def test_history_keeps_the_last(plant, connect):
    running = plant({"history": 8, "listeners": [{"name": "tcp", "tcp": "127.0.0.1:0",
                                                  "units": [{"id": 1, "registers": registers()}]}]})
    client = connect(running, "tcp")
    for address in range(20):
        client.read_holding_registers(address, 1, slave=1)
    assert [h["address"] for h in running.control.history("tcp", 1)] == list(range(12, 20))
    assert json.loads(running.control.ask("history tcp 1"))["total"] == 20


def test_set_and_release(lines, connect):
    client = connect(lines, "tcp")
    lines.control.set("tcp", 1, "holding", 200, 99.9)
    lines.control.set("tcp", 1, "discrete", 5, 1)
    assert client.read_holding_registers(200, 1, slave=1).registers == [999]
    assert client.read_discrete_inputs(5, 1, slave=1).bits[0] is True
    lines.control.release("tcp", 1, "holding", 200)
    assert client.read_holding_registers(200, 1, slave=1).registers == [123]


def test_wrong_commands(lines):
    for line in ("", "nonsense", "fault", "fault tcp", "fault nowhere 1 mute", "fault tcp 9 mute", "fault tcp 1 bad",
                 "fault tcp 1 wrong_crc", "fault rtu 1 wrong_tid", "fault rtu 1 drop", "fault tcp 1 refuse",
                 "fault tcp 1 late", "fault tcp 1 mute 5", "fault tcp 1 mute every=0", "set tcp 1 holding 199 1",
                 "set tcp 1 holding 200 x", "set tcp * holding 200 1", "history tcp *", "clear tcp", "clear tcp 77"):
        assert lines.control.ask(line).startswith("error: "), line
    assert lines.control.stats()["listeners"]["tcp"]["requests"] == 0


# ---- the program -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, "quit"])
def test_ends_cleanly(lines, how):
    if how == "quit":
        lines.control.do("quit")
    else:
        lines.child.signal(how)
    assert lines.child.wait() == 0, lines.child.output()
    assert not os.path.lexists(lines.ports["rtu"])
    assert not (lines.folder / "control.sock").exists()


def test_replaces_a_leftover_link_and_nothing_else(plant, tmp_path, start):
    path = tmp_path / "line"
    path.symlink_to("/dev/null")
    scenario = {"listeners": [{"name": "rtu", "rtu": str(path), "units": [{"id": 1}]}]}
    plant(scenario).child.stop()
    path.write_text("mine")
    config = tmp_path / "s.yaml"
    config.write_text(json.dumps(scenario))
    child = start([program("riskgate-plant"), "--config", config])
    assert child.wait() == 1 and str(path) in child.output()
    assert path.read_text() == "mine"


def run_config(tmp_path, text):
    config = tmp_path / "bad.yaml"
    config.write_text(text)
    done = subprocess.run([program("riskgate-plant"), "--config", str(config)], capture_output=True, text=True,
                          timeout=20, check=False)
    return done.returncode, done.stderr, str(config)


@pytest.mark.parametrize("line,column,what,text", [
    (3, 5, "unknown key 'tpc'", "listeners:\n  - name: a\n    tpc: 127.0.0.1:0\n    units: []\n"),
    (1, 12, "expected a list", "listeners: {}\n"),
    (1, 1, "'listeners' is missing", "loop: 3s\n"),
    (3, 10, "host:port", "listeners:\n  - name: a\n    tcp: localhost\n    units: []\n"),
    (3, 13, "duration", "listeners: []\n\nloop:       5\n"),
    (2, 3, "one of tcp", "listeners:\n- name: a\n  units: []\n"),
    (5, 16, "described twice", "listeners:\n- name: a\n  tcp: 127.0.0.1:0\n  units:\n  - registers: [{holding: 0, type: u32}, {holding: 1}]\n    id: 1\n"),
    (2, 1, "duplicate key", "listeners: []\nlisteners: []\n"),
    (4, 35, "for RTU framing", "listeners:\n- name: a\n  tcp: 127.0.0.1:0\n  units: [{id: 1, faults: [{kind: wrong_crc}]}]\n"),
])
def test_bad_scenarios_are_told_with_their_place(tmp_path, line, column, what, text):
    code, errors, config = run_config(tmp_path, text)
    assert code == 1
    assert what in errors.splitlines()[0], errors
    assert errors.startswith(f"{config}:{line}:{column}: error: "), errors


def test_all_errors_are_told(tmp_path):
    code, errors, _ = run_config(tmp_path, "listeners:\n- {name: a, tcp: x, units: []}\n- {name: b, units: []}\n"
                                           "- {name: c, tcp: '127.0.0.1:0', units: [{id: 300}, {idd: 1}]}\n")
    assert code == 1 and errors.count("error:") >= 4, errors


def test_usage(tmp_path):
    run = lambda *words: subprocess.run([program("riskgate-plant"), *words], capture_output=True, text=True,  # noqa: E731
                                        timeout=20, check=False)
    assert run().returncode == 2
    assert run("--nonsense").returncode == 2
    assert run("--config", "x", "--speed", "0").returncode == 2
    assert run("--config", "x", "more").returncode == 2
    assert run("--config", str(tmp_path / "none")).returncode == 1
    assert run("--help").returncode == 0 and "--control PATH" in run("--help").stdout
    assert run("--version").stdout.startswith("riskgate-plant ")


# ---- size --------------------------------------------------------------------------------------------------------------


def test_a_thousand_devices(plant):
    """1,000 devices, each with its own listener and connection, all asked at once."""
    running = plant({"history": 16, "listeners": [{"name": "d", "count": 1000, "tcp": "127.0.0.1:0", "units": [
        {"id": 1, "registers": [{"holding": 0, "count": 100, "sine": {"mean": 50, "amplitude": 9, "period": "7s"}}]}]}]})
    assert len(running.ports) == 1000
    ends = [socket.create_connection(("127.0.0.1", port), timeout=20) for port in running.ports.values()]
    try:
        request = struct.pack(">HHHBBHH", 1, 0, 6, 1, 3, 0, 100)
        for _ in range(3):
            for end in ends:
                end.sendall(request)
            for end in ends:
                answer = b""
                while len(answer) < 209:
                    answer += end.recv(209 - len(answer))
                assert answer[:9] == b"\x00\x01\x00\x00\x00\xcb\x01\x03\xc8"
    finally:
        for end in ends:
            end.close()
    stats = running.control.stats()
    assert sum(one["requests"] for one in stats["listeners"].values()) == 3000
    assert running.child.stop() == 0


# ---- the demo's plant --------------------------------------------------------------------------------------------------


def test_demo_scenario_plays(plant, connect, tmp_path):
    """The demo's scenario loads with its places filled in, and tells its story: gas from none to red and back in 30 s."""
    text = (pathlib.Path(SOURCE) / "simulators/demo/plant.yaml").read_text()
    for word, value in {"@DIR@": str(tmp_path), "@TCP_PORT@": "0", "@CONVERTER_PORT@": "0"}.items():
        text = text.replace(word, value)
    assert "@" not in "".join(line.split("#")[0] for line in text.splitlines())
    running = plant(text, "--speed", "30")
    client = connect(running, "shop")
    seen = []

    def told():
        answer = client.read_holding_registers(0, 1, slave=1)
        if not answer.isError():
            seen.append(answer.registers[0] / 10)
        return bool(seen) and max(seen) >= 50 and min(seen) < 10

    wait_for(told, what="a red gas alarm")
