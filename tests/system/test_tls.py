"""TLS as it is lived with: what is wrong is told in words, what is renewed on disk holds from the next connection on, what is cut in the
middle of a record arrives whole, and passwords are nowhere to be read."""

import json
import os
import random
import socket
import struct
import subprocess
import threading
import time

import paho.mqtt.client as mqtt
import pytest

from conftest import PATIENCE, free_port, program, wait_for
from evidence import LONG, STREAMS, assert_store_is_sound, dice, rows, site_of, uplink, world_of


class Authority:
    """A certificate authority made with openssl."""

    def __init__(self, folder, name):
        self.folder = folder / name
        self.folder.mkdir()
        self.key, self.certificate = self.folder / "ca.key", self.folder / "ca.crt"
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "60", "-subj",
                      f"/CN={name}", "-keyout", self.key, "-out", self.certificate)

    def _openssl(self, *arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=60)

    def issue(self, name, alternative, days=60):
        """(certificate, key) for a subjectAltName such as IP:127.0.0.1."""
        key, request, certificate = (self.folder / f"{name}.{end}" for end in ("key", "csr", "crt"))
        extensions = self.folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName={alternative}\n")
        self._openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}", "-keyout", key,
                      "-out", request)
        self._openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial", "-days", days,
                      "-extfile", extensions, "-out", certificate)
        return certificate, key

    def encrypt(self, key):
        """The same key behind a passphrase."""
        hidden = key.with_suffix(".hidden")
        self._openssl("pkcs8", "-topk8", "-in", key, "-passout", "pass:geheim", "-out", hidden)
        return hidden


def tls_broker(make_broker, certificate, key, *extra):
    return make_broker(extra=[f"certfile {certificate}", f"keyfile {key}", *extra])


def secure(port, name="county", host="127.0.0.1", **tls):
    return {"name": name, "url": f"mqtts://{host}:{port}", "tls": {k: str(v) for k, v in tls.items()}}


def state_of(gateway, name="county"):
    return next(u for u in gateway.status()["uplinks"] if u["name"] == name)


def detail_of(gateway, name="county"):
    return state_of(gateway, name)["detail"] or ""


def await_up(gateway, name="county", connects=1):
    return wait_for(lambda: (s := state_of(gateway, name))["connected"] and s["connects"] >= connects, LONG, f"the connection of {name}")


def await_words(gateway, words, name="county"):
    wait_for(lambda: words in detail_of(gateway, name), LONG, f"{words!r} instead of {detail_of(gateway, name)!r}")


# ---- what is wrong, in words -------------------------------------------------------------------------------------------


