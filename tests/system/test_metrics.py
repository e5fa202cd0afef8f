"""Metrics: every figure of `status` is there, under rules that other people's parsers hold us to; the file for a collector."""

import itertools
import os
import re
import subprocess

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from conftest import free_port, wait_for
from evidence import site_of, uplink, world_of

# Members of `status` that are no figure: what they say is a label of others, or a list of names.
NO_FIGURE = {"devices.unit", "problems.since_ts", "alarms.frequent_alarms.raises", "alarms.standing_alarms.raised_ts", "alarms.chattering_alarms.raises"}


@pytest.fixture
def gateway(plant, broker, daemon, tmp_path):
    """All that a site can have, so that status has all its members."""
    authority = tmp_path / "ca.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "60", "-subj", "/CN=x",
                    "-keyout", tmp_path / "ca.key", "-out", authority], check=True, capture_output=True, timeout=60)
    world = plant(world_of(buses=1, units=2))
    world.control.set("bus-0", 1, "holding", 0, 60)
    site = site_of(world, [uplink(broker.port, receipts=True, commands=["ack"]),
                           {"name": "far", "url": f"mqtts://127.0.0.1:{free_port()}", "tls": {"ca": str(authority)}}], units=2, swings=False)
    site["devices"][0]["record"] = {"every": "1s", "around_alarms": "10s"}
    site["devices"].append({"name": "relay", "bus": "bus-0", "unit": 2, "poll": "1s", "points": [{"name": "r", "holding": 1, "type": "i16"}]})
    site["outputs"] = [{"name": "siren", "label": '警 "笛"\\', "device": "relay", "coil": 0, "when": {"area": "hall", "from": "yellow"}}]
    site["permits"] = [{"name": "hot-work", "max": "8h"}]
    site["self_test"] = {"every": "24h", "uplinks": ["county"]}
    site["metrics"] = {"file": str(tmp_path / "riskgate.prom"), "every": "1s"}
    made = daemon(site)
    made.metrics_file = tmp_path / "riskgate.prom"
    
    def at_work():
        status = made.status()
        return (status["alarms"]["red"] == 1 and all(d["state"] == "online" for d in status["devices"]) and status["metrics"]["written"] and
                status["uplinks"][0]["last_ack_ts"])

    wait_for(at_work, what="the site at work")
    made.ctl("permit", "open", "hot-work", "--for", "1h", "--by", "x")
    return made


def figures(json, path=""):
    """The path of every number and truth value, without the indices of lists; what is null now is a figure as well."""
    if isinstance(json, dict):
        for key, value in json.items():
            yield from figures(value, f"{path}.{key}" if path else key)
    elif isinstance(json, list):
        for value in json:
            yield from figures(value, path)
    elif isinstance(json, (bool, int, float)):
        yield path, json


def samples(families):
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}


def test_every_figure_of_status_is_there(gateway):
    wait_for(lambda: gateway.status()["uplinks"][1]["certificate"], what="the certificate looked at")
    before = gateway.status()
    text = gateway.ctl("metrics").stdout
    after = gateway.status()
    families = list(parse_openmetrics(text))
    told = set(itertools.chain.from_iterable(re.search(r"\(status: (.*)\)$", family.documentation).group(1).split(", ") for family in families))
    have = {path for status in (before, after) for path, _ in figures(status)}
    pending = {path for path in have if re.match(r"(uplinks\.pending|store\.head)\.", path)}
    missing = have - told - NO_FIGURE - pending
    assert not missing, f"in status, and not in metrics: {missing}"
    assert {"uplinks.pending", "store.head"} <= told
    # Not only there, but right: between what it was before and what it was after.
    value = samples(families)
    low, high = dict(figures(before)), dict(figures(after))
    for name, path in (("riskgate_store_commits_total", "store.commits"), ("riskgate_alarms_raised_total", "alarms.raised"),
                       ("riskgate_store_written_bytes_total", "store.written_bytes"), ("riskgate_boot", "boot")):
        assert low[path] <= value[name, ()] <= high[path], (name, low[path], value[name, ()], high[path])
    for index, device in enumerate(before["devices"]):
        labels = (("bus", device["bus"]), ("device", device["name"]))
        for name, member in (("riskgate_device_answers_total", "ok"), ("riskgate_device_errors_total", "errors"),
                             ("riskgate_device_frames_recorded_total", "recorded")):
            assert device[member] <= value[name, labels] <= after["devices"][index][member], (name, labels)
        assert value["riskgate_device_state", (*labels, ("state", "online"))] == 1 and value["riskgate_device_online", labels] == 1
    assert value["riskgate_alarms_active", (("level", "red"),)] == 1 and value["riskgate_level", ()] == 4
    assert value["riskgate_uplink_connected", (("uplink", "county"),)] == 1
    assert value["riskgate_uplink_connected", (("uplink", "far"),)] == 0
    alarms = [status["store"]["head"]["alarm"] for status in (before, after)]  # the siren's fault may come at any time
    assert alarms[0] <= value["riskgate_store_head", (("stream", "alarm"),)] <= alarms[1]
    assert value["riskgate_uplink_certificate_days", (("uplink", "far"),)] >= 58
    assert value["riskgate_permit_open", (("permit", "hot-work"),)] == 1
    assert value["riskgate_build_info", (("gateway", "gw-01"), ("version", before["version"]))] == 1
    assert gateway.ctl("metrics").stdout.endswith("# EOF\n") and text.count("# EOF") == 1


def test_the_file_for_a_collector(gateway):
    file = gateway.metrics_file
    text = file.read_text()
    families = list(parse_text(text))
    # A collector refuses all of a file for one time stamp, one double, or a name it cannot place.
    assert {f.type for f in families} == {"counter", "gauge"} and "# EOF" not in text and text.endswith("\n")
    assert all(s.timestamp is None for family in families for s in family.samples)
    assert len(samples(families)) == sum(len(family.samples) for family in families)
    names = {name for name, _ in samples(parse_openmetrics(gateway.ctl("metrics").stdout))}
    assert {name for name, _ in samples(families) if not name.endswith("_timestamp_seconds")} <= names, "the same in both forms"
    assert os.stat(file).st_mode & 0o7777 == 0o644, "it is another user who reads it"
    before = gateway.status()["metrics"]["written"]
    wait_for(lambda: gateway.status()["metrics"]["written"] >= before + 2, what="further files")
    assert sorted(p.name for p in file.parent.glob("riskgate.prom*")) in (["riskgate.prom"], ["riskgate.prom", "riskgate.prom.new"])
    # Into a folder that is not there: told, damped, and told when it is over.
    gateway.config["metrics"]["file"] = str(file.parent / "later" / "riskgate.prom")
    gateway.reload()
    wait_for(lambda: gateway.status()["metrics"]["failures"] >= 2, what="failures")
    status = gateway.status()["metrics"]
    assert status["detail"] == "No such file or directory" and status["written"] == 0 and status["last_ts"] is None
    assert not file.exists(), "nobody writes that any more"
    assert gateway.child.await_output("cannot be written").count("cannot be written") == 1
    (file.parent / "later").mkdir()
    wait_for(lambda: gateway.status()["metrics"]["written"], what="the file")
    gateway.child.await_output("is written again")
    assert gateway.status()["metrics"]["detail"] is None
    gateway.stop()
    assert not (file.parent / "later" / "riskgate.prom").exists(), "figures of a daemon that is not there would stand for ever"
