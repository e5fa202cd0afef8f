"""The README's first configuration works when typed in, and both languages show the same one."""

import re
import subprocess

from conftest import SOURCE, program, wait_for


def configurations(readme):
    return re.findall(r"^```yaml\n(.*?)^```$", (SOURCE / readme).read_text(encoding="utf-8"), re.S | re.M)


def first_configuration(readme):
    return configurations(readme)[0]


def shown(section):
    """The configuration that has the section."""
    return next(c for c in configurations("README.md") if section in c.splitlines())


def test_both_languages_show_the_same_configurations():
    assert configurations("README.md") == configurations("README.zh.md")


def test_the_devices_shown_are_those_of_the_example():
    """Which is valid, like all that is shipped."""
    assert configurations("README.md")[1] in (SOURCE / "config/examples/serial.yaml").read_text(encoding="utf-8")


def test_the_devices_with_profiles_are_complete(tmp_path):
    """With a gateway and their line they are a whole configuration."""
    (tmp_path / "site.yaml").write_text("gateway: {id: gw, enterprise: {code: 91350100M000100Y43, name: x}}\n"
                                        "buses: [{name: mill, rtu: /dev/ttyS1, baud: 19200, parity: even}]\n"
                                        + configurations("README.md")[2], encoding="utf-8")
    (tmp_path / "profiles").symlink_to(SOURCE / "config/profiles")
    check = subprocess.run([program("riskgatectl"), "check", tmp_path / "site.yaml"], capture_output=True, text=True, check=False)
    assert check.returncode == 0, check.stderr


def test_the_points_that_are_worked_out_are_complete(tmp_path):
    """With a gateway and their bus they are a whole configuration."""
    (tmp_path / "site.yaml").write_text("gateway: {id: gw, enterprise: {code: 91350100M000100Y43, name: x}}\n"
                                        "buses: [{name: shop, tcp: '127.0.0.1:1502'}]\n"
                                        + configurations("README.md")[3], encoding="utf-8")
    check = subprocess.run([program("riskgatectl"), "check", tmp_path / "site.yaml"], capture_output=True, text=True, check=False)
    assert check.returncode == 0, check.stderr


def test_the_outputs_shown_are_those_of_the_example():
    example = (SOURCE / "config/examples/outputs.yaml").read_text(encoding="utf-8").splitlines()
    assert all(line in example for line in shown("outputs:").splitlines())


def test_the_doubts_shown_are_complete(tmp_path):
    (tmp_path / "site.yaml").write_text("gateway: {id: gw, enterprise: {code: 91350100M000100Y43, name: x}}\n"
                                        "buses: [{name: shop, tcp: '127.0.0.1:1502'}]\n"
                                        + next(c for c in configurations("README.md") if "twin:" in c), encoding="utf-8")
    check = subprocess.run([program("riskgatectl"), "check", tmp_path / "site.yaml"], capture_output=True, text=True, check=False)
    assert check.returncode == 0, check.stderr


def test_the_pack_shown_is_complete(tmp_path):
    """With a gateway, an uplink and its bus it is a whole configuration, of which each value is needed."""
    site = ("gateway: {id: gw, enterprise: {code: 91350100M000100Y43, name: x}}\n"
            "uplinks: [{name: county, url: 'mqtt://127.0.0.1:1883'}]\n"
            "buses: [{name: shop, tcp: '127.0.0.1:1502'}]\n" + shown("values:"))
    (tmp_path / "rules").symlink_to(SOURCE / "config/rules")
    for missing in (None, "dust-dp-base", "dust-hopper-limit"):
        lines = [line for line in site.splitlines() if not missing or missing not in line]
        (tmp_path / "site.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
        check = subprocess.run([program("riskgatectl"), "check", tmp_path / "site.yaml"], capture_output=True, text=True, check=False)
        if missing:
            assert check.returncode == 1 and f"needs the value `{missing}`" in check.stderr and "rules/dust-dry.yaml:" in check.stderr
        else:
            assert check.returncode == 0, check.stderr
            assert "warning" not in check.stderr and "dust-inlet-temp" in check.stdout


def test_the_conditions_shown_are_those_of_the_example():
    example = (SOURCE / "config/examples/conditions.yaml").read_text(encoding="utf-8")
    assert shown("permits:") in example
    check = subprocess.run([program("riskgatectl"), "check", SOURCE / "config/examples/conditions.yaml"], capture_output=True, text=True, check=False)
    assert check.returncode == 0, check.stderr


def test_the_first_configuration_works(plant, broker, platform, start, tmp_path):
    """Only the two ports are others than in the README, so that the test needs no fixed ones."""
    scenario = (SOURCE / "simulators/first/plant.yaml").read_text(encoding="utf-8")
    assert "127.0.0.1:1502" in scenario
    world = plant(scenario.replace("127.0.0.1:1502", "127.0.0.1:0"))
    text = first_configuration("README.md")
    assert "127.0.0.1:1502" in text and "127.0.0.1:1883" in text
    text = text.replace("127.0.0.1:1502", f"127.0.0.1:{world.ports['shop']}").replace(":1883", f":{broker.port}")
    (tmp_path / "first.yaml").write_text(text, encoding="utf-8")

    check = subprocess.run([program("riskgatectl"), "check", "first.yaml"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert check.returncode == 0, check.stderr
    assert "valid" in check.stdout and "warning" not in check.stderr

    watcher = platform(broker, "--require-complete")
    child = start([program("riskgated"), "--config", "first.yaml"], cwd=tmp_path)
    ctl = [program("riskgatectl"), "--socket", "./riskgate.sock"]

    def ask(*words):
        return subprocess.run([*ctl, *words], cwd=tmp_path, capture_output=True, text=True, check=False)

    wait_for(lambda: child.running and "good" in ask("points").stdout, what="the first reading")
    assert "online" in ask("status").stdout
    world.control.set("shop", 1, "holding", 0, 60)
    wait_for(lambda: "red" in ask("alarms").stdout, what="the alarm")
    assert (tmp_path / "riskgate.db").exists()
    wait_for(lambda: any('"level":"red"' in text for text in watcher.records("alarm").values()), what="the alarm at the platform")
    assert child.stop() == 0
    watcher.finish()


def test_the_programs_and_commands_named_exist():
    text = (SOURCE / "README.md").read_text(encoding="utf-8")
    for name in re.findall(r"build/demo/bin/([a-z-]+)", text):
        program(name)
    for path in re.findall(r"\]\((?!http)([^)#]+)\)", text) + re.findall(r"`(config/[a-z./]+|simulators/[a-z./]+)`", text):
        assert (SOURCE / path).exists(), path
