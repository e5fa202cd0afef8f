"""What docs/ says of the messages is what is sent: a site through all that can be staged, every message held against its schema, in
which no member may be that is not written down; and no shape in the schemas that nothing ever has."""

import contextlib
import json

import paho.mqtt.client as mqtt
import pytest
from conftest import wait_for
from documents import KINDS, all_shapes, asyncapi, faults, hold, references, resolve, schemas
from evidence import LONG, ROOT, Listener, head, uplink
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from staged import HOUR, Clock

CODE, GATEWAY = ROOT.split("/")[2:4]

# Shapes that this test does not stage, and where they are.
NOT_STAGED = {
    "alarm.unstored": "needs a disk that is full: test_control.py holds it against the schema",
    "event.lost": "needs a disk that is full: test_control.py holds it against the schema",
    "event.command_count": "needs a minute of refusals: tests/unit",
}

SCENARIO = {"listeners": [{"name": "shop", "tcp": "127.0.0.1:0", "units": [
    {"id": 1, "registers": [{"holding": 0, "count": 8, "type": "u16", "value": 0, "writable": True}]},
    {"id": 2, "registers": [{"holding": 0, "type": "u16", "value": 3}]},
    {"id": 20, "registers": [{"coil": 0, "count": 4, "writable": True}]}]}]}


def rich_site(port, uplinks):
    """Everything that `about` can tell, and all that alarms can do."""
    return {
        "gateway": {"id": GATEWAY, "enterprise": {
            "code": CODE, "name": "测试企业", "industry": "metal products", "region": "350100", "grid": "3501-02",
            "workers": 120, "contact": {"name": "王五", "phone": "13900000000"}}},
        "store": {"commit": "100ms"},
        "uplinks": uplinks,
        "self_test": {"every": "24h"},
        "buses": [{"name": "shop", "tcp": f"127.0.0.1:{port}", "timeout": "300ms"}],
        "areas": [{"name": "plant", "label": "全厂", "grid": "3501-02-1"},
                  {"name": "hall", "label": "抛光车间", "parent": "plant", "tier": "workshop", "inherent": "orange", "measure": "停机撤人",
                   "responsible": {"unit": "生产部", "person": "张三", "phone": "13800000000"}}],
        "permits": [{"name": "tank-1", "label": "一号罐", "max": "8h"}],
        "devices": [
            {"name": "gas", "label": "可燃气体探头", "bus": "shop", "unit": 1, "poll": "100ms", "area": "hall", "points": [
                {"name": "lel", "label": "浓度", "holding": 0, "type": "u16", "scale": 0.1, "unit": "%LEL", "range": [0, 100], "invalid": [65535]},
                {"name": "a", "holding": 1, "type": "u16"}, {"name": "b", "holding": 2, "type": "u16"}]},
            {"name": "dust", "bus": "shop", "unit": 2, "poll": "100ms", "area": "hall", "retries": 0,
             "offline": {"after": "1s", "level": "yellow"}, "points": [{"name": "mg", "holding": 0, "type": "u16", "unit": "mg/m³"}]},
            {"name": "relay", "bus": "shop", "unit": 20}],
        "rules": [
            {"name": "lel-high", "points": "gas.lel", "above": {"yellow": 20, "orange": 25, "red": 50}, "deadband": 1,
             "message": "可燃气体浓度过高", "basis": "GB 15322.1"},
            {"name": "two", "vote": {"need": 2, "points": ["gas.a", "gas.b"]}, "above": {"blue": 50}, "permit": "tank-1"},
            {"name": "dust-mean", "points": "dust.mg", "signal": {"mean": "1m"}, "above": {"blue": 1000}},
            {"name": "dust-of", "points": "dust.mg", "above": {"blue": {"of": "gas.a", "times": 100, "plus": 1000}}}],
        "outputs": [{"name": "siren", "device": "relay", "coil": 0, "when": {"area": "hall", "from": "orange"}, "silenceable": True}]}


class Tolerant(Listener):
    """Leaves out what a platform says that is no JSON."""

    def _message(self, client, data, message):
        with contextlib.suppress(ValueError):
            super()._message(client, data, message)


