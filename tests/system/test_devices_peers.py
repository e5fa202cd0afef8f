"""riskgated reads devices that nobody here wrote: pymodbus over TCP, over a pty and with RTU frames over TCP; and the plant, while
mbpoll writes to it. What each point must say is worked out here from the contract, with Python's struct."""

import math
import struct
import subprocess

import pytest

from conftest import wait_for

KINDS = pytest.mark.parametrize("kind", ["tcp", "rtu", "rtu_over_tcp"])
ORDERS = ["ABCD", "CDAB", "BADC", "DCBA"]
SINGLE = 0x1122  # fills what no point reads


def order_words(data, order):
    """Registers of a value whose bytes, highest first, are data. 64 bits: as 32, word by word and byte by byte."""
    words = [data[i:i + 2] for i in range(0, len(data), 2)]
    if order in ("CDAB", "DCBA"):
        words.reverse()
    if order in ("BADC", "DCBA"):
        words = [w[::-1] for w in words]
    return [int.from_bytes(w, "big") for w in words]


def bcd(value, digits):
    return bytes.fromhex(f"{value:0{digits}d}")


LONG = {
    "u32": (">I", [0, 1, 305419896, 2**32 - 1]),
    "i32": (">i", [-1, -2**31, 2**31 - 1, -123456789]),
    "u64": (">Q", [0, 2**53 - 1, 1311768467463790]),
    "i64": (">q", [-1, -(2**53) + 1, -1311768467463790]),
    "f32": (">f", [0.0, -1.5, 12.3, 123456.0, 1e-30, -3.4e38, -123.45]),
    "f64": (">d", [0.1, -123.456789, 1e300, 5e-324]),
}
SHORT = {
    "u16": [(0, 0), (65535, 65535), (0x1234, 4660)],
    "i16": [(0xFFFF, -1), (0x8000, -32768), (0x7FFF, 32767), (0xCFC7, -12345)],
    "bcd16": [(0x1234, 1234), (0x9999, 9999), (0, 0)],
    "bytes8.8": [(0x1409, 20.9), (0x1500, 21.0), (0x0005, 0.5)],
}
# A register's bits, the rest of the point, and its value or the reason why it has none.
SPECIAL = [
    ("scale", [123], {"type": "u16", "scale": 0.1}, 12.3),
    ("o2", [0x00D1], {"type": "u16", "scale": 0.1}, 20.9),
    ("co", [0x00BD], {"type": "u16", "scale": 0.1}, 18.9),
    ("offset-coded", [733], {"type": "u16", "scale": 0.1, "offset": -50}, 23.3),
    ("negative", [0x10000 - 455], {"type": "i16", "scale": 0.1, "offset": 5}, -40.5),
    ("hundredth", [2345], {"type": "i16", "scale": 0.01}, 23.45),
    ("bit0", [0x0040], {"bit": 0}, 0),
    ("bit6", [0x0040], {"bit": 6}, 1),
    ("bit15", [0x8000], {"bit": 15, "type": "bool"}, 1),
    ("mask-low", [0xABCD], {"type": "u16", "mask": 0x000F}, 0x0D),
    ("mask-high", [0xABCD], {"type": "u16", "mask": 0x0FF0}, 0xBC),
    ("burn-out", [0x8000], {"type": "i16", "scale": 0.1, "invalid": [32768, -32767]}, "sensor"),
    ("burn-out-2", [0x8001], {"type": "i16", "scale": 0.1, "invalid": [32768, -32767]}, "sensor"),
    ("no-burn-out", [0x8002], {"type": "i16", "invalid": [32768, -32767]}, -32766),
    ("nan", [0x7FC0, 0], {"type": "f32", "order": "ABCD"}, "sensor"),
    ("minus-inf", [0, 0xFF80], {"type": "f32", "order": "CDAB"}, "sensor"),
    ("float-sentinel", [0xC61C, 0x3C00], {"type": "f32", "order": "ABCD", "invalid": [-9999]}, "sensor"),
    ("not-bcd", [0x123A], {"type": "bcd16"}, "sensor"),
    ("at-range", [1000], {"type": "u16", "scale": 0.1, "range": [0, 100]}, 100),
    ("over-range", [1001], {"type": "u16", "scale": 0.1, "range": [0, 100]}, "range"),
    ("under-range", [0xFFFF], {"type": "i16", "range": [0, 100]}, "range"),
    ("not-exact", [0x0020, 0, 0, 1], {"type": "u64", "order": "ABCD"}, "range"),
    ("scaled-long", [0x0001, 0x86A1], {"type": "u32", "order": "ABCD", "scale": 0.2}, 20000.2),
]


