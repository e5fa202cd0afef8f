"""Promise 10: no listening network port, verified TLS, no password where it can be read, a control socket for few."""

import os
import pathlib
import stat
import subprocess

import pytest

from conftest import program, wait_for
from evidence import Listener, site_of, uplink, world_of


def sockets_of(pid):
    """The inodes of a process's sockets."""
    found = set()
    for entry in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = os.readlink(entry)
        except FileNotFoundError:
            continue
        if target.startswith("socket:["):
            found.add(target[8:-1])
    return found


def network_sockets(pid, listening):
    """Lines of /proc/net of the process's sockets: bound to listen (TCP state 0A, UDP unconnected 07), or all others."""
    mine = sockets_of(pid)
    found = []
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in pathlib.Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[9] in mine and (fields[3] in ("0A", "07")) == listening:
                found.append((table, *fields[1:4]))
    return found


def status_detail(gateway):
    return gateway.status()["uplinks"][0]["detail"] or ""


def test_no_listening_port_and_a_socket_for_few(plant, broker, daemon):
    world = plant(world_of(buses=2, units=2))
    gateway = daemon(site_of(world, [uplink(broker.port)], units=2))
    wait_for(lambda: gateway.status()["uplinks"][0]["connected"] and all(d["ok"] for d in gateway.status()["devices"]), what="the site")
    pid = gateway.child.pid
    assert len(network_sockets(pid, listening=False)) == 3, "this test sees the sockets that are there: two buses, one platform"
    assert network_sockets(pid, listening=True) == []
    mode = gateway.socket.stat().st_mode
    assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o660
    for name in (gateway.database, gateway.database.with_name("riskgate.db-wal")):
        assert stat.S_IMODE(name.stat().st_mode) & 0o022 == 0, f"{name} can be written by others"
    assert gateway.ctl("status").returncode == 0
    gateway.stop()
    assert not gateway.socket.exists()


@pytest.mark.parametrize("url", ["mqtt://user:geheim@127.0.0.1:1883", "mqtts://user@127.0.0.1", "mqtt://127.0.0.1:1883/?password=geheim"])
def test_no_password_in_a_url(plant, daemon, url):
    world = plant(world_of(buses=1, units=1))
    gateway = daemon(site_of(world, [{"name": "county", "url": url}], units=1), run=False)
    gateway.spawn()
    assert gateway.child.wait() == 1
    assert "url" in gateway.child.output()
    if "@" in url:
        assert "geheim" not in gateway.child.output()
    checked = subprocess.run([program("riskgatectl"), "check", str(gateway.file)], capture_output=True, text=True, check=False, timeout=20)
    assert checked.returncode == 1 and "password" in checked.stdout + checked.stderr or "nothing may follow" in checked.stderr
    assert not gateway.database.exists() and not gateway.socket.exists()


def test_commands_from_outside_are_off(plant, make_broker, daemon):
    """Nothing is even listened to but what is allowed, one by one; a word that is none is refused, not ignored."""
    world = plant(world_of(buses=1, units=1))
    quiet, open_one = make_broker(), make_broker()
    config = site_of(world, [uplink(quiet.port), uplink(open_one.port, name="park", commands=["ack"])], units=1)
    gateway = daemon(config)
    asked = "Received SUBSCRIBE from riskgate-gw-01-"
    wait_for(lambda: asked + "park" in open_one.child.output(), what="the one that may ask")
    wait_for(lambda: all(u["connected"] and not u["pending"]["event"] for u in gateway.status()["uplinks"]), what="all at rest")
    assert asked not in quiet.child.output()
    gateway.stop()

    config["uplinks"][1]["commands"] = ["ack", "reboot"]
    refused = daemon(config, run=False)
    refused.spawn()
    assert refused.child.wait() == 1 and "reboot" in refused.child.output() and "commands" in refused.child.output()


# ---- TLS ---------------------------------------------------------------------------------------------------------------


class Authority:
    """A certificate authority made with openssl."""

    def __init__(self, folder, name):
        self.folder = folder / name
        self.folder.mkdir()
        self.key, self.certificate = self.folder / "ca.key", self.folder / "ca.crt"
        self._openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", f"/CN={name}", "-keyout", self.key,
                      "-out", self.certificate)

    def _openssl(self, *arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=60)

    def issue(self, name, alternative, days=30):
        """(certificate, key) for a subjectAltName such as IP:127.0.0.1."""
        key, request, certificate = (self.folder / f"{name}.{end}" for end in ("key", "csr", "crt"))
        extensions = self.folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName={alternative}\n")
        self._openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        self._openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial", "-days", days,
                      "-extfile", extensions, "-out", certificate)
        return certificate, key


def tls_broker(make_broker, certificate, key, *extra):
    return make_broker(extra=[f"certfile {certificate}", f"keyfile {key}", *extra])


