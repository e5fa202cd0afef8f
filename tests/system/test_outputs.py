"""Sounders, beacons and fans on relay modules: they follow the levels with no uplink at all, and say so when they cannot."""

import signal
import socket
import struct

import pytest
from conftest import wait_for

RELAY = 20
SCENARIO = {"history": 65536, "listeners": [
    {"name": "shop", "tcp": "127.0.0.1:0", "units": [
        {"id": 1, "registers": [{"holding": 0, "type": "u16", "scale": 0.1, "value": 5}]},
        {"id": RELAY, "registers": [{"coil": 0, "count": 4, "writable": True},
                                    {"holding": 0, "count": 2, "writable": True}]}]}]}


class Relays:
    """The module as a person with a laptop sees it: by a connection of its own."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.number = 0

    def _ask(self, function, address, value):
        self.number = self.number % 65535 + 1
        self.socket.sendall(struct.pack(">HHHBBHH", self.number, 0, 6, RELAY, function, address, value))
        head = self.socket.recv(7, socket.MSG_WAITALL)
        number, _, length, _ = struct.unpack(">HHHB", head)
        assert number == self.number
        body = self.socket.recv(length - 1, socket.MSG_WAITALL)
        assert body[0] == function, body.hex()
        return body[1:]

    def coil(self, address):
        return self._ask(1, address, 1)[1] & 1

    def holding(self, address):
        return struct.unpack(">H", self._ask(3, address, 1)[1:])[0]

    def write_coil(self, address, on):
        self._ask(5, address, 0xFF00 if on else 0)


@pytest.fixture
def site(plant, daemon):
    """site(outputs) -> (plant, relays, daemon): one gas detector, one relay module, no uplink."""
    opened = []

    def make(outputs, **more):
        one = plant(SCENARIO)
        port = one.ports["shop"]
        config = {
            "buses": [{"name": "shop", "tcp": f"127.0.0.1:{port}", "timeout": "500ms"}],
            "areas": [{"name": "plant"}, {"name": "hall", "parent": "plant"}],
            "devices": [{"name": "gas", "bus": "shop", "unit": 1, "poll": "100ms", "area": "hall",
                         "points": [{"name": "lel", "holding": 0, "type": "u16", "scale": 0.1}]},
                        {"name": "relay", "label": "module in the hall", "bus": "shop", "unit": RELAY}],
            "rules": [{"name": "high", "points": "gas.lel", "above": {"yellow": 20, "orange": 25, "red": 50}}],
            "outputs": outputs, **more}
        relays = Relays(port)
        opened.append(relays)
        return one, relays, daemon(config)

    yield make
    for relays in opened:
        relays.socket.close()


def siren(**more):
    return {"name": "siren", "device": "relay", "coil": 0, "when": {"area": "hall", "from": "orange"},
            "silenceable": True, "assert": "1h", **more}


def output(gateway, name):
    return next(o for o in gateway.ask("outputs") if o["name"] == name)


def confirmed(gateway, *names):
    wait_for(lambda: all(output(gateway, n)["state"] == output(gateway, n)["wanted"] for n in names),
             what="the outputs in their wanted state")


def events(gateway, kind):
    return [record for _, record in gateway.records("event") if record["kind"] == kind]


def fault_alarms(gateway):
    return [a for a in gateway.alarms() if a["rule"] == "output"]


def test_levels_switch_outputs_with_no_uplink(site):
    one, relays, gateway = site([
        siren(),
        {"name": "beacon", "device": "relay", "coil": 1, "invert": True, "when": {"area": "plant", "from": "yellow"}},
        {"name": "fan", "device": "relay", "holding": 1, "on": 170, "off": 85, "when": {"rule": "high", "from": "red"}}])
    confirmed(gateway, "siren", "beacon", "fan")
    assert (relays.coil(0), relays.coil(1), relays.holding(1)) == (0, 1, 85)
    one.control.set("shop", 1, "holding", 0, 30)
    wait_for(lambda: relays.coil(0) == 1 and relays.coil(1) == 0, what="siren and beacon on")
    assert relays.holding(1) == 85
    one.control.set("shop", 1, "holding", 0, 60)
    wait_for(lambda: relays.holding(1) == 170, what="the fan on")
    one.control.set("shop", 1, "holding", 0, 22)
    wait_for(lambda: (relays.coil(0), relays.coil(1), relays.holding(1)) == (0, 0, 85), what="only the beacon on")
    confirmed(gateway, "siren", "beacon", "fan")
    assert gateway.status()["uplinks"] == []
    shown = {o["name"]: (o["wanted"], o["state"], o["level"], o["fault"]) for o in gateway.status()["outputs"]}
    assert shown == {"siren": ("off", "off", "yellow", False), "beacon": ("on", "on", "yellow", False),
                     "fan": ("off", "off", "yellow", False)}
    assert "beacon" in gateway.ctl("outputs").stdout
    assert not fault_alarms(gateway)  # a module without points is not silent either
    gateway.stop()


def test_what_is_flipped_behind_its_back_is_put_back(site):
    one, relays, gateway = site([siren(**{"assert": "1s"})])
    one.control.set("shop", 1, "holding", 0, 30)
    wait_for(lambda: relays.coil(0) == 1, what="the siren on")
    confirmed(gateway, "siren")
    relays.write_coil(0, False)
    wait_for(lambda: relays.coil(0) == 1, what="the siren on again")
    confirmed(gateway, "siren")
    assert output(gateway, "siren")["otherwise"] == 1
    assert not fault_alarms(gateway)
    gateway.stop()


def test_a_module_that_does_not_answer_is_an_alarm(site):
    one, relays, gateway = site([siren(**{"assert": "1s", "fault": "orange", "label": "警笛"})])
    confirmed(gateway, "siren")
    one.control.fault("shop", RELAY, "mute")
    alarm = wait_for(lambda: fault_alarms(gateway), what="the alarm")[0]
    assert (alarm["point"], alarm["level"], alarm["area"]) == ("siren", "orange", "hall")
    shown = output(gateway, "siren")
    assert shown["fault"] and shown["state"] is None
    # Its own fault, orange in its area, is nothing that it sounds for; an alarm is, as soon as the module is back.
    assert shown["wanted"] == "off"
    one.control.set("shop", 1, "holding", 0, 60)
    wait_for(lambda: output(gateway, "siren")["wanted"] == "on", what="the siren wanted")
    one.control.clear()
    wait_for(lambda: relays.coil(0) == 1, what="the siren on")
    wait_for(lambda: not fault_alarms(gateway), what="the alarm's clear")
    told = wait_for(lambda: [r for _, r in gateway.records("alarm") if r["rule"] == "output"][1:], what="the records")
    raised = [r for _, r in gateway.records("alarm") if r["rule"] == "output"][0]
    assert [raised["event"], told[-1]["event"]] == ["raise", "clear"]
    assert raised["label"] == "警笛" and raised["value"] is None and raised["message"]
    assert len({r["alarm"] for r in told + [raised]}) == 1
    confirmed(gateway, "siren")
    gateway.stop()


def test_silence_and_test(site):
    one, relays, gateway = site([siren(), {"name": "fan", "device": "relay", "coil": 1,
                                           "when": {"area": "hall", "from": "yellow"}}])
    confirmed(gateway, "siren", "fan")
    # A test ends by itself. By what was written, for nobody need look while the siren is on.
    writes = lambda: sum(r["function"] == 5 for r in one.control.history("shop", RELAY))  # noqa: E731
    before = writes()
    gateway.ctl("test", "siren", "--for", "1s", "--by", "wang")
    wait_for(lambda: writes() == before + 2 and relays.coil(0) == 0, what="the siren on for the test, and off again")
    # Silence lasts until the next announcement and changes no alarm.
    one.control.set("shop", 1, "holding", 0, 30)
    wait_for(lambda: relays.coil(0) == 1 and relays.coil(1) == 1, what="siren and fan on")
    assert "siren silenced" in gateway.ctl("silence", "--by", "li").stdout
    wait_for(lambda: relays.coil(0) == 0, what="the siren silenced")
    assert relays.coil(1) == 1
    assert [a["level"] for a in gateway.alarms()] == ["orange"] and not gateway.alarms()[0]["acked"]
    assert output(gateway, "siren")["silenced"]
    one.control.set("shop", 1, "holding", 0, 60)
    wait_for(lambda: relays.coil(0) == 1, what="the siren on with the escalation")
    assert not output(gateway, "siren")["silenced"]
    # Who may not, and what is wrong.
    for words, status in ((("silence", "fan", "--by", "li"), 1), (("silence", "gong", "--by", "li"), 1),
                          (("silence", "siren"), 2), (("silence", "siren", "--for", "1s", "--by", "li"), 2),
                          (("test", "siren", "--for", "6m", "--by", "li"), 1), (("test", "siren", "--for", "x", "--by", "li"), 2),
                          (("test", "--by", "li"), 2), (("test", "gong", "--by", "li"), 1)):
        done = gateway.ctl(*words, check=False)
        assert done.returncode == status and done.stderr, (words, done)
    told = wait_for(lambda: events(gateway, "command")[1:] and events(gateway, "command"), what="the events")
    assert [{k: e.get(k) for k in ("command", "output", "for_ms", "by")} for e in told] == [
        {"command": "test", "output": "siren", "for_ms": 1000, "by": "wang"},
        {"command": "silence", "output": "siren", "for_ms": None, "by": "li"}]
    gateway.stop()


def test_the_end_and_the_start(site):
    def place(name, coil, stop):
        return {"name": name, "device": "relay", "coil": coil, "when": {"area": "hall", "from": "orange"}, "on_stop": stop}

    one, relays, gateway = site([place("a", 0, "off"), place("b", 1, "on"), place("c", 2, "keep")])
    one.control.set("shop", 1, "holding", 0, 30)
    wait_for(lambda: [relays.coil(i) for i in range(3)] == [1, 1, 1], what="all on")
    confirmed(gateway, "a", "b", "c")
    gateway.stop()
    assert [relays.coil(i) for i in range(3)] == [0, 1, 1]
    # The alarm stands: all on again, whatever was done to them, before the detector says anything.
    one.control.fault("shop", 1, "mute")
    for i in range(3):
        relays.write_coil(i, False)
    gateway.start()
    wait_for(lambda: [relays.coil(i) for i in range(3)] == [1, 1, 1], what="all on again")
    confirmed(gateway, "a", "b", "c")
    # Killed: nothing can be written; the next start puts it right.
    gateway.kill()
    assert [relays.coil(i) for i in range(3)] == [1, 1, 1]
    one.control.clear()
    one.control.set("shop", 1, "holding", 0, 5)
    gateway.start()
    wait_for(lambda: [relays.coil(i) for i in range(3)] == [0, 0, 0], what="all off")
    confirmed(gateway, "a", "b", "c")
    # A mute module holds the stop up for no more than a moment.
    one.control.fault("shop", RELAY, "mute")
    gateway.child.signal(signal.SIGTERM)
    assert gateway.child.wait() == 0
    one.control.clear()
    assert [relays.coil(i) for i in range(3)] == [0, 0, 0]


def test_a_reload_switches_nothing_that_stays(site):
    def writes():
        return sum(1 for r in one.control.history("shop", RELAY) if r["function"] == 5)

    one, relays, gateway = site([siren(on_stop="off"), {"name": "fan", "device": "relay", "coil": 1, "on_stop": "off",
                                                        "when": {"area": "hall", "from": "orange"}}])
    one.control.set("shop", 1, "holding", 0, 30)
    wait_for(lambda: relays.coil(0) == 1 and relays.coil(1) == 1, what="siren and fan on")
    confirmed(gateway, "siren", "fan")
    gateway.ctl("silence", "siren", "--by", "li")
    wait_for(lambda: relays.coil(0) == 0, what="the siren silenced")
    confirmed(gateway, "siren")
    before = writes()
    gateway.config["outputs"][0]["name"] = "horn"
    del gateway.config["outputs"][1]
    gateway.reload()
    wait_for(lambda: relays.coil(1) == 0, what="the fan, which is gone, off")
    wait_for(lambda: [e for e in events(gateway, "config") if e["applied"]], what="the reload")
    change = [e for e in events(gateway, "config") if e["applied"]][-1]["changes"]
    assert {"what": "output.fan.on_stop", "old": "off", "new": None} in change
    shown = wait_for(lambda: gateway.ask("outputs")[0]["name"] == "horn" and gateway.ask("outputs"), what="the horn")
    assert [(o["name"], o["state"], o["silenced"]) for o in shown] == [("horn", "off", True)]
    assert writes() == before + 1  # the fan's
    one.control.set("shop", 1, "holding", 0, 60)
    wait_for(lambda: relays.coil(0) == 1, what="the horn on with the escalation")
    # One that is refused leaves all as it is.
    confirmed(gateway, "horn")
    gateway.config["outputs"][0]["coil"] = 0
    gateway.config["store"]["path"] += ".other"
    gateway.reload()
    wait_for(lambda: [e for e in events(gateway, "config") if not e["applied"]], what="the refusal")
    assert relays.coil(0) == 1
    gateway.stop()