def cases():
    """(name, registers, rest of the point, expected)"""
    for kind, (form, values) in LONG.items():
        for order in ORDERS:
            for number, value in enumerate(values):
                yield (f"{kind}-{order}-{number}", order_words(struct.pack(form, value), order), {"type": kind, "order": order}, value)
    for order in ORDERS:
        yield (f"bcd32-{order}", order_words(bcd(12345678, 8), order), {"type": "bcd32", "order": order}, 12345678)
    for kind, rows in SHORT.items():
        for number, (raw, value) in enumerate(rows):
            yield (f"{kind}-{number}".replace(".", ""), [raw], {"type": kind}, value)
    yield from SPECIAL


BITS = [1, 0, 0, 1, 1, 1, 0, 1, 0, 1, 1]


class Map:
    """A device's registers, its points and what they must say, built together."""

    def __init__(self):
        self.image = {space: {} for space in ("coil", "discrete", "input", "holding")}
        self.points, self.expected = [], {}

    def add(self, name, space, address, words, rest, expected):
        for number, word in enumerate(words):
            self.image[space][address + number] = word
        self.points.append({"name": name, space: address, **rest})
        self.expected[name] = expected

    def all(self):
        """Each case in holding and in input registers, with a hole now and then; bits in both spaces."""
        at = 0
        for number, (name, words, rest, expected) in enumerate(cases()):
            for space in ("holding", "input"):
                self.add(f"{space[0]}-{name}", space, at, words, rest, expected)
            at += len(words)
            if number % 7 == 0:  # read through
                for space in ("holding", "input"):
                    self.image[space][at] = SINGLE
                at += 1
            if number % 20 == 0:  # not to be read through: nobody has it
                at += 30
        for number, bit in enumerate(BITS):
            self.add(f"c{number}", "coil", 3 + number, [bit], {}, bit)
            self.add(f"d{number}", "discrete", 65500 + number, [bit], {}, bit)
        return self


def bus(kind, place):
    """With a time-out that no machine is late for: the peer is a Python program."""
    if kind == "rtu":
        return {"name": "line", "rtu": str(place), "baud": 115200, "timeout": "10s"}
    return {"name": "line", kind: f"127.0.0.1:{place}", "timeout": "10s"}


def device(name, unit, points, **more):
    return {"name": name, "bus": "line", "unit": unit, "poll": "100ms", "points": points, **more}


def check(found, name, expected):
    """One point of `riskgatectl points` against what it must say."""
    got = found[name]
    if isinstance(expected, str):
        assert (got["quality"], got["value"]) == (expected, None), name
        return
    assert got["quality"] == "good", (name, got)
    if isinstance(expected, float) and "f32" in name:  # its shortest text: the same float
        assert struct.pack(">f", got["value"]) == struct.pack(">f", expected), (name, got["value"], expected)
    else:
        assert got["value"] == expected and math.copysign(1, got["value"]) == math.copysign(1, expected), (name, got, expected)


def read_once(gateway, name):
    return all(p["quality"] not in ("stale", "comm") for n, p in gateway.points().items() if n.startswith(f"{name}."))


