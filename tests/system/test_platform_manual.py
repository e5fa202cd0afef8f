"""docs/platform.md and its Chinese twin: each example is as the schemas say, the code does what it says, the broker's rules hold."""

import json
import re
import subprocess

import paho.mqtt.client as mqtt
import pytest
from conftest import program, wait_for
from documents import DOCS, KINDS, faults
from evidence import ROOT, Listener, site_of, uplink, world_of
from fake_gateway import text_of

MANUALS = ("platform.md", "platform.zh.md")


def blocks(manual):
    """[(first line, text)] of the code blocks."""
    text = (DOCS / manual).read_text(encoding="utf-8")
    return re.findall(r"^```([a-z ]+)\n(.*?)^```$", text, re.S | re.M)


def code(manual="platform.md"):
    """What the Python in the manual defines."""
    found = {}
    for _, text in (b for b in blocks(manual) if b[0] == "python"):
        exec(text, found)  # pylint: disable=exec-used
    return found


def test_both_say_the_same():
    assert blocks("platform.md") == blocks("platform.zh.md") and len(blocks("platform.md")) > 20
    numbered = [[h[1] for h in re.findall(r"^(##) (\d+)\.", (DOCS / m).read_text(encoding="utf-8"), re.M)] for m in MANUALS]
    assert numbered[0] == numbered[1]


def examples():
    return [(where.split()[1], text) for where, text in blocks("platform.md") if where.startswith("json")]


def test_the_examples_are_as_the_schemas_say():
    for kind, text in examples():
        wrong = faults(kind, json.loads(text))
        assert not wrong, (wrong, text)
    assert {kind for kind, _ in examples()} == set(KINDS) - {"about"}


def test_the_links_lead_somewhere():
    for manual in MANUALS:
        for link in re.findall(r"\]\(([^)]+)\)", (DOCS / manual).read_text(encoding="utf-8")):
            assert (DOCS / link).exists(), (manual, link)


def test_the_chain_in_the_manual():
    """The two alarms of the manual were sent by a real gateway: the code verifies them, and finds every change."""
    follows, raw_records = code()["follows"], code()["raw_records"]
    alarms = [text for kind, text in examples() if kind == "alarm"][:2]
    first, second = (next(raw_records(text.encode())) for text in alarms)
    assert follows("", first) and follows(first[-66:-2], second)
    assert not follows("", second) and not follows(first[-66:-2], second.replace("李四", "王五"))


def test_the_code_on_what_a_gateway_sends(broker, plant, daemon):
    found = code()
    world = plant(world_of(buses=1, units=2))
    with Listener(broker.port) as seen:
        gateway = daemon(site_of(world, [uplink(broker.port, telemetry={"devices": ["d-0-1"]})], units=2, swings=False))
        for value, level in ((60, "red"), (0, "none"), (30, "yellow")):
            world.control.set("bus-0", 1, "holding", 0, value)
            wait_for(lambda level=level: gateway.status()["level"] == level, what=level)
        seen.wait(lambda all: sum(len(m.numbers) for m in all if m.kind == "alarm") >= 3, "the alarms")
        seen.wait(lambda all: len([m for m in all if m.kind == "telemetry"]) >= 5, "telemetry")
        gateway.stop()
        messages = list(seen.messages)
    for stream in ("alarm", "event"):
        before = ""
        for text in dict.fromkeys(r for m in messages if m.kind == stream for r in found["raw_records"](m.payload)):
            assert found["follows"](before, text), text
            before = text[-66:-2]
    spans = {}
    for m in messages:
        if "stream" in m.json:
            found["account"](spans.setdefault(m.kind, []), m.json["prev"], m.json["last"])
    assert set(spans) >= {"alarm", "event", "telemetry"}
    for stream, accounted in spans.items():
        assert len(accounted) == 1 and not found["holes"](accounted), (stream, accounted)
    accounted = []
    for prev, last in ((7, 9), (None, 3), (20, 30)):
        found["account"](accounted, prev, last)
    assert found["holes"](accounted) == [(4, 7), (10, 20)]
    found["account"](accounted, 3, 8)
    assert found["holes"](accounted) == [(10, 20)]


@pytest.fixture
def guarded(make_broker, tmp_path):
    """A broker with the rules of the manual."""
    rules = "".join(text for where, text in blocks("platform.md") if where == "acl")
    (tmp_path / "acl").write_text(rules)
    users = re.findall(r"^user (.+)$", rules, re.M)
    assert len(users) == 3
    (tmp_path / "users").write_text("".join(f"{user}:secret\n" for user in users))

    subprocess.run(["mosquitto_passwd", "-U", str(tmp_path / "users")], check=True)
    return make_broker(extra=[f"acl_file {tmp_path / 'acl'}", f"password_file {tmp_path / 'users'}"]), users


def test_the_brokers_rules(guarded, plant, daemon, platform, tmp_path):
    """With the rules of the manual a gateway is heard, receipted and asked; and nobody can say what is not his to say."""
    broker, (gateway_user, platform_user, officers) = guarded
    (tmp_path / "password").write_text("secret\n")
    (tmp_path / "password").chmod(0o600)
    watcher = platform(broker, "--username", platform_user, "--password", "secret", "--receipts", "--store", tmp_path / "p.db", "--require-complete")
    world = plant(world_of(buses=1, units=1))
    gateway = daemon(site_of(world, [uplink(broker.port, receipts=True, commands=["read"], username=gateway_user,
                                            password_file=str(tmp_path / "password"))], units=1, swings=False))
    wait_for(lambda: gateway.status()["uplinks"][0]["connected"], what="the connection")
    wait_for(lambda: gateway.query("SELECT 1 FROM v_uplink WHERE stream = 'event' AND acked > 0"), what="a receipt that was heard")


    def ask(user, timeout="15s"):
        words = [program("riskgate-platform"), "--broker", f"127.0.0.1:{broker.port}", "--username", user, "--password", "secret",
                 "--timeout", timeout, "ask", ROOT, '{"command":"read","point":"d-0-1.gas"}']
        return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)

    done = ask(officers)
    assert done.returncode == 0 and '"value":0' in done.stdout, (done.stdout, done.stderr)
    assert ask(platform_user, timeout="2s").returncode == 1, "a platform that is not the officers' may not ask"
    # A thief with a gateway's password cannot speak for another one.
    thief = mqtt.Client(protocol=mqtt.MQTTv5)
    thief.username_pw_set(gateway_user, "secret")
    thief.connect("127.0.0.1", broker.port)
    thief.loop_start()
    wait_for(thief.is_connected, what="the thief")
    other = ROOT.replace("gw-01", "gw-02")
    for topic in (f"{other}/state", f"{ROOT}/receipt", f"{other}/command"):
        thief.publish(topic, text_of({"v": 1}), 1).wait_for_publish(20)
    thief.disconnect()
    thief.loop_stop()
    gateway.stop()
    wait_for(lambda: any('"kind":"stop"' in t for t in watcher.records("event").values()), what="the goodbye")
    report = watcher.finish()
    assert [g["gateway"] for g in report["gateways"]] == ["gw-01"]
