"""A reload that is asked for over the control socket: who asked, what it changed, why it was refused, and the answer that is never lost."""

import contextlib
import json
import os
import pwd
import signal
import socket

from conftest import PATIENCE, wait_for
from documents import hold
from evidence import site_of, uplink, world_of

ME = f"{pwd.getpwuid(os.getuid()).pw_name} (uid {os.getuid()})"


class Client:
    """One connection to the control socket."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(str(path))
        self.reader = self.socket.makefile("r", encoding="utf-8")

    def send(self, command):
        self.socket.sendall(json.dumps({"command": command}).encode() + b"\n")

    def answer(self):
        answer = json.loads(self.reader.readline())
        assert answer["ok"], answer
        return answer["result"]

    def ask(self, command):
        self.send(command)
        return self.answer()


def configs(gateway):
    return [r for _, r in gateway.records("event") if r["kind"] == "config"]


def keys(result):
    """The keys of the answer to `config`."""
    flat = result["keys"]
    return dict(zip(flat[::2], flat[1::2]))


def test_the_outcome_is_told_to_who_asked(plant, broker, daemon):
    world = plant(world_of(buses=1, units=1))
    gateway = daemon(site_of(world, [uplink(broker.port)], units=1, swings=False))
    client = Client(gateway.socket)
    before = client.ask("config")
    assert set(before) == {"file", "sha256", "loaded_ts", "keys"} and keys(before)["rule.gas-high.above.red"] == "50"

    same = client.ask("reload")
    assert same == {"outcome": "unchanged", "sha256": before["sha256"], "by": ME, "changes": [], "errors": []}
    assert client.ask("config")["keys"] == before["keys"]

    gateway.config["rules"][0]["above"] = {"yellow": 20, "red": 55}
    gateway.write()
    done = client.ask("reload")
    after = client.ask("config")
    assert done["outcome"] == "applied" and done["by"] == ME and done["errors"] == []
    assert done["changes"] == [{"what": "rule.gas-high.above.red", "before": "50", "after": "55"}]
    assert done["sha256"] == after["sha256"] == gateway.status()["config"]["sha256"] != before["sha256"]
    assert keys(after)["rule.gas-high.above.red"] == "55" and after["loaded_ts"] >= before["loaded_ts"]

    good = gateway.file.read_text()
    gateway.file.write_text(good.replace('"message"', '"massage"').replace('"unit": 1', '"unit": 1000'))
    refused = client.ask("reload")
    assert refused["outcome"] == "refused" and refused["changes"] == [] and refused["by"] == ME
    assert any("massage" in e["text"] and e["line"] > 0 and e["column"] > 0 for e in refused["errors"]), refused
    assert all(e["file"] == str(gateway.file) for e in refused["errors"])
    assert gateway.status()["config"]["sha256"] == done["sha256"]
    gateway.config["gateway"]["id"] = "gw-02"
    gateway.write()
    [error] = client.ask("reload")["errors"]
    assert "gateway.id" in error["text"] and error["line"] == 0

    wait_for(lambda: len(configs(gateway)) == 4, what="the events")
    told = configs(gateway)
    assert [e["applied"] for e in told] == [True, True, False, False]
    assert all(e["by"] == ME and e["uid"] == os.getuid() for e in told)
    assert told[1]["changes"] == [{"what": "rule.gas-high.above.red", "old": "50", "new": "55"}]
    assert told[2]["issues"] == refused["errors"] and told[2]["errors"] == len(refused["errors"])
    hold([("event", {"v": 1, "ent": "91350100M000100Y43", "gw": "gw-01", "stream": "event", "backfill": False, "prev": seq - 1 or None,
                     "first": seq, "last": seq, "records": [record]})
          for seq, record in gateway.records("event")])
    gateway.child.await_output("massage")


def test_an_answer_survives_its_socket_and_the_end(plant, broker, daemon):
    world = plant(world_of(buses=1, units=1))
    gateway = daemon(site_of(world, [uplink(broker.port)], units=1, swings=False))
    old, elsewhere = gateway.socket, gateway.folder / "elsewhere.sock"
    client = Client(old)
    gateway.config["control"] = {"socket": str(gateway.file / "below-a-file.sock")}
    gateway.write()
    refused = client.ask("reload")
    assert refused["outcome"] == "refused" and "control socket" in refused["errors"][0]["text"]
    gateway.config["control"] = {"socket": str(elsewhere)}
    gateway.write()
    done = client.ask("reload")
    assert [c["what"] for c in done["changes"]] == ["control.socket.path"]
    gateway.socket = elsewhere  # it is there before the answer
    assert gateway.status()["config"]["sha256"] == done["sha256"]
    wait_for(lambda: not old.exists(), what="the end of the old socket")

    # Many at once, by both ways, and some that do not stay for the answer: each who stays is answered.
    with contextlib.ExitStack() as stack:
        clients = [Client(elsewhere) for _ in range(8)]
        for number, one in enumerate(clients):
            stack.callback(one.socket.close)
            one.send("reload")
            gateway.child.signal(signal.SIGHUP)
            if number % 4 == 3:
                one.socket.close()
                one.reader.close()
        for number, one in enumerate(clients):
            if number % 4 != 3:
                assert one.answer()["outcome"] == "unchanged"
    wait_for(lambda: {who for e in configs(gateway) for who in e["by"].split(", ")} == {ME, "signal"}, what="both ways told")
    last = Client(elsewhere)
    last.send("reload")
    gateway.stop()
    text = ""
    with contextlib.suppress(ConnectionResetError):  # its end may come before it has read the question
        text = last.reader.readline()
    assert not text or json.loads(text)["ok"] or "stopping" in json.loads(text)["error"]