def test_what_is_wrong_is_told(plant, make_broker, daemon, start, tmp_path):
    right, wrong = Authority(tmp_path, "right"), Authority(tmp_path, "wrong")
    good = tls_broker(make_broker, *right.issue("broker", "IP:127.0.0.1"))
    stranger = tls_broker(make_broker, *right.issue("stranger", "DNS:elsewhere.example"))
    past = tls_broker(make_broker, *right.issue("past", "IP:127.0.0.1", days=0))
    closed = tls_broker(make_broker, *right.issue("closed", "IP:127.0.0.1"), f"cafile {right.certificate}", "require_certificate true")
    plain = make_broker()
    certificate, key = right.issue("gw-01", "DNS:gw-01")
    _, other = right.issue("gw-02", "DNS:gw-02")
    foreign, foreign_key = wrong.issue("gw-03", "DNS:gw-03")
    old = free_port()
    start(["openssl", "s_server", "-accept", f"127.0.0.1:{old}", "-cert", certificate, "-key", key, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0",
           "-quiet"], name="s_server")
    ca = right.certificate
    cases = {
        "expired": (secure(past.port, ca=ca), ["CN=past expired on 20"]),
        "wrong-host": (secure(stranger.port, ca=ca), ["host name mismatch", "CN=stranger", "not for 127.0.0.1"]),
        "wrong-ca": (secure(good.port, ca=wrong.certificate), ["certificate verify failed", "issuer", str(wrong.certificate)]),
        "system-cas": (secure(good.port), ["certificate verify failed", "/etc/ssl/certs/ca-certificates.crt"]),
        "missing": (secure(good.port, ca=tmp_path / "nowhere.pem"), [f"`{tmp_path}/nowhere.pem`: there is no such file"]),
        "no-pem": (secure(good.port, ca=tmp_path / "words.pem"), [f"`{tmp_path}/words.pem`: holds no certificate"]),
        "not-fitting": (secure(closed.port, ca=ca, cert=certificate, key=other), [f"`{other}`: the key does not fit the certificate"]),
        "hidden": (secure(closed.port, ca=ca, cert=certificate, key=right.encrypt(key)), ["encrypted with a passphrase"]),
        "no-own": (secure(closed.port, ca=ca), ["the server refuses", "certificate required"]),
        "foreign": (secure(closed.port, ca=ca, cert=foreign, key=foreign_key), ["the server refuses", "unknown ca"]),
        "refused": (secure(free_port(), ca=ca), ["Connection refused"]),
        "no-tls": (secure(plain.port, ca=ca), ["TLS"]),
        "old-tls": (secure(old, ca=ca), ["TLS", "version"]),
        "no-name": (secure(good.port, ca=ca, host="no-such-host.invalid"), ["leads nowhere"]),
    }
    (tmp_path / "words.pem").write_text("no certificate\n")
    world = plant(world_of(buses=1, units=1))
    uplinks = [dict(case, name=name) for name, (case, _) in cases.items()]
    for one in uplinks:
        if not one["tls"]:
            del one["tls"]
    gateway = daemon(site_of(world, [*uplinks, dict(secure(good.port, ca=ca), name="good")], units=1))
    await_up(gateway, "good")
    for name, (_, words) in cases.items():
        wait_for(lambda n=name, w=words: all(word in detail_of(gateway, n) for word in w), LONG, f"{words} of {name}: {detail_of(gateway, name)}")
        assert state_of(gateway, name)["connects"] == 0
    assert wait_for(lambda: state_of(gateway, "good")["last_ack_ts"], what="a record over TLS beside all that")
    assert "geheim" not in gateway.child.output() + gateway.ctl("status").stdout
    gateway.stop()


def test_an_ipv6_address_is_verified_too(plant, make_broker, daemon, tmp_path):
    try:
        port = free_port()
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", port))
    except OSError:
        pytest.skip("no IPv6 on this machine")
    authority = Authority(tmp_path, "ca")
    certificate, key = authority.issue("six", "IP:::1")
    make_broker(extra=[f"listener {port} ::1", f"certfile {certificate}", f"keyfile {key}"])
    world = plant(world_of(buses=1, units=1))
    gateway = daemon(site_of(world, [secure(port, host="[::1]", ca=authority.certificate),
                                     secure(port, name="other", host="localhost", ca=authority.certificate)], units=1))
    await_up(gateway)
    await_words(gateway, "host name mismatch" if "::1" in str(socket.getaddrinfo("localhost", port)) else "refused", "other")
    gateway.stop()


# ---- what is renewed ---------------------------------------------------------------------------------------------------


def replace(target, source):
    beside = target.with_suffix(".new")
    beside.write_bytes(source.read_bytes())
    beside.replace(target)