@KINDS
def test_everything_of_a_strange_device(peer, daemon, kind):
    """All types, orders, scales, bits, masks, sentinels and spaces, in long requests and register by register."""
    whole = Map().all()
    child, place = peer(kind, {1: whole.image, 7: whole.image})
    gateway = daemon({"buses": [bus(kind, place)], "devices": [
        device("long", 1, whole.points), device("short", 7, whole.points, max_registers=4, max_gap=0, poll="1s")]})
    for name in ("long", "short"):
        wait_for(lambda: read_once(gateway, name), what=f"all of {name}")  # noqa: B023
        found = gateway.points()
        for point, expected in whole.expected.items():
            check(found, f"{name}.{point}", expected)
        assert gateway.device(name)["errors"] == 0, gateway.device(name)
    gateway.stop()
    # What was stored says the same, for each reading that there ever was.
    rows = gateway.query("SELECT DISTINCT device, point, value, quality FROM v_reading")
    assert len(rows) == 2 * len(whole.points)
    for name, point, value, quality in rows:
        check({f"{name}.{point}": {"value": value, "quality": quality}}, f"{name}.{point}", whole.expected[point])
    assert child.running


def test_the_manuals_notation(peer, daemon):
    """register: 40001 is holding 0, 30001 input 0, 10001 discrete 0, 00001 coil 0; six digits go to 65536."""
    spaces = {"holding": {0: 11, 1: 12, 65535: 13}, "input": {0: 21, 65535: 23}, "coil": {0: 1, 1: 0}, "discrete": {0: 0, 1: 1}}
    _, place = peer("tcp", {1: spaces})
    wanted = {"40001": 11, "40002": 12, "400001": 11, "465536": 13, "30001": 21, "365536": 23, "00001": 1, "00002": 0,
              "000002": 0, "10001": 0, "10002": 1, "100002": 1}
    points = [{"name": f"r{r}", "register": r, **({"type": "u16"} if r[0] in "34" else {})} for r in wanted]
    gateway = daemon({"buses": [bus("tcp", place)], "devices": [device("old", 1, points)]})
    wait_for(lambda: read_once(gateway, "old"), what="the readings")
    found = gateway.points()
    assert {r: found[f"old.r{r}"]["value"] for r in wanted} == wanted


@KINDS
def test_addresses_that_are_not_there(peer, daemon, kind):
    """An exception makes bad what was asked with it and nothing else; the device is there. A unit that is not there says nothing."""
    _, place = peer(kind, {1: {"holding": {0: 5, 100: 6}, "coil": {0: 1}}})
    points = [{"name": "first", "holding": 0, "type": "u16"}, {"name": "missing", "holding": 50, "type": "u16"},
              {"name": "half", "holding": 100, "type": "u32", "order": "ABCD"}, {"name": "coil", "coil": 0},
              {"name": "no-coil", "coil": 3000}, {"name": "no-input", "input": 0, "type": "i16"}]
    gateway = daemon({"buses": [{**bus(kind, place), "timeout": "300ms"}], "devices": [
        device("there", 1, points), device("elsewhere", 9, points[:1])]})
    wanted = {"first": (5, "good"), "missing": (None, "device"), "half": (None, "device"), "coil": (1, "good"),
              "no-coil": (None, "device"), "no-input": (None, "device")}

    def seen():
        found = gateway.points()
        return {n: (found[f"there.{n}"]["value"], found[f"there.{n}"]["quality"]) for n in wanted}

    wait_for(lambda: seen() == wanted, what="the readings")
    wait_for(lambda: gateway.device("elsewhere")["state"] == "suspended", what="suspension of the unit that is not there")
    assert gateway.points()["elsewhere.first"]["quality"] == "comm"
    assert gateway.device("elsewhere")["last_ok_ts"] is None
    # On a machine that is busy with other things this peer misses a poll now and then: then it is doubtful until the next.
    state = wait_for(lambda: (d := gateway.device("there"))["state"] == "online" and "illegal data address" in d["detail"] and d,
                     what="the unit that is there, and why it is not well")
    assert 0 < state["exceptions"] <= state["errors"]
    gateway.stop()
    assert set(gateway.query("SELECT DISTINCT point, value, quality FROM v_reading WHERE device = 'there' AND quality <> 'comm'")) == \
        {(name, *rest) for name, rest in wanted.items()}


