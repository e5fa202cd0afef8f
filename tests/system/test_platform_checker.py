"""riskgate-platform must be able to say no, and name what is wrong; and do what a platform does: keep, receipt, acknowledge, ask."""

import contextlib
import json
import sqlite3
import subprocess
import time

import pytest
from conftest import PATIENCE, program, wait_for
from fake_gateway import CODE, GATEWAY, HEAD, ROOT, FakeGateway, text_of
from test_tls import Authority, tls_broker
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

both = pytest.mark.parametrize("v311", [False, True], ids=["v5", "v311"])


@pytest.fixture
def gateway(broker):
    """gateway(...) -> FakeGateway"""
    made = []

    def make(**options):
        made.append(FakeGateway(broker.port, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


def expiring():
    properties = Properties(PacketTypes.PUBLISH)
    properties.MessageExpiryInterval = 60
    return properties


def altered(text, old, new):
    assert old in text
    return text.replace(old, new, 1)


ZERO = {"kind": "daily", "from": 1, "to": 2, "zero": True, "raised": {"red": 0}, "open": {"red": 0}, "completeness": 0.9, "outages": []}

# Each: what a gateway says (after three good events and a raised alarm), and what the verdict must contain.
WRONG = {
    "no JSON": (lambda g: g.publish("event", "{"), "event: no JSON object"),
    "v": (lambda g: g.publish("risk", {**HEAD, "v": 2, "ts": 1, "level": "none", "areas": {}}), "v is not 1"),
    "gw": (lambda g: g.publish("risk", {**HEAD, "gw": "x", "ts": 1, "level": "none", "areas": {}}), "gw is not that of the topic"),
    "a topic": (lambda g: g.publish("weather", HEAD), "a topic the contract does not know"),
    "state": (lambda g: g.publish("state", HEAD), "state: online is missing"),
    "about": (lambda g: g.publish("about", HEAD), "about: enterprise is missing"),
    "risk": (lambda g: g.publish("risk", {**HEAD, "ts": 1, "level": "purple", "areas": {}}), "risk: level is missing or wrong"),
    "risk of an area": (lambda g: g.publish("risk", {**HEAD, "ts": 1, "level": "none", "areas": {
        "a": {"level": "red", "inherent": "none", "alarms": 1}}}), "the whole is lower than area a"),
    "reply": (lambda g: g.publish("reply", {**HEAD, "id": "1"}), "reply: ok is missing"),
    "QoS": (lambda g: g.publish("event", g.message("event", 3, 3), qos=0), "QoS 0 instead of 1"),
    "expiry": (lambda g: g.publish("event", g.message("event", 3, 3), properties=expiring()), "a message that expires"),
    "clock": (lambda g: g.send("event", 3, 3, clock="unsynced"), "do not say the same of the clock"),
    "stream": (lambda g: g.publish("report", g.message("event", 3, 3)), "stream is not that of the topic"),
    "prev": (lambda g: g.send("event", 3, 3, prev=3), "do not fit"),
    "prev is no number": (lambda g: g.send("event", 3, 3, prev="2"), "prev, first or last is neither a number nor null"),
    "last": (lambda g: g.send("event", 3, 4, texts=g.streams["event"]["texts"][2:3]), "not as first and last say"),
    "order": (lambda g: g.send("event", 2, 3, texts=g.streams["event"]["texts"][2:0:-1]), "out of order"),
    "no records": (lambda g: g.send("event", 4, 4, texts=[""]), "0 records"),
    "another text": (lambda g: g.send("event", 3, 3, texts=[altered(g.streams["event"]["texts"][2], '"r"', '"q"')]),
                     "event 3: came again with another text"),
    "a broken chain": (lambda g: (g.event(), g.send("event", 4, 4, texts=[altered(g.streams["event"]["texts"][3], '"r"', '"q"')])),
                       "event 4: its hash does not follow"),
    "a dropped record": (lambda g: (g.event(), g.event(), g.send("event", 4, 4, texts=[altered(
        g.streams["event"]["texts"][4], '"seq":5', '"seq":4')])), "event 4: its hash does not follow"),
    "no hash": (lambda g: g.send("event", 4, 4, texts=['{"seq":4,"ts":1,"kind":"stop","reason":"r"}']), "does not end with a hash"),
    "a kind of event": (lambda g: (g.event(kind="party"), g.send("event", 4, 4)), "event: no known kind"),
    "a member of an event": (lambda g: (g.event(kind="device", device="d"), g.send("event", 4, 4)), "event: device: bus is missing"),
    "a change": (lambda g: (g.event(kind="config", applied=True, file="f", sha256="s", by="b", changes=[{"what": "x"}]), g.send("event", 4, 4)),
                 "old of a change is missing"),
    "a loss": (lambda g: (g.event(kind="lost", stream="alarm", first=5, last=2, count=1, cause="age"), g.send("event", 4, 4)),
               "a range that is none"),
    "telemetry": (lambda g: (g.record("telemetry", device="d", values={"p": "1"}), g.send("telemetry", 1, 1)), "d.p is no number"),
    "bad with a value": (lambda g: (g.record("telemetry", device="d", values={"p": 1}, bad={"p": "comm"}), g.send("telemetry", 1, 1)),
                         "d.p is bad and has a value"),
    "a reason": (lambda g: (g.record("telemetry", device="d", values={}, bad={"p": "tired"}), g.send("telemetry", 1, 1)),
                 "bad for no known reason"),
    "a report": (lambda g: (g.record("report", kind="daily"), g.send("report", 1, 1)), "report: from is missing"),
    "a zero report": (lambda g: (g.record("report", **{**ZERO, "open": {"red": 1}}), g.send("report", 1, 1)), "a zero report that tells of alarms"),
    "completeness": (lambda g: (g.record("report", **{**ZERO, "completeness": 1.5}), g.send("report", 1, 1)), "completeness is no share"),
    "a period": (lambda g: (g.record("report", **{**ZERO, "to": 1}), g.send("report", 1, 1)), "report: of no time at all"),
    "a self-test": (lambda g: (g.event(kind="self_test", uplink="county", ok=True), g.send("event", 4, 4)), "round_trip_ms is missing"),
    "raised twice": (lambda g: (g.alarm(), g.send("alarm", 2, 2)), "gw-01-1 is raised twice"),
    "another level": (lambda g: (g.alarm(event="deescalate", level="blue", was="orange"), g.send("alarm", 2, 2)), "was red, not orange"),
    "no change": (lambda g: (g.alarm(event="escalate", level="red", was="red"), g.send("alarm", 2, 2)), "escalate from red to red"),
    "by nobody": (lambda g: (g.alarm(event="ack", was="red", acked=True), g.send("alarm", 2, 2)), "ack by nobody"),
    "an end": (lambda g: (g.alarm(event="clear", level="none", was="red"), g.alarm(event="suppress", level="none"), g.send("alarm", 2, 3)),
               "goes on after its end"),
    "an event of an alarm": (lambda g: (g.alarm(event="party", was="red"), g.send("alarm", 2, 2)), "party is no event of an alarm"),
    "a member of an alarm": (lambda g: (g.record("alarm", alarm="x"), g.send("alarm", 2, 2)), "event is missing"),
    "stored": (lambda g: g.send("event", 3, 3, stored=False), "stored may only be false, and only for alarms"),
    "a hole": (lambda g: (g.event(), g.event(), g.send("event", 5, 5)), "event 4 to 4: named as prev and never received"),
    "unstored": (lambda g: g.publish("alarm", text_of({**HEAD, "stream": "alarm", "backfill": False, "prev": None, "first": None,
        "last": None, "stored": False, "records": [{k: v for k, v in json.loads(g.alarm("gw-01-9")).items() if k not in ("seq", "hash")}]})),
        "1 came unstored and their records never did"),
}


@pytest.mark.parametrize("what", WRONG)
def test_each_breach_is_found_and_named(gateway, broker, platform, what):
    watcher = platform(broker, "--require-complete")
    one = gateway()
    one.documents()
    for _ in range(3):
        one.event()
    one.alarm()
    one.send("event", 1, 3)
    one.send("alarm", 1, 1)
    wrong, words = WRONG[what]
    wrong(one)
    one.frame()  # the last thing said
    count = len(one.streams["telemetry"]["texts"])
    one.send("telemetry", count, count)
    wait_for(lambda: count in watcher.records("telemetry"), what="the last message")
    report = watcher.finish(expected=1)
    assert any(words in breach for breach in report["breaches"]), report["breaches"]
    assert f"BREACH {GATEWAY}: " in watcher.child.output()


def test_a_good_gateway(gateway, broker, platform):
    """Filters, back-fill, repetition, a loss, a vote, a self-test: nothing of that is a breach."""
    watcher = platform(broker, "--require-complete")
    one = gateway()
    one.documents()
    for number in range(12):
        one.frame(number)
        one.event()
    one.send("telemetry", 10, 10, prev=7)  # 8 and 9 are not for this platform
    one.send("telemetry", 1, 4, backfill=True)
    one.send("telemetry", 7, 7, prev=4, backfill=True)
    one.send("telemetry", 7, 7, prev=4, backfill=True)
    one.send("event", 12, 12)
    one.send("event", 1, 5, backfill=True)
    one.send("event", 6, 11, backfill=True)
    one.alarm()
    one.alarm(event="ack", was="red", acked=True, by="a")
    one.alarm("gw-01-2", level="blue", test=True)
    one.send("alarm", 1, 3)
    one.record("report", **ZERO)
    one.send("report", 1, 1)
    one.event(kind="lost", stream="telemetry", first=11, last=12, count=2, cause="size")
    one.send("event", 13, 13)
    wait_for(lambda: 13 in watcher.records("event"), what="the last event")
    report = watcher.finish()
    assert report["breach_count"] == 0, report
    streams = report["gateways"][0]["streams"]
    assert (streams["telemetry"]["received"], streams["telemetry"]["resent"], streams["telemetry"]["lost"]) == (6, 1, 2)
    assert (streams["event"]["verified"], streams["event"]["unverified"], streams["event"]["holes"]) == (13, 0, 0)
    assert report["gateways"][0]["self_tests"] == report["gateways"][0]["zero_reports"] == 1


# ---- what it keeps -----------------------------------------------------------------------------------------------------


def rows(store, sql):
    with contextlib.closing(sqlite3.connect(store)) as db:
        return db.execute(sql).fetchall()


@both
def test_a_store_and_receipts_over_restarts(gateway, broker, platform, tmp_path, v311):
    """It receipts what is durable, up to the first hole and no further, and goes on where it was."""
    store = tmp_path / "platform.db"
    words = ["--receipts", "--store", store, *(["--v311"] if v311 else [])]
    one = gateway(v311=v311)
    first = platform(broker, *words)
    one.documents()
    for _ in range(9):
        one.event()
    one.alarm()
    one.send("event", 1, 3)
    one.send("event", 6, 7)
    one.send("alarm", 1, 1)
    wait_for(lambda: {"stream": "event", "upto": 3} in one.of("receipt") and {"stream": "alarm", "upto": 1} in one.of("receipt"),
             what="the receipts")
    assert rows(store, "SELECT stream, seq FROM record ORDER BY stream, seq") == [
        ("alarm", 1), ("event", 1), ("event", 2), ("event", 3), ("event", 6), ("event", 7)]
    assert rows(store, "SELECT stream, first, last FROM v_hole") == [("event", 4, 5)]
    assert all(r["upto"] <= 3 for r in one.of("receipt") if r["stream"] == "event")
    first.child.kill()

    second = platform(broker, *words, "--require-complete")
    one.send("event", 2, 3)  # the gateway had not heard the receipt
    one.send("event", 4, 5)
    wait_for(lambda: {"stream": "event", "upto": 7} in one.of("receipt"), what="the receipt of all")
    one.send("event", 8, 9)
    one.alarm(event="clear", level="none", was="red")
    one.send("alarm", 2, 2)
    wait_for(lambda: {"stream": "event", "upto": 9} in one.of("receipt") and {"stream": "alarm", "upto": 2} in one.of("receipt"),
             what="the last receipts")
    state = second.finish()["gateways"][0]["streams"]["event"]
    assert (state["resent"], state["holes"], state["upto"], state["receipt"], state["verified"]) == (2, 0, 9, 9, 5)
    assert [text for (text,) in rows(store, "SELECT text FROM record WHERE stream = 'event' ORDER BY seq")] == one.streams["event"]["texts"]
    assert rows(store, "SELECT alarm, level, event FROM v_alarm") == [("gw-01-1", "none", "clear")]
    assert rows(store, "SELECT count(*) FROM v_event") == [(9,)]

    # A number with two contents is found a run later, too; and what an alarm may do.
    third = platform(broker, *words)
    one.send("event", 2, 2, texts=[altered(one.streams["event"]["texts"][1], '"r"', '"q"')])
    one.alarm(event="escalate", level="red", was="blue")
    one.send("alarm", 3, 3)
    wait_for(lambda: 3 in third.records("alarm"), what="the wrong alarm")
    breaches = "\n".join(third.finish(expected=1)["breaches"])
    assert "event 2: came again with another text" in breaches and "goes on after its end" in breaches
    assert "came again" in rows(store, "SELECT text FROM breach")[0][0]


def test_what_came_again_is_receipted_again(gateway, broker, platform, tmp_path):
    one = gateway()
    platform(broker, "--receipts", "--store", tmp_path / "platform.db")
    one.event()
    one.send("event", 1, 1)
    wait_for(lambda: one.of("receipt") == [{"stream": "event", "upto": 1}], what="the receipt")
    one.send("event", 1, 1)
    wait_for(lambda: one.of("receipt") == [{"stream": "event", "upto": 1}] * 2, what="the receipt again")
    one.state(boot=2)
    wait_for(lambda: len(one.of("receipt")) == 3, what="the receipt after a start of the gateway")


def test_a_platform_that_comes_late_may_begin_there(gateway, broker, platform, tmp_path):
    one = gateway()
    for _ in range(9):
        one.event()
    late = platform(broker, "--receipts", "--accept-start", "--require-complete", "--store", tmp_path / "platform.db")
    one.documents()
    one.send("event", 7, 8)
    wait_for(lambda: {"stream": "event", "upto": 8} in one.of("receipt"), what="the receipt")
    report = late.finish()
    assert report["gateways"][0]["streams"]["event"]["holes"] == 0


# ---- what it says ------------------------------------------------------------------------------------------------------


@both
def test_alarms_are_acknowledged_by_rule(gateway, broker, platform, v311):
    one = gateway(v311=v311, answer=lambda command: {"ok": True, "alarm": command["alarm"]})
    watcher = platform(broker, "--ack=hi*", "--ack-after", "300ms", "--by", "赵六", *(["--v311"] if v311 else []))
    one.state()
    one.alarm("gw-01-1")
    one.alarm("gw-01-2", rule="other")
    one.alarm("gw-01-3", test=True)
    one.alarm("gw-01-4")
    one.alarm("gw-01-4", event="clear", level="none", was="red")
    began = time.monotonic()
    one.send("alarm", 1, 5)
    command = wait_for(lambda: one.of("command"), what="the acknowledgement")[0]
    assert time.monotonic() - began >= 0.29
    assert (command["command"], command["alarm"], command["by"]) == ("ack", "gw-01-1", "赵六") and command["id"]
    one.alarm("gw-01-1", event="ack", was="red", acked=True, by="赵六@county")
    one.send("alarm", 6, 6)
    wait_for(lambda: 6 in watcher.records("alarm"), what="the record of it")
    report = watcher.finish()["gateways"][0]
    assert (report["acks"], report["answered"], report["refused"]) == (1, 1, 0) and len(one.of("command")) == 1


def test_holes_are_asked_for_and_filled(gateway, broker, platform):
    answers = []

    def answer(command):
        answers.append(command)
        if command["stream"] == "event":
            return {"ok": True, "stream": "event", "from": command["from"], "to": command["to"]}
        return {"ok": True, "stream": "telemetry", "from": 4, "to": command["to"]}  # it has no more of the rest

    one = gateway(answer=answer)
    watcher = platform(broker, "--backfill", "--backfill-after", "300ms", "--require-complete")
    one.documents()
    for _ in range(9):
        one.event()
        one.frame()
    one.send("event", 1, 2)
    one.send("event", 6, 6)
    one.send("telemetry", 8, 9)
    wait_for(lambda: len(answers) >= 2, what="the questions")
    asked = {a["stream"]: (a["command"], a["from"], a["to"]) for a in answers}
    assert asked == {"event": ("backfill", 3, 5), "telemetry": ("backfill", 1, 7)}
    one.send("event", 3, 5, backfill=True)
    one.send("telemetry", 4, 7, backfill=True)
    wait_for(lambda: {3, 4, 5} <= set(watcher.records("event")) and 7 in watcher.records("telemetry"), what="what was missing")
    report = watcher.finish()["gateways"][0]
    assert report["streams"]["event"]["holes"] == report["streams"]["telemetry"]["holes"] == 0
    assert len(answers) == 2, "asked once"


def test_a_refusal_is_told_and_asked_again(gateway, broker, platform):
    refusals = []

    def answer(command):
        refusals.append(command)
        return {"ok": False, "error": "busy: too many"}

    one = gateway(answer=answer)
    watcher = platform(broker, "--backfill", "--backfill-after", "100ms", "--timeout", "300ms")
    one.state()
    one.event()
    one.event()
    one.send("event", 2, 2)
    wait_for(lambda: len(refusals) >= 2, what="the question again")
    assert refusals[0]["id"] != refusals[1]["id"]
    wait_for(lambda: "busy: too many" in watcher.child.output(), what="the refusal told")
    assert watcher.finish()["gateways"][0]["refused"] >= 1


def ask(port, *words, timeout="15s"):
    command = [program("riskgate-platform"), "--broker", f"127.0.0.1:{port}", "--timeout", timeout, *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)


@both
def test_one_question(gateway, broker, v311):
    how = ["--v311"] if v311 else []
    one = gateway(v311=v311, answer=lambda c: {"ok": True, "point": c["point"], "value": 3} if c["command"] == "read"
                  else {"ok": False, "error": "not allowed: ack"} if c["command"] == "ack" else None)
    done = ask(broker.port, *how, "ask", ROOT, '{"command":"read","point":"gas.lel"}')
    assert done.returncode == 0, done.stderr
    reply = json.loads(done.stdout)
    assert (reply["ok"], reply["point"], reply["value"]) == (True, "gas.lel", 3) and reply["id"] == one.of("command")[0]["id"]
    done = ask(broker.port, *how, "ask", ROOT, '{"id":"mine","command":"ack"}')
    assert done.returncode == 1 and json.loads(done.stdout)["error"] == "not allowed: ack" and json.loads(done.stdout)["id"] == "mine"
    done = ask(broker.port, *how, "ask", ROOT, '{"command":"silence"}', timeout="1s")
    assert done.returncode == 1 and "no answer" in done.stderr and not done.stdout
    assert ask(broker.port, *how, "ask", ROOT, "read").returncode == 2
    assert ask(broker.port, *how, "ask", ROOT).returncode == 2
    message = one.heard[0][2]
    assert v311 or (message.properties.ResponseTopic.startswith(f"{ROOT}/reply/") and message.properties.CorrelationData)


def test_a_point_is_read_once(gateway, broker, platform):
    one = gateway(answer=lambda c: {"ok": True, "point": c["point"], "value": 12.3})
    watcher = platform(broker, "--read", "gas.lel")
    one.state()
    wait_for(lambda: '"value":12.3' in watcher.child.output(), what="the reading")
    one.state()
    one.event()
    one.send("event", 1, 1)
    wait_for(lambda: 1 in watcher.records("event"), what="what came after")
    watcher.finish()
    assert [c["command"] for c in one.of("command")] == ["read"]


@pytest.mark.parametrize("words", [["--receipts"], ["--ack"], ["--cert", "x"], ["--seconds", "0"], ["--ack-after", "soon"], ["more"],
                                   ["--remember", "-1"], ["--nonsense"], ["--broker", "ftp://x:1"]])
def test_wrong_usage(words):
    done = subprocess.run([program("riskgate-platform"), *words], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 2 and done.stderr, done


def test_no_broker():
    done = ask(1, "ask", ROOT, '{"command":"read","point":"a.b"}')
    assert done.returncode == 3 and "127.0.0.1:1" in done.stderr


def test_tls_is_verified(make_broker, tmp_path):
    """The chain and the host's name; with a certificate of its own where the broker wants one."""
    ours, theirs = Authority(tmp_path, "ours"), Authority(tmp_path, "theirs")
    certificate, key = ours.issue("broker", "DNS:localhost")
    mine, my_key = ours.issue("platform", "DNS:platform")
    broker = tls_broker(make_broker, certificate, key, f"cafile {ours.certificate}", "require_certificate true")
    trust = ["--ca", str(ours.certificate)]
    own = ["--cert", str(mine), "--key", str(my_key)]

    def outcome(host, *words):
        command = [program("riskgate-platform"), "--broker", f"mqtts://{host}:{broker.port}", "--timeout", "1s", *words, "ask", ROOT,
                   '{"command":"read","point":"a.b"}']
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
        return done.returncode, done.stderr

    status, words = outcome("localhost", *trust, *own)
    assert status == 1 and "no answer" in words, "connected, and nobody is there to answer"
    assert outcome("127.0.0.1", *trust, *own)[0] == 3, "the certificate is of another name"
    assert outcome("localhost", "--ca", str(theirs.certificate), *own)[0] == 3, "of an authority that is not ours"
    assert outcome("localhost", *own)[0] == 3, "nor one of the system's"
    assert outcome("localhost", *trust)[0] == 3, "the broker wants to know who it is"


def test_two_hundred_gateways_on_one_connection(broker, platform, tmp_path):
    """Each by itself: numbers, chain, receipts."""
    store = tmp_path / "platform.db"
    watcher = platform(broker, "--receipts", "--store", store, "--require-complete", "--remember", "64")
    one = FakeGateway(broker.port)
    heads = []
    one.client.subscribe(f"riskgate/v1/{CODE}/+/receipt", 1)
    for number in range(200):
        name = f"gw-{number:03}"
        many = FakeGateway.__new__(FakeGateway)
        many.client, many.root, many.head = one.client, f"riskgate/v1/{CODE}/{name}", {**HEAD, "gw": name}
        many.streams = {s: {"texts": [], "hash": ""} for s in one.streams}
        many.documents()
        for _ in range(3):
            many.event()
            many.frame()
        many.send("event", 1, 3)
        many.send("telemetry", 1, 3)
        heads.append(name)
    wait_for(lambda: rows(store, "SELECT count(*) FROM stream WHERE receipt = 3 OR receipt = 0")[0][0] >= 400 and
             rows(store, "SELECT count(*) FROM record")[0][0] == 1200, 60, "all of them")
    report = watcher.finish()
    assert [g["gateway"] for g in report["gateways"]] == heads
    assert all(g["streams"]["event"]["verified"] == 3 and g["streams"]["event"]["receipt"] == 3 for g in report["gateways"])
    one.close()
