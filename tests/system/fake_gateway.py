"""A gateway made of paho-mqtt and hashlib, which can lie: what riskgate-platform is to find."""

import hashlib
import json

import paho.mqtt.client as mqtt
from conftest import wait_for
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

CODE, GATEWAY = "91350100M000100Y43", "gw-01"
ROOT = f"riskgate/v1/{CODE}/{GATEWAY}"
HEAD = {"v": 1, "ent": CODE, "gw": GATEWAY}


def text_of(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class FakeGateway:
    """Streams with numbers and hashes as they must be; send() says what is asked for, right or wrong."""

    def __init__(self, port, v311=False, root=ROOT, head=None, answer=None, **tls):
        self.root, self.head = root, head or HEAD
        self.streams = {name: {"texts": [], "hash": ""} for name in ("alarm", "telemetry", "event", "report")}
        self.heard = []  # (topic below the root, parsed, message)
        self.answer = answer
        self.client = mqtt.Client(protocol=mqtt.MQTTv311 if v311 else mqtt.MQTTv5)
        if tls:
            self.client.tls_set(**tls)
        self.client.on_message = self._message
        self.client.connect("localhost" if tls else "127.0.0.1", port)
        self.client.loop_start()
        wait_for(self.client.is_connected, what="the gateway's connection")
        self.client.subscribe([(f"{root}/command", 1), (f"{root}/receipt", 1)])

    def _message(self, _client, _data, message):
        kind, parsed = message.topic[len(self.root) + 1:], json.loads(message.payload)
        reply = self.answer(parsed) if kind == "command" and self.answer else None
        if reply is not None:
            self._reply(parsed, message, reply)
        self.heard.append((kind, parsed, message))  # last: who waits for it may say more, and the answer goes before that

    def _reply(self, parsed, message, reply):
        topic, properties = f"{self.root}/reply", None
        given = getattr(message, "properties", None)
        if given is not None and hasattr(given, "ResponseTopic"):
            topic = given.ResponseTopic
            properties = Properties(PacketTypes.PUBLISH)
            properties.CorrelationData = given.CorrelationData
        self.client.publish(topic, text_of({**self.head, "id": parsed.get("id"), **reply}), 1, properties=properties)

    def of(self, kind):
        return [parsed for k, parsed, _ in self.heard if k == kind]

    def publish(self, kind, payload, qos=1, retain=False, properties=None):
        """One message, as it is; returns when the broker has it."""
        text = payload if isinstance(payload, (str, bytes)) else text_of(payload)
        self.client.publish(f"{self.root}/{kind}", text, qos, retain, properties).wait_for_publish(20)

    def record(self, stream, /, **members):
        """Makes the next record; its text."""
        state = self.streams[stream]
        seq = len(state["texts"]) + 1
        text = text_of({"seq": seq, "ts": 1000 + seq, **members})
        if stream != "telemetry":
            covered = text[:-1]
            state["hash"] = hashlib.sha256((state["hash"] + covered).encode()).hexdigest()
            text = f'{covered},"hash":"{state["hash"]}"}}'
        state["texts"].append(text)
        return text

    def message(self, stream, first, last, prev=..., texts=None, **members):
        """The text of a message of records made before."""
        if prev is ...:
            prev = first - 1 or None
        texts = texts or self.streams[stream]["texts"][first - 1:last]
        head = text_of({**self.head, "stream": stream, "backfill": False, "prev": prev, "first": first, "last": last, **members})
        return f'{head[:-1]},"records":[{",".join(texts)}]}}'

    def send(self, stream, first, last, **how):
        self.publish(stream, self.message(stream, first, last, **how))

    def frame(self, value=1):
        return self.record("telemetry", device="gas", values={"lel": value})

    def event(self, /, **members):
        return self.record("event", **(members or {"kind": "stop", "reason": "r"}))

    def alarm(self, name="gw-01-1", event="raise", level="red", was="none", **more):
        members = {"alarm": name, "event": event, "level": level, "was": was, "acked": False, "shelved": False, "rule": "high",
                   "point": "gas.lel", "area": None, "value": 1, "limit": 1, "unit": None, "label": None, "message": None, "by": None,
                   "comment": None, **more}
        return self.record("alarm", **members)

    def state(self, online=True, boot=1):
        self.publish("state", {**self.head, "online": online, "ts": 1, "boot": boot, "version": "1", "config": "x"}, retain=True)

    def documents(self):
        self.state()
        self.publish("about", {**self.head, "enterprise": {"code": self.head["ent"], "name": "x"}, "areas": [], "devices": [], "rules": []}, retain=True)
        self.publish("risk", {**self.head, "ts": 1, "level": "none", "areas": {}}, retain=True)

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()