def secure(broker, host="127.0.0.1", **tls):
    return {"name": "county", "url": f"mqtts://{host}:{broker.port}", "tls": {k: str(v) for k, v in tls.items()}}


def refused(gateway):
    """The reason of status once a try has failed."""
    def reason_of_the_new_one():
        detail = status_detail(gateway)
        return detail if detail and "before a reload" not in detail else None

    reason = wait_for(reason_of_the_new_one, what="a reason in status")
    assert not gateway.status()["uplinks"][0]["connected"] and gateway.status()["uplinks"][0]["connects"] == 0
    return reason


def test_tls_is_verified(plant, make_broker, daemon, tmp_path):
    right, wrong = Authority(tmp_path, "right"), Authority(tmp_path, "wrong")
    broker = tls_broker(make_broker, *right.issue("broker", "IP:127.0.0.1"))
    stranger = tls_broker(make_broker, *right.issue("stranger", "DNS:elsewhere.example"))
    past = tls_broker(make_broker, *right.issue("past", "IP:127.0.0.1", days=0))
    world = plant(world_of(buses=1, units=1))

    gateway = daemon(site_of(world, [secure(broker, ca=right.certificate)], units=1))
    wait_for(lambda: gateway.status()["uplinks"][0]["connected"], what="the connection with the right CA")
    wait_for(lambda: gateway.status()["uplinks"][0]["last_ack_ts"], what="a record over TLS")

    for what, wanted in (("wrong CA", secure(broker, ca=wrong.certificate)), ("the system's CAs", secure(broker)),
                         ("wrong host", secure(stranger, ca=right.certificate)), ("out of date", secure(past, ca=right.certificate)),
                         ("no TLS there", {"name": "county", "url": f"mqtt://127.0.0.1:{broker.port}"})):
        gateway.config["uplinks"] = [{k: v for k, v in wanted.items() if v}]
        before = gateway.status()["config"]["sha256"]
        gateway.reload()
        wait_for(lambda b=before: gateway.status()["config"]["sha256"] != b, what="the reload")
        wait_for(lambda: gateway.status()["uplinks"][0]["connects"] == 0, what="the new uplink")
        reason = refused(gateway)
        if what != "no TLS there":
            assert "certificate" in reason.lower() or "verif" in reason.lower() or "mismatch" in reason.lower(), (what, reason)
    gateway.stop()


def test_client_certificates(plant, make_broker, daemon, tmp_path):
    authority = Authority(tmp_path, "ca")
    broker = tls_broker(make_broker, *authority.issue("broker", "IP:127.0.0.1"), f"cafile {authority.certificate}",
                        "require_certificate true", "use_identity_as_username true")
    certificate, key = authority.issue("gw-01", "DNS:gw-01")
    world = plant(world_of(buses=1, units=1))
    gateway = daemon(site_of(world, [secure(broker, ca=authority.certificate)], units=1))
    refused(gateway)
    gateway.config["uplinks"] = [secure(broker, ca=authority.certificate, cert=certificate, key=key)]
    gateway.reload()
    wait_for(lambda: gateway.status()["uplinks"][0]["connected"], what="the connection with a certificate of its own")
    assert "u'gw-01'" in broker.child.output()
    gateway.stop()


# ---- user and password -------------------------------------------------------------------------------------------------


def test_user_and_password_file(plant, make_broker, daemon, tmp_path):
    passwords = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(passwords), "gateway", "richtig"], check=True, capture_output=True, timeout=20)
    broker = make_broker(extra=["allow_anonymous false", f"password_file {passwords}"])
    secret = tmp_path / "secret"
    secret.write_text("falsch\n")
    world = plant(world_of(buses=1, units=1))
    gateway = daemon(site_of(world, [uplink(broker.port, username="gateway", password_file=str(secret))], units=1))
    reason = refused(gateway)
    assert "not auth" in reason.lower() or "password" in reason.lower(), reason
    secret.write_text("richtig\n")  # read anew for each try: no restart is needed
    wait_for(lambda: gateway.status()["uplinks"][0]["connected"], what="the connection with the right password")
    with Listener(broker.port, username="gateway", password="richtig") as seen:
        seen.wait(lambda all: any(m.kind == "telemetry" for m in all), "telemetry")
    secret.unlink()
    broker.stop()
    wait_for(lambda: not gateway.status()["uplinks"][0]["connected"], what="the loss")
    broker.start()
    wait_for(lambda: "password" in status_detail(gateway), what="the missing file told")
    everything = gateway.child.output() + gateway.ctl("status").stdout + gateway.ctl("status", "--json").stdout
    assert "richtig" not in everything and "falsch" not in everything
    gateway.stop()
    assert b"richtig" not in gateway.database.read_bytes()