def test_renewed_on_disk(plant, make_broker, daemon, tmp_path):
    """A broker's new authority, an own new certificate, a trust taken back: each from the next connection on, without a restart."""
    first, second = Authority(tmp_path, "first"), Authority(tmp_path, "second")
    broker_files = [tmp_path / "broker.crt", tmp_path / "broker.key"]
    trusted, own, own_key, clients = (tmp_path / name for name in ("trusted.pem", "own.crt", "own.key", "clients.pem"))

    def lay(targets, sources):
        for target, source in zip(targets, sources):
            replace(target, source)

    lay(broker_files, first.issue("broker", "IP:127.0.0.1"))
    lay([own, own_key], first.issue("gateway-before", "DNS:gw"))
    replace(trusted, first.certificate)
    clients.write_bytes(first.certificate.read_bytes() + second.certificate.read_bytes())
    broker = tls_broker(make_broker, *broker_files, f"cafile {clients}", "require_certificate true", "use_identity_as_username true")
    world = plant(world_of(buses=1, units=1))
    gateway = daemon(site_of(world, [secure(broker.port, ca=trusted, cert=own, key=own_key)], units=1))
    await_up(gateway)
    assert "u'gateway-before'" in broker.child.output()
    pid = gateway.child.pid

    broker.stop()
    lay(broker_files, second.issue("broker", "IP:127.0.0.1"))
    broker.start()
    await_words(gateway, "certificate verify failed")
    replace(trusted, second.certificate)
    await_up(gateway, connects=2)

    broker.stop()
    # The key comes after its certificate: what does not fit meanwhile is told, and tried again.
    certificate, key = second.issue("gateway-after", "DNS:gw")
    replace(own, certificate)
    broker.start()
    await_words(gateway, "does not fit")
    replace(own_key, key)
    await_up(gateway, connects=3)
    assert "u'gateway-after'" in broker.child.output()

    broker.stop()
    replace(trusted, first.certificate)
    broker.start()
    await_words(gateway, str(trusted))
    assert gateway.child.pid == pid and gateway.child.running
    events = [r for _, r in gateway.records("event") if r["kind"] == "uplink"]
    assert [e["state"] for e in events if e["state"] != "certificate"] == ["back", "lost"] * 3
    gateway.stop()


def test_the_end_is_told(plant, make_broker, daemon, tmp_path):
    authority = Authority(tmp_path, "ca")
    broker = tls_broker(make_broker, *authority.issue("broker", "IP:127.0.0.1"))
    soon, soon_key = authority.issue("soon", "DNS:gw", days=12)
    world = plant(world_of(buses=1, units=1))
    gateway = daemon(site_of(world, [secure(broker.port, ca=authority.certificate, cert=soon, key=soon_key)], units=1))

    def told():
        return [r for _, r in gateway.records("event") if r["kind"] == "uplink" and r["state"] == "certificate"]

    wait_for(told, what="the event")
    assert [(e["uplink"], e["file"], e["days"]) for e in told()] == [("county", str(soon), 11)]
    ends = subprocess.run(["openssl", "x509", "-in", soon, "-noout", "-enddate", "-dateopt", "iso_8601"], capture_output=True, text=True,
                          check=True).stdout.strip().split("=")[1]
    assert time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(told()[0]["expires"] / 1000)) == ends
    assert state_of(gateway)["certificate"]["file"] == str(soon) and state_of(gateway)["certificate"]["days"] == 11
    assert "ends in 11 days" in gateway.ctl("status").stdout
    gateway.child.await_output("ends in 11 days")
    checked = subprocess.run([program("riskgatectl"), "check", str(gateway.file)], capture_output=True, text=True, check=False, timeout=20)
    assert checked.returncode == 0 and f"warning: `cert`: the certificate `{soon}` (CN=soon) ends in 11 days" in checked.stderr
    listed = json.loads(subprocess.run([program("riskgatectl"), "check", "--json", str(gateway.file)], capture_output=True, text=True,
                                       check=True, timeout=20).stdout)
    assert any("ends in 11 days" in issue["text"] and issue["severity"] == "warning" for issue in listed["issues"])
    gateway.stop()


# ---- a line that takes little at a time and breaks in the middle of a record --------------------------------------------