@pytest.mark.parametrize("kind", ["tcp", "rtu_over_tcp"])
def test_a_device_that_starts_again(peer, daemon, kind):
    """Its process dies and comes back with other values: bad meanwhile, and then the new ones, by itself."""
    child, place = peer(kind, {1: {"holding": {0: 5}}})
    gateway = daemon({"buses": [{**bus(kind, place), "timeout": "300ms"}], "devices": [
        device("d", 1, [{"name": "x", "holding": 0, "type": "u16"}])]})
    x = lambda: (gateway.points()["d.x"]["value"], gateway.points()["d.x"]["quality"])  # noqa: E731
    wait_for(lambda: x() == (5, "good"), what="its value")
    child.kill()
    wait_for(lambda: x() == (None, "comm"), what="its end")
    peer(kind, {1: {"holding": {0: 77}}}, place)
    wait_for(lambda: x() == (77, "good"), what="its new value")
    gateway.stop()
    values = [v for v, in gateway.query("SELECT value FROM v_reading ORDER BY seq")]
    # A poll that a busy machine missed may be anywhere; but between the old values and the new ones there is one for certain.
    assert set(values) == {5, 77, None}
    last_old, first_new = len(values) - 1 - values[::-1].index(5), values.index(77)
    assert last_old < first_new and None in values[last_old:first_new]


def mbpoll(port, unit, address, *values, kind="4"):
    done = subprocess.run(["mbpoll", "-0", "-1", "-m", "tcp", "-p", str(port), "-a", str(unit), "-t", kind, "-r", str(address),
                           "-o", "5", "127.0.0.1", *map(str, values)], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_mbpoll_writes_what_riskgated_reads(plant, daemon):
    """Somebody else writes to the same device over a connection of his own: the new value is read, evaluated and stored."""
    world = plant({"listeners": [{"name": "shop", "tcp": "127.0.0.1:0", "units": [{"id": 1, "registers": [
        {"holding": 0, "scale": 0.1, "value": 1, "writable": True}, {"holding": 10, "type": "f32", "order": "ABCD", "writable": True},
        {"coil": 5, "value": 0, "writable": True}]}]}]})
    port = world.ports["shop"]
    gateway = daemon({
        "buses": [{"name": "line", "tcp": f"127.0.0.1:{port}"}],
        "devices": [device("d", 1, [{"name": "lel", "holding": 0, "type": "u16", "scale": 0.1},
                                    {"name": "f", "holding": 10, "type": "f32", "order": "ABCD"}, {"name": "fan", "coil": 5}])],
        "rules": [{"name": "high", "points": "d.lel", "above": {"yellow": 20}}, {"name": "fan", "points": "d.fan", "is": {"1": "blue"}}],
    })
    value = lambda point: gateway.points()[f"d.{point}"]["value"]  # noqa: E731
    wait_for(lambda: value("lel") == 1 and value("fan") == 0, what="the first values")
    mbpoll(port, 1, 0, 234)
    wait_for(lambda: value("lel") == 23.4, what="the written value")
    wait_for(lambda: [a["rule"] for a in gateway.alarms()] == ["high"], what="its alarm")
    mbpoll(port, 1, 5, 1, kind="0")
    wait_for(lambda: value("fan") == 1, what="the written coil")
    mbpoll(port, 1, 10, 0x42F6, 0xE979)  # 123.456
    wait_for(lambda: value("f") == 123.456, what="the written float")
    mbpoll(port, 1, 0, 0)
    wait_for(lambda: [a["rule"] for a in gateway.alarms()] == ["fan"], what="the end of its alarm")
    mbpoll(port, 1, 5, 0, kind="0")
    wait_for(lambda: not gateway.alarms(), what="the end of all alarms")
    gateway.stop()
    assert [(r["rule"], r["event"]) for _, r in gateway.records("alarm")] == \
        [("high", "raise"), ("fan", "raise"), ("high", "clear"), ("fan", "clear")]
    assert gateway.query("SELECT DISTINCT value FROM v_reading WHERE point = 'lel' ORDER BY 1") == [(0,), (1,), (23.4,)]
