"""The main job once, on the real programs: a device over Modbus TCP, a rule, the store, a broker, the platform."""

import signal

from conftest import wait_for
from evidence import Listener


def site(plant_port, broker_port):
    return {
        "uplinks": [{"name": "county", "url": f"mqtt://127.0.0.1:{broker_port}"}],
        "buses": [{"name": "shop", "tcp": f"127.0.0.1:{plant_port}"}],
        "areas": [{"name": "plant"}, {"name": "polishing", "parent": "plant"}],
        "devices": [{"name": "gas-1", "bus": "shop", "unit": 1, "poll": "100ms", "area": "polishing",
                     "points": [{"name": "lel", "holding": 0, "type": "u16", "scale": 0.1, "unit": "%LEL"}]}],
        "rules": [{"name": "lel-high", "points": "gas-1.lel", "above": {"yellow": 20, "red": 50}, "message": "过高"}],
    }


def test_from_a_register_to_the_platform(plant, broker, daemon, platform):
    world = plant({"listeners": [{"name": "shop", "tcp": "127.0.0.1:0",
                                  "units": [{"id": 1, "registers": [{"holding": 0, "value": 123}]}]}]})
    watcher = platform(broker, "--require-complete")
    gateway = daemon(site(world.ports["shop"], broker.port))

    wait_for(lambda: gateway.points()["gas-1.lel"]["value"] == 12.3, what="the first reading")
    world.control.set("shop", 1, "holding", 0, 600)
    wait_for(lambda: gateway.alarms(), what="the alarm")
    assert gateway.alarms()[0]["level"] == "red"
    assert gateway.ask("risk")["areas"]["plant"]["level"] == "red"
    done = gateway.ctl("ack", gateway.alarms()[0]["alarm"], "--by", "张三", "--comment", "正在处理")
    assert done.returncode == 0
    assert gateway.alarms()[0]["acked_by"] == "张三"
    world.control.set("shop", 1, "holding", 0, 0)
    wait_for(lambda: not gateway.alarms(), what="the end of the alarm")
    with Listener(broker.port) as seen:
        assert gateway.stop() == 0
        seen.wait(lambda all: any(m.kind == "state" and not m.json["online"] for m in all), "the goodbye at the broker")

    stored = dict(gateway.query("SELECT seq, body FROM alarm"))
    wait_for(lambda: len(watcher.records("alarm")) == len(stored), what="all alarms at the platform")
    assert watcher.records("alarm") == stored
    assert [r["event"] for _, r in gateway.records("alarm")] == ["raise", "ack", "clear"]
    report = watcher.finish()
    assert report["breach_count"] == 0
    assert not report["gateways"][0]["online"]  # it said goodbye


def test_signals_while_the_configuration_is_read(daemon):
    """A large file takes a while, and nobody hears a signal yet: it waits, and does what it says. The daemon ends cleanly."""
    config = site(1, 1)
    config["uplinks"], config["rules"] = [], []
    config["devices"] = [{"name": f"d-{i}", "bus": "shop", "unit": 1 + i, "poll": "1h",
                          "points": [{"name": f"p{p}", "holding": p, "type": "u16"} for p in range(40)]} for i in range(180)]
    gateway = daemon(config, run=False)

    def masks():
        with open(f"/proc/{gateway.child.pid}/status", encoding="ascii") as file:
            found = {line.split()[0]: int(line.split()[1], 16) for line in file if line.startswith(("SigBlk", "SigCgt"))}
        return "held" if found["SigBlk:"] & 1 else "heard" if found["SigCgt:"] & 1 else None  # bit 0: SIGHUP

    seen = set()
    while "held" not in seen:
        assert len(seen) < 20, "signals are not held back"
        gateway.spawn()
        state = wait_for(masks, what="the daemon's main")
        seen.add(state if state == "held" else len(seen))
        gateway.child.signal(signal.SIGHUP)
        gateway.child.signal(signal.SIGTERM)
        assert gateway.child.wait() == 0, gateway.child.output()[-2000:]