class Narrow:
    """Passes TCP on in small pieces through a small window, so that whoever sends is made to wait, and breaks off in the middle: after so
    many bytes each, some of what was read passed on. Then it passes all, quickly."""

    def __init__(self, target, lengths, seed):
        self.target, self.lengths, self.random = target, list(lengths), random.Random(seed)
        self.cuts = 0
        self.listener = socket.socket()
        # What is accepted inherits both; small segments keep the sender's own buffer small, which is megabytes on the loopback else.
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(4)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.target), timeout=PATIENCE)
            except OSError:
                return
            left = self.lengths.pop(0) if self.lengths else None
            threading.Thread(target=self._up, args=(client, server, left), daemon=True).start()
            threading.Thread(target=self._down, args=(server, client), daemon=True).start()

    def _down(self, source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass

    def _up(self, source, sink, left):
        try:
            while data := source.recv(self.random.choice((7, 100, 1500, 4096)) if left is not None else 65536):
                if left is not None and len(data) >= left:
                    sink.sendall(data[:left])
                    self.cuts += 1
                    break
                sink.sendall(data)
                if left is not None:
                    left -= len(data)
                    time.sleep(self.random.choice((0, 0.005, 0.02, 0.03)))
        except OSError:
            pass
        for end in (source, sink):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset, not a farewell
            end.close()

    def close(self):
        self.listener.close()


class Raw:
    """Every message's topic and bytes, over a connection without TLS."""

    def __init__(self, port):
        self.messages, self.subscribed = [], threading.Event()
        self.client = mqtt.Client(protocol=mqtt.MQTTv5)
        self.client.on_connect = lambda client, *_: client.subscribe("#", 1)
        self.client.on_subscribe = lambda *_: self.subscribed.set()
        self.client.on_message = lambda _client, _data, m: self.messages.append((m.topic, m.payload))
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert self.subscribed.wait(PATIENCE)

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


def assert_whole(payload, stored):
    """The message is its header and the stored texts of the numbers it names, byte for byte. Returns those numbers."""
    message = json.loads(payload)
    stream, numbers = message["stream"], [r["seq"] for r in message["records"]]
    texts = ",".join(stored[stream][n] for n in numbers)
    assert payload.endswith(b'"records":[' + texts.encode() + b"]}"), (stream, numbers, payload)
    assert numbers[0] == message["first"] and numbers[-1] == message["last"]
    return stream, numbers


def test_what_is_cut_in_the_middle_arrives_whole(plant, make_broker, daemon, tmp_path):
    """paho.mqtt.c#1310, #1592: payloads spoilt around partial writes over TLS and connections that follow them."""
    dice_ = dice()
    authority = Authority(tmp_path, "ca")
    port = free_port()
    certificate, key = authority.issue("broker", "IP:127.0.0.1")
    broker = make_broker(extra=["max_queued_messages 0", f"listener {port} 127.0.0.1", f"certfile {certificate}", f"keyfile {key}"])
    raw = Raw(broker.port)
    names = [f"u{i}" for i in range(6)]
    lines = {name: Narrow(port, [dice_.randrange(20000, 300000) for _ in range(4)], dice_.random()) for name in names}
    world = plant(world_of(buses=2, units=4))
    uplinks = [dict(secure(lines[n].port, name=n, ca=authority.certificate), topic_root=n, backfill={"rate": "unlimited"},
                    protocol="3.1.1" if i % 3 == 2 else "5") for i, n in enumerate(names)]
    site = site_of(world, uplinks, units=4, poll="25ms")
    for device in site["devices"]:  # long records: more than the lines take
        device["points"] = device["points"] + [{"name": f"further-{i}", "holding": 1, "type": "i16"} for i in range(40)]
    gateway = daemon(site, run=False)
    gateway.start(env={**os.environ, "MQTT_C_CLIENT_TRACE": "ON", "MQTT_C_CLIENT_TRACE_LEVEL": "MINIMUM"})
    wait_for(lambda: all(line.cuts == 4 for line in lines.values()), 180, f"the cuts: {[line.cuts for line in lines.values()]}")
    for name in names:
        await_up(gateway, name)
    world.child.stop()  # the plant is silent from here on, so that there is an end
    wait_for(lambda: all(not any(u["pending"].values()) for u in gateway.status()["uplinks"]), LONG, "all of it")
    gateway.stop()
    stored = assert_store_is_sound(gateway)
    got = {name: {stream: set() for stream in STREAMS} for name in names}
    read = 0

    def all_there():
        """The broker has it all, and gives it on when it comes round to it."""
        nonlocal read
        for topic, payload in raw.messages[read:]:
            read += 1
            name, kind = topic.split("/")
            if kind in STREAMS:
                stream, numbers = assert_whole(payload, stored)
                got[name][stream].update(numbers)
        return all(set(stored[stream]) <= got[name][stream] for name in names for stream in ("alarm", "telemetry"))

    wait_for(all_there, LONG, "all of it at the listener")
    raw.close()
    assert len(stored["telemetry"]) > 500
    assert gateway.child.output().count("Partial write") > 5, "by Paho's own account, or else this has not tested what it is for"
    for line in lines.values():
        line.close()


# ---- passwords ---------------------------------------------------------------------------------------------------------


def test_a_password_is_nowhere_to_be_read(plant, make_broker, daemon, tmp_path):
    """Not in check, status, log, events, the store, nor in what other platforms get; refused over a clear line to another machine."""
    before, after = "Dunkel-47", "Heller-53"
    passwords = tmp_path / "passwords"
    for option, word in (("-c", before),):
        subprocess.run(["mosquitto_passwd", "-b", option, str(passwords), "gateway", word], check=True, capture_output=True, timeout=20)
    broker = make_broker(extra=["allow_anonymous false", f"password_file {passwords}"])
    open_broker = make_broker()
    raw = Raw(open_broker.port)
    secret = tmp_path / "secret"
    secret.write_text(before + "\nsecond line\n")
    secret.chmod(0o644)
    world = plant(world_of(buses=1, units=1))
    gateway = daemon(site_of(world, [uplink(broker.port, username="gateway", password_file=str(secret)),
                                     uplink(open_broker.port, name="open")], units=1))
    await_up(gateway)
    await_up(gateway, "open")
    seen = [gateway.child.await_output("chmod 600")]
    assert "others can get at" in seen[0] and "chmod 600" in seen[0]

    broker.stop()
    subprocess.run(["mosquitto_passwd", "-b", str(passwords), "gateway", after], check=True, capture_output=True, timeout=20)
    secret.write_text("")
    broker.start()
    await_words(gateway, "its first line is empty")
    secret.unlink()
    await_words(gateway, "there is no such file")
    secret.write_text(after + "\n")
    await_up(gateway, connects=2)

    gateway.reload()
    everything = [gateway.ctl(*command).stdout for command in (("status",), ("status", "--json"), ("points",), ("alarms",))]
    # What a core dump would hold is not judged, but nothing of it lies in what goes out or stays.
    everything.append(subprocess.run([program("riskgatectl"), "check", str(gateway.file)], capture_output=True, text=True, check=False,
                                     timeout=20).stderr)
    gateway.stop()
    everything += [gateway.child.output(), *(text for stream in STREAMS for text in rows(gateway, stream).values())]
    raw.close()
    everything += [payload.decode() for _, payload in raw.messages]
    files = [path.read_bytes() for path in gateway.folder.iterdir() if path.is_file() and path != secret]
    for word in (before, after):
        assert not any(word in text for text in everything) and not any(word.encode() in content for content in files)


@pytest.mark.parametrize("insecure", [None, False, True])
def test_a_password_over_a_clear_line(plant, daemon, tmp_path, insecure):
    secret = tmp_path / "secret"
    secret.write_text("Dunkel-47\n")
    secret.chmod(0o600)
    options = {} if insecure is None else {"insecure": insecure}
    world = plant(world_of(buses=1, units=1))
    site = site_of(world, [{"name": "county", "url": "mqtt://192.0.2.1:1883", "username": "gateway", "password_file": str(secret), **options}],
                   units=1)
    gateway = daemon(site, run=False)
    checked = subprocess.run([program("riskgatectl"), "check", str(gateway.file)], capture_output=True, text=True, check=False, timeout=20)
    assert "Dunkel" not in checked.stdout + checked.stderr
    if insecure:
        assert checked.returncode == 0 and "warning: the password goes to `192.0.2.1` in clear text" in checked.stderr
        gateway.start()
        assert "in clear text" in gateway.child.output()
        gateway.kill()
    else:
        assert checked.returncode == 1 and "error: the password would go to `192.0.2.1` in clear text" in checked.stderr
        gateway.spawn()
        assert gateway.child.wait() == 1 and not gateway.database.exists()