class Asker:
    """A platform made of paho-mqtt: asks and awaits the answer. What is asked while the gateway is away nobody hears."""

    def __init__(self, port):
        self.answers = []
        self.greeted = []
        self.serial = 0
        self.client = mqtt.Client(protocol=mqtt.MQTTv5)
        self.client.on_message = lambda _c, _d, m: (self.answers if m.topic.endswith("/asker") else self.greeted).append((m, json.loads(m.payload)))
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        wait_for(self.client.is_connected, what="the asker's connection")
        self.client.subscribe([(f"{ROOT}/reply/asker", 1), (f"{ROOT}/reply", 1)])

    def ask(self, command, text=None):
        """The answer, which came with the correlation data of the question."""
        self.serial += 1
        mark = f"mark-{self.serial}".encode()
        properties = Properties(PacketTypes.PUBLISH)
        properties.ResponseTopic, properties.CorrelationData = f"{ROOT}/reply/asker", mark
        if text is None:
            text = json.dumps({"id": f"asker-{self.serial}", **command})
        self.client.publish(f"{ROOT}/command", text, 1, properties=properties)

        def mine():
            return [a for m, a in self.answers if getattr(m.properties, "CorrelationData", None) == mark]

        return wait_for(mine, what=f"the answer to {text}")[0]

    def greet(self):
        """Asks until an answer comes."""
        def heard():
            self.client.publish(f"{ROOT}/command", '{"id":"greeting","command":"read","device":"dust"}', 1)
            with contextlib.suppress(AssertionError):
                return wait_for(lambda: self.greeted, timeout=2)

        wait_for(heard, LONG, "any answer")

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


class Site:
    """The gateway under test, and what is done to it."""

    def __init__(self, plant, daemon, broker, relay, clock):
        self.world = plant(SCENARIO)
        self.link = relay(broker.port)
        self.broker = broker
        self.gateway = daemon(rich_site(self.world.ports["shop"], [
            uplink(broker.port, "county", receipts=True, commands=["ack", "shelve", "backfill", "read"]),
            uplink(self.link.port, "city", topic_root="other/root", client_id="city")]), run=False)
        self.clock = clock
        self.start()

    def start(self):
        self.gateway.start(env=self.clock.env())
        wait_for(lambda: self.gateway.device("gas")["ok"] > 2, what="readings")

    def put(self, address, value):
        self.world.control.set("shop", 1, "holding", address, value)

    def events(self, alarm_rule):
        return [r["event"] for _, r in self.gateway.records("alarm") if r["rule"] == alarm_rule]

    def until(self, rule, *events):
        wait_for(lambda: self.events(rule)[-len(events):] == list(events), what=f"{rule}: {events}")

    def alarm(self, rule):
        return next(a["alarm"] for a in self.gateway.alarms() if a["rule"] == rule)

    def recorded(self, kind, **members):
        return [r for _, r in self.gateway.records("event") if r["kind"] == kind and all(r.get(k) == v for k, v in members.items())]

    def told(self, kind, **members):
        return wait_for(lambda: self.recorded(kind, **members), what=f"the record {kind} {members}")


def alarms_live(site):
    ctl = site.gateway.ctl
    site.put(0, 300)
    site.until("lel-high", "raise")
    name = site.alarm("lel-high")
    ctl("ack", name, "--by", "李四", "--comment", "看见了")
    ctl("shelve", name, "--for", "30m", "--by", "李四")
    ctl("unshelve", name, "--by", "李四")
    site.until("lel-high", "raise", "ack", "shelve", "unshelve")
    site.put(0, 600)
    site.until("lel-high", "escalate")
    site.put(0, 220)
    site.until("lel-high", "deescalate")
    site.put(0, 65535)
    wait_for(lambda: site.gateway.points()["gas.lel"]["quality"] == "sensor", what="a bad reading")
    site.put(0, 0)
    site.until("lel-high", "clear")
    for address in (1, 2):
        site.put(address, 60)
    ctl("permit", "open", "tank-1", "--for", "2h", "--by", "李四")
    site.until("two", "raise")
    ctl("permit", "close", "tank-1", "--by", "李四")
    site.until("two", "raise", "suppress")
    ctl("permit", "open", "tank-1", "--for", "1h", "--by", "李四")
    site.until("two", "raise", "suppress", "unsuppress")


def people_act(site):
    ctl = site.gateway.ctl
    ctl("test", "siren", "--for", "1s", "--by", "wang")
    ctl("silence", "--by", "li", check=False)
    ctl("write", "--bus", "shop", "--unit", "1", "--holding", "7", "5", "--by", "x", "--yes")
    ctl("write", "--bus", "shop", "--unit", "1", "--holding", "900", "5", "--by", "x", "--yes", check=False)
    site.told("command", command="write", outcome="ok")
    site.told("command", command="test")


def device_falls_silent(site):
    site.world.control.fault("shop", 2, "mute")
    site.until("offline", "raise")
    site.told("device", device="dust", state="offline")
    site.world.control.clear("shop", 2)
    site.until("offline", "clear")


