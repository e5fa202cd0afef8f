"""The shipped profiles: riskgatectl lists and shows them, and riskgated reads devices, played by pymodbus, that answer as each vector
says. A device gets no more than profile, bus and unit, what its profile asks for, and times that suit a test."""

import json
import math
import os
import pathlib
import subprocess

import yaml
from conftest import SOURCE, program, wait_for

SHIPPED = SOURCE / "config" / "profiles"
POLL = "4s"


def ctl(*arguments, folder=SHIPPED):
    """riskgatectl without a daemon: the finished process."""
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "RISKGATE_PROFILES": str(folder)}
    return subprocess.run([program("riskgatectl"), *map(str, arguments)], env=environment, capture_output=True, text=True, timeout=60,
                          check=False)


def ask(*arguments):
    done = ctl(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def set_key(device, key, value):
    """order, or point.key."""
    point, dot, own = key.partition(".")
    if not dot:
        device[key] = value
        return
    points = device.setdefault("points", [])
    entry = next((p for p in points if p["name"] == point), None)
    if entry is None:
        entry = {"name": point}
        points.append(entry)
    entry[own] = value


def image_of(vector, trigger):
    """{space: {address: value}}, addresses that lie between two of the vector's filled up, the trigger's register among them."""
    image = {space: {int(a): v for a, v in answers.items()} for space, answers in vector["answers"].items()}
    if trigger:
        image.setdefault("holding", {})[trigger] = 0
    for addresses in image.values():
        known = sorted(addresses)
        for low, high in zip(known, known[1:]):
            if high - low <= 125:
                for address in range(low + 1, high):
                    addresses[address] = 0
    return image


def device_of(name, unit, profile, vector):
    device = {"name": name, "bus": "line", "unit": unit, "profile": profile["name"], "poll": POLL, "start_up": "0s", "gap": "0ms"}
    for key, text in vector["give"].items():
        set_key(device, key, yaml.safe_load(text))
    if any("within_ms" in gate for gate in profile["status"]):
        device["heartbeat"] = {"within": "1h"}  # nothing beats here; the rest of it comes from the profile
    if profile["trigger"]:
        device.setdefault("trigger", {})["wait"] = "50ms"
    return device


def differences(found, name, vector):
    """What a vector's device says otherwise than expected."""
    for point, wanted in vector["expect"].items():
        got = found[f"{name}.{point}"]
        if isinstance(wanted, str):
            good = got["quality"] == wanted and got["value"] is None
        else:
            good = got["quality"] == "good" and math.isclose(got["value"], wanted, rel_tol=1e-6, abs_tol=1e-6)
        if not good:
            yield f"{name}.{point} ({vector['about']}): {got['quality']} {got['value']}, not {wanted}"


def test_the_daemon_reads_every_vector(peer, daemon, monkeypatch):
    """One unit for each vector of each profile, all on one connection."""
    monkeypatch.setenv("RISKGATE_PROFILES", str(SHIPPED))
    profiles = [ask("profiles", entry["name"]) for entry in ask("profiles")]
    vectors = [(p, v) for p in profiles for v in p["vectors"]]
    assert len(profiles) >= 24 and 60 <= len(vectors) <= 247
    names = [f"{p['name']}-{n}"[-60:] for n, (p, _) in enumerate(vectors)]
    devices = [device_of(name, unit, p, v) for unit, (name, (p, v)) in enumerate(zip(names, vectors), 1)]
    images = {unit: image_of(v, d.get("trigger", {}).get("holding") or (p["trigger"] or {}).get("holding"))
              for unit, (d, (p, v)) in enumerate(zip(devices, vectors), 1)}
    _, place = peer("tcp", images)
    gateway = daemon({"buses": [{"name": "line", "tcp": f"127.0.0.1:{place}"}], "devices": devices})

    def wrong():
        found = gateway.points()
        return [line for name, (_, v) in zip(names, vectors) for line in differences(found, name, v)]

    # Before the first poll of a device its points are stale.
    try:
        wait_for(lambda: not wrong(), timeout=40, what="the readings")
    except AssertionError:
        raise AssertionError("\n".join(wrong())) from None
    assert all(gateway.device(name)["state"] == "online" for name in names[:3])


def test_list_and_show(tmp_path):
    done = ctl("profiles")
    assert done.returncode == 0 and done.stderr == ""
    lines = done.stdout.splitlines()
    files = sorted(p.stem for p in SHIPPED.glob("*.yaml"))
    assert lines[0].split() == ["PROFILE", "MAKER", "DEVICE", "READS"]
    assert [line.split()[0] for line in lines[1:]] == files
    listed = ask("profiles")
    assert [p["name"] for p in listed] == files
    assert all(p["maker"] and p["device"] and p["reads"] for p in listed)

    shown = ctl("profiles", "honeywell-midas").stdout
    for wanted in ("easymanua.ls/honeywell/midas/manual?p=145", "gas.unit: that of the cartridge", "holding 4 (40005)",
                   "& 0x000f, 0 inhibited, 1 good", "must change within 10s"):
        assert wanted in shown, shown
    assert max(map(len, shown.splitlines())) <= 120
    assert ask("profiles", SHIPPED / "geokon-3810a.yaml")["points"][0] == {
        "name": "resistance", "holding": 0x102, "type": "f32", "order": "CDAB", "scale": 1, "offset": 0, "unit": "Ω", "label": None}

    missing = ctl("profiles", "honeywell-midass")
    assert missing.returncode == 1 and "honeywell-midass.yaml" in missing.stderr
    assert ctl("profiles", "a", "b").returncode == 2
    nowhere = ctl("profiles", folder=tmp_path / "nowhere")
    assert nowhere.returncode == 1 and str(tmp_path / "nowhere") in nowhere.stderr
    # One that is wrong is told with its place; the others are listed.
    (tmp_path / "good.yaml").write_text((SHIPPED / "jxbs-3001-co.yaml").read_text().replace("jxbs-3001-co", "good", 1))
    (tmp_path / "wrong.yaml").write_text("name: wrong\nmaker: x\n")
    mixed = ctl("profiles", folder=tmp_path)
    assert mixed.returncode == 1 and "wrong.yaml:1:1: error: `points` is missing in a profile" in mixed.stderr
    assert [line.split()[0] for line in mixed.stdout.splitlines()] == ["PROFILE", "good"]


def test_beside_the_program():
    """In a build tree, as in an unpacked package, the profiles are found beside bin/."""
    environment = {k: v for k, v in os.environ.items() if k != "RISKGATE_PROFILES"}
    done = subprocess.run([program("riskgatectl"), "profiles", "--json"], env=environment, capture_output=True, text=True, timeout=60,
                          check=False)
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)) == len(list(pathlib.Path(SHIPPED).glob("*.yaml")))