def configuration_changes(site):
    config = site.gateway.config
    config["rules"][0]["above"]["red"] = 60
    site.gateway.reload()
    wait_for(lambda: [r for r in site.recorded("config", applied=True) if any(c["what"] == "rule.lel-high.above.red" for c in r["changes"])],
             what="the changed limit")
    config["rules"][0]["above"]["red"] = 10
    site.gateway.reload()
    site.told("config", applied=False)
    config["rules"][0]["above"]["red"] = 60
    site.gateway.write()


def platform_asks(site):
    """Every command and every kind of answer."""
    asker = Asker(site.broker.port)
    asker.greet()
    site.put(0, 300)
    site.until("lel-high", "raise")
    alarm = {"alarm": site.alarm("lel-high"), "by": "赵六"}
    assert asker.ask({"command": "ack", **alarm, "comment": "派人"})["ok"]
    assert asker.ask({"command": "ack", **alarm})["error"].startswith("failed: ")
    assert asker.ask({"command": "shelve", **alarm, "for": "30m", "comment": "维修"})["shelved_until_ts"]
    assert asker.ask({"command": "unshelve", **alarm})["ok"]
    filled = asker.ask({"command": "backfill", "stream": "event", "from": 1, "to": 3})
    assert (filled["from"], filled["to"]) == (1, 3)
    point = asker.ask({"command": "read", "point": "gas.lel", "by": "赵六"})
    assert (point["value"], point["quality"], point["unit"]) == (30, "good", "%LEL")
    assert asker.ask({"command": "read", "device": "gas"})["values"]["lel"] == 30
    for text, word in (("{", "malformed"), ('{"id":"x","command":"silence"}', "malformed"), (" " * 20000, "malformed"),
                       ('{"id":"asker-1","command":"read","point":"gas.lel"}', "replayed")):
        answer = asker.ask({}, text=text)
        assert answer["error"].startswith(word + ": "), answer
    site.told("command", command="read", ok=True)
    site.told("command", refused=True)
    asker.close()
    site.put(0, 0)
    site.until("lel-high", "clear")


def the_way_is_tested(site):
    told = json.loads(site.gateway.ctl("self-test", "--by", "wang", "--json").stdout)
    assert told, told
    for uplink in ("county", "city"):
        site.told("self_test", uplink=uplink, ok=True)
    site.told("command", command="self_test")


def reports_are_due(site):
    """More than a month later, by the clock."""
    site.clock.step(32 * 24 * HOUR)
    wait_for(lambda: {r["kind"] for _, r in site.gateway.records("report")} == {"daily", "monthly"}, LONG, "a day's and a month's report")


def clock_steps(site):
    """Forward, and from then on nobody vouches for it."""
    site.clock.step(HOUR)
    site.clock.sync(False)
    site.told("clock", synced=False)
    seq = head(site.gateway, "telemetry")
    wait_for(lambda: site.gateway.query("SELECT 1 FROM telemetry WHERE seq > ? AND body LIKE '%unsynced%'", seq), what="readings without a clock")


def link_breaks(site):
    def count(state):
        return len(site.recorded("uplink", uplink="city", state=state))

    wait_for(lambda: site.gateway.status()["uplinks"][1]["connected"] and count("back") > count("lost"), LONG, "the link")
    before = count("lost")
    site.link.cut()
    wait_for(lambda: count("lost") > before, what="the loss of the link")
    site.link.mend()
    wait_for(lambda: count("back") == count("lost") + 1, LONG, "the link back")


def addresses():
    return {channel["address"].format(enterprise=CODE, gateway=GATEWAY): name for name, channel in asyncapi()["channels"].items()}


def kind_of(topic):
    for root in (ROOT, "other/root"):
        if topic.startswith(root + "/"):
            return topic[len(root) + 1:].split("/")[0]
    raise AssertionError(f"a topic that nobody knows: {topic}")


def test_every_message_is_as_its_schema_says(broker, plant, daemon, relay, platform, tmp_path):
    with Tolerant(broker.port, "#") as seen:
        watcher = platform(broker, "--require-complete", "--receipts", "--store", tmp_path / "platform.db")
        site = Site(plant, daemon, broker, relay, Clock(tmp_path))
        alarms_live(site)
        people_act(site)
        device_falls_silent(site)
        configuration_changes(site)
        platform_asks(site)
        link_breaks(site)
        the_way_is_tested(site)
        reports_are_due(site)
        clock_steps(site)
        site.gateway.kill()
        site.start()
        site.told("start", clean=False)
        wait_for(lambda: site.gateway.device("gas")["ok"] > 2, what="readings again")
        wait_for(lambda: site.gateway.status()["uplinks"][1]["connected"], LONG, "the other platform")
        since = seen.count()
        site.gateway.stop()
        # Not the will of the one that was killed before; and what it said before its goodbye has come before that.
        seen.wait(lambda all: any(m.kind == f"{ROOT}/state" and not m.json["online"] for m in all[since:]), "the goodbye")
        messages = list(seen.messages)
    # What was sent wrong on purpose is none of the gateway's.
    counts = hold([(kind_of(m.kind), m.json) for m in messages if not (m.kind == f"{ROOT}/command" and m.json.get("command") == "silence")])
    print(dict(counts))
    missing = all_shapes() - set(counts) - set(NOT_STAGED)
    assert not missing, f"in the schemas and never seen: {sorted(missing)}"
    spare = set(NOT_STAGED) - all_shapes()
    assert not spare, f"not staged, and not in the schemas either: {sorted(spare)}"

    # The AsyncAPI document knows each topic, and what is kept.
    topics = {m.kind for m in messages if m.kind.startswith(ROOT) and "/reply/" not in m.kind}
    assert topics <= set(addresses()), topics - set(addresses())
    assert set(addresses()) == topics, "addresses that nothing was sent to"
    report = watcher.finish()
    assert report["breach_count"] == 0, report["breaches"]
    assert report["gateways"][0]["receipts"] > 0


def test_the_schemas_say_no():
    """Each refuses a member that is not written down, and one that is missing."""
    head = {"v": 1, "ent": CODE, "gw": GATEWAY}
    good = {
        "state": {**head, "online": True, "ts": 1, "boot": 1, "version": "1", "config": "x"},
        "risk": {**head, "ts": 1, "level": "none", "areas": {"a": {"level": "none", "inherent": "red", "alarms": 0}}},
        "about": {**head, "enterprise": {"code": CODE, "name": "x"}, "areas": [], "devices": [], "rules": []},
        "telemetry": {**head, "stream": "telemetry", "backfill": False, "prev": None, "first": 1, "last": 1,
                      "records": [{"seq": 1, "ts": 1, "device": "d", "values": {"p": 1}}]},
        "event": {**head, "stream": "event", "backfill": False, "prev": None, "first": 1, "last": 1,
                  "records": [{"seq": 1, "ts": 1, "kind": "stop", "reason": "r", "hash": "0" * 64}]},
        "receipt": {"stream": "alarm", "upto": 1},
        "command": {"id": "1", "command": "backfill", "stream": "alarm", "from": 1, "to": 2},
        "reply": {**head, "id": "1", "ok": False, "error": "failed: no"},
    }
    for kind, message in good.items():
        assert not faults(kind, message), faults(kind, message)
        assert faults(kind, {**message, "more": 1}), kind
        for member in message:
            less = {k: v for k, v in message.items() if k != member}
            assert faults(kind, less), (kind, member)
        for record in message.get("records", ()):
            assert faults(kind, {**message, "records": [{**record, "more": 1}]})
            for member in record:
                assert faults(kind, {**message, "records": [{k: v for k, v in record.items() if k != member}]}), (kind, member)


def test_the_asyncapi_document():
    document = asyncapi()
    assert document["asyncapi"].startswith("3.0.")
    for reference in references(document):
        assert resolve(reference, document) is not None, reference
    assert set(document["channels"]) == set(KINDS)
    assert set(addresses()) == {f"{ROOT}/{kind}" for kind in KINDS}
    told = {}
    for name, operation in document["operations"].items():
        kind = operation["channel"]["$ref"].rsplit("/", 1)[1]
        assert operation["action"] == ("receive" if kind in ("receipt", "command") else "send"), name
        assert operation["bindings"]["mqtt"]["qos"] == 1 and kind not in told
        told[kind] = operation["bindings"]["mqtt"]["retain"]
        message = resolve(f"#/channels/{kind}/messages/{kind}", document)
        payload = resolve(message["$ref"], document)["payload"]
        assert resolve(payload["schema"]["$ref"], document) == schemas()[kind]
    assert set(told) == set(KINDS) - {"reply"}, "replies are told with the commands"
    assert {kind for kind, retained in told.items() if retained} == {"state", "about", "risk"}


@pytest.mark.parametrize("kind", [*KINDS, "common"])
def test_the_schemas_hold_together(kind):
    """Each is a schema itself, and what it refers to is there."""
    import jsonschema

    schema = schemas()[kind]
    jsonschema.Draft7Validator.check_schema(schema)
    for reference in references(schema):
        place, _, inner = reference.partition("#/definitions/")
        assert inner in schemas()[place.removesuffix(".schema.json") or kind]["definitions"], (kind, reference)
    used = {r.partition("#/definitions/")[2] for one in schemas().values() for r in references(one)}
    assert set(schema.get("definitions", ())) <= used, "defined and referred to by nothing"
