"""Debian packages, as cpack makes them from this build: what is in them, what lintian says, and what happens to a machine that
installs, upgrades, removes and purges them."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess

import booted
import pytest
from conftest import SOURCE, wait_for
from package_root import Root, why_not

CONFIG = "/etc/riskgate/riskgate.yaml"
PROGRAMS = ("/usr/bin/riskgated", "/usr/bin/riskgatectl", "/usr/libexec/riskgate/riskgate-clock")
SIZE = 1_000_000  # of the package; a gateway may have to fetch it over a telephone line

# What the rows of store_4.sql are about; the detector is not there any more.
OF_STORE_4 = """
buses: [{name: shop, tcp: "127.0.0.1:9"}]
areas: [{name: polishing, responsible: {unit: 生产部, person: 张三, phone: "13800000000"}, measure: 停机撤人}]
devices:
  - {name: gas-1, bus: shop, unit: 1, area: polishing, points: [{name: lel, holding: 0, type: u16, scale: 0.1, unit: "%LEL"}]}
rules: [{name: lel-high, points: gas-1.lel, above: {blue: 10, yellow: 20, orange: 25, red: 50}, message: 可燃气体浓度过高}]
"""


def run(*arguments, **options):
    done = subprocess.run([str(a) for a in arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **options)
    assert done.returncode == 0, f"{arguments}: {done.returncode}\n{done.stdout}"
    return done.stdout


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """The folder with riskgate.deb, riskgate-simulators.deb and next.deb: the next version, with another configuration as shipped."""
    folder = tmp_path_factory.mktemp("packages")
    run("cpack", "-G", "DEB", "-B", folder / "cpack", cwd=os.environ["RG_BUILD_DIR"])
    for name in ("riskgate", "riskgate-simulators"):
        (made,) = (folder / "cpack").glob(f"{name}_*.deb")
        made.rename(folder / f"{name}.deb")
    tree = folder / "next"
    run("dpkg-deb", "--raw-extract", folder / "riskgate.deb", tree)
    control = tree / "DEBIAN/control"
    control.write_text(re.sub(r"(?m)^(Version: .*)$", r"\1+next", control.read_text()))
    shipped = tree / CONFIG[1:]
    shipped.write_text(shipped.read_text() + "# Something new.\n")
    run("dpkg-deb", "--build", "--root-owner-group", "-Znone", tree, folder / "next.deb")
    for gone in ("cpack", "next"):
        shutil.rmtree(folder / gone)
    folder.chmod(0o755)
    return folder


@pytest.fixture
def root(packages, tmp_path):
    if why := why_not():
        pytest.skip(why)
    made = Root(tmp_path / "root", packages)
    if made.why:
        made.close()
        pytest.skip(f"no mount namespace or overlay here: {made.why}")
    yield made
    made.close()


def listing(package):
    """{path: (mode, owner)} of a package."""
    found = {}
    for line in run("dpkg-deb", "--contents", package).splitlines():
        mode, owner, _, _, _, path = line.split(maxsplit=5)
        found[path.removeprefix(".")] = (mode, owner)
    return found


def filled(text):
    """The shipped configuration with its three entries."""
    for key, value in (("id", "gw-01"), ("code", "91350100M000100Y43"), ("name", "示例金属制品有限公司")):
        text, count = re.subn(rf'(?m)^( +{key}: )""', rf'\1"{value}"', text)
        assert count == 1, key
    return text


def test_lintian_has_nothing_to_say(packages):
    lintian = shutil.which("lintian")
    assert lintian, "lintian is not installed"
    said = run(lintian, "--fail-on", "error,warning", "--allow-root", packages / "riskgate.deb", packages / "riskgate-simulators.deb")
    assert not re.search(r"(?m)^[EW]: ", said), said


def test_what_is_in_them(packages):
    held = listing(packages / "riskgate.deb")
    wanted = [*PROGRAMS, CONFIG, "/usr/lib/systemd/system/riskgate.service", "/usr/lib/sysusers.d/riskgate.conf",
              "/usr/lib/tmpfiles.d/riskgate.conf", "/usr/share/riskgate/riskgate.schema.json", "/usr/share/riskgate/examples/dust.yaml",
              "/usr/share/doc/riskgate/copyright", "/usr/share/doc/riskgate/changelog.gz", "/usr/share/doc/riskgate/platform.md",
              "/usr/share/doc/riskgate/schema/alarm.schema.json", "/usr/share/man/man8/riskgated.8.gz",
              "/usr/share/man/man1/riskgatectl.1.gz", "/usr/share/man/man5/riskgate.yaml.5.gz",
              "/usr/share/bash-completion/completions/riskgatectl"]
    for kind in ("rules", "profiles"):
        wanted += [f"/usr/share/riskgate/{kind}/{p.name}" for p in (SOURCE / "config" / kind).glob("*.yaml") if p.name != "example.yaml"]
    assert [path for path in wanted if path not in held] == []
    assert {owner for _, owner in held.values()} == {"root/root"}
    assert [path for path, (mode, _) in held.items() if "x" in mode and mode[0] == "-" and path not in PROGRAMS] == []
    assert run("dpkg-deb", "--info", packages / "riskgate.deb", "conffiles").split() == [CONFIG]
    sums = run("dpkg-deb", "--info", packages / "riskgate.deb", "md5sums").splitlines()
    assert len(sums) == sum(mode[0] == "-" for mode, _ in held.values())
    assert (packages / "riskgate.deb").stat().st_size < SIZE
    simulators = listing(packages / "riskgate-simulators.deb")
    for path in ("bin/riskgate-plant", "bin/riskgate-platform", "share/man/man1/riskgate-plant.1.gz",
                 "share/man/man1/riskgate-platform.1.gz", "share/doc/riskgate-simulators/examples/plant.yaml"):
        assert f"/usr/{path}" in simulators
    both = [path for path in held if path in simulators and held[path][0][0] != "d"]
    assert both == []


def test_programs_are_stripped_hardened_and_know_no_build_folder(packages, tmp_path):
    run("dpkg-deb", "--extract", packages / "riskgate.deb", tmp_path)
    for path in PROGRAMS:
        dynamic = run("readelf", "--wide", "--dynamic", "--file-header", "--section-headers", "--program-headers", f"{tmp_path}{path}")
        assert not re.search(r"RPATH|RUNPATH|\.debug_|\.symtab", dynamic), path
        for sign in ("FLAGS.*NOW", "GNU_RELRO", r"Type: +DYN \(Position-Independent"):
            assert re.search(sign, dynamic), f"{path}: {sign}"
        assert str(SOURCE).encode() not in pathlib.Path(f"{tmp_path}{path}").read_bytes()
    unit = (tmp_path / "usr/lib/systemd/system/riskgate.service").read_text()
    assert f"ExecStart=/usr/bin/riskgated --config {CONFIG}\n" in unit


def begin(root, start):
    """The packaged daemon, as its unit starts it: its user, its folders."""
    root.sh("install -d -o riskgate -g riskgate /run/riskgate")
    child = start(root.words(["/usr/bin/riskgated", "--config", CONFIG], user="riskgate"), name="riskgated")

    def answers():
        assert child.running, child.output()
        return root.sh("if riskgatectl status >/dev/null 2>&1; then echo yes; fi")

    wait_for(answers, what="the packaged riskgated")
    return child


def test_first_installation_says_what_to_fill_in_and_then_runs(root, start):
    said = root.dpkg("--install", "/mnt/riskgate.deb")
    assert "not started" in said and "systemctl enable --now riskgate" in said and said.count("must not be empty") == 3
    assert root.run("riskgatectl", "check", CONFIG, status=1).count("FILL IN") == 3
    shipped = root.run("cat", CONFIG)
    root.write(CONFIG, filled(shipped))
    root.run("riskgatectl", "check", CONFIG)
    # With all that the comments of the shipped file suggest, it holds, too.
    whole, suggested = re.subn(r"(?m)^#(?=[a-z]|  [-a-z ])", "", filled(shipped).partition("\ngateway:")[2])
    assert suggested > 30
    root.write("/etc/riskgate/whole.yaml", f"gateway:{whole}")
    root.sh("printf x >/etc/riskgate/credentials/county; riskgatectl check /etc/riskgate/whole.yaml")

    assert "dialout" in root.run("id", "-nG", "riskgate").split()
    assert root.run("stat", "-c", "%a %U", "/var/lib/riskgate", "/etc/riskgate/credentials").split() == ["700", "riskgate", "700", "root"]
    child = begin(root, start)
    status = json.loads(root.run("riskgatectl", "status", "--json"))
    assert status["gateway"] == "gw-01"
    assert root.run("stat", "-c", "%U", "/var/lib/riskgate/riskgate.db") == "riskgate\n"
    assert child.stop() == 0, child.output()


def test_upgrade_migrates_the_store_and_keeps_the_configuration(root, start):
    root.dpkg("--install", "/mnt/riskgate.deb")
    mine = filled(root.run("cat", CONFIG)) + OF_STORE_4
    root.write(CONFIG, mine)
    root.sh("sqlite3 /var/lib/riskgate/riskgate.db && chown riskgate:riskgate /var/lib/riskgate/*",
            text=(SOURCE / "tests/system/store_4.sql").read_text())
    root.dpkg("--install", "/mnt/next.deb")
    assert "+next" in root.run("dpkg-query", "--show", "riskgate")
    assert root.run("cat", CONFIG) == mine
    assert "Something new" in root.run("cat", f"{CONFIG}.dpkg-dist")

    child = begin(root, start)
    schema = re.search(r"#define SCHEMA_VERSION (\d+)", (SOURCE / "daemon/store/schema.h").read_text())[1]
    database = "/var/lib/riskgate/riskgate.db"
    assert int(schema) > 4
    assert root.run("sqlite3", "-readonly", database, "PRAGMA user_version", user="riskgate").strip() == schema
    rows = root.run("sqlite3", "-readonly", "-json", database, "SELECT * FROM v_alarm WHERE alarm = 'gw-01-1'", user="riskgate")
    assert (json.loads(rows)[0]["level"], json.loads(rows)[0]["acked_by"]) == ("orange", "李四")
    frames = root.run("sqlite3", "-readonly", database, "SELECT count(*) FROM telemetry WHERE seq <= 9", user="riskgate")
    assert frames == "9\n"
    assert child.stop() == 0, child.output()
    root.run("riskgatectl", "audit", "verify", "--store", database)
    assert "corrupt" not in root.run("ls", "/var/lib/riskgate")

    root.dpkg("--remove", "riskgate")
    assert root.run("cat", CONFIG) == mine
    assert root.has(database) and not any(root.has(path) for path in PROGRAMS)
    root.dpkg("--install", "/mnt/riskgate.deb", "/mnt/riskgate-simulators.deb")
    assert root.run("cat", CONFIG) == mine
    root.dpkg("--purge", "riskgate", "riskgate-simulators")
    # The tools' own notes on which packages there were, and are.
    assert [path for path in root.changed() if not re.search(r"/var/(lib/dpkg|cache|log)/|/systemd/deb-systemd-helper", path)] == []


def test_examples_hold_where_they_are_installed(root):
    root.dpkg("--install", "/mnt/riskgate.deb", "/mnt/riskgate-simulators.deb")
    root.sh("for file in /usr/share/riskgate/examples/*.yaml; do riskgatectl check $file; done")
    assert len(root.run("riskgatectl", "profiles").splitlines()) > 30
    said = root.sh("riskgate-plant --version; man --version >/dev/null 2>&1 || exit 0; man riskgate-plant | head -n 5; man riskgated | head -n 5")
    assert said.startswith("riskgate-plant ")


def test_what_a_running_service_manager_is_asked_for(root):
    root.service_manager()
    root.dpkg("--install", "/mnt/riskgate.deb")
    assert root.calls() == [], "not started without a configuration"
    shipped = root.run("cat", CONFIG)
    root.dpkg("--purge", "riskgate")
    root.calls()

    # A configuration that was there before the package: as it is brought by those who set up many gateways.
    root.sh("mkdir -p /etc/riskgate")
    root.write(CONFIG, filled(shipped))
    root.dpkg("--install", "/mnt/riskgate.deb")
    assert root.calls() == ["deb-systemd-invoke start riskgate.service"]
    assert root.has("/etc/systemd/system/multi-user.target.wants/riskgate.service")
    root.sh("touch /run/active")
    root.dpkg("--install", "/mnt/next.deb")
    assert root.calls() == ["deb-systemd-invoke restart riskgate-clock.service riskgate.service"]

    # What the new version does not take: the old one runs on, and it is said.
    root.write(CONFIG, shipped)
    said = root.dpkg("--install", "/mnt/next.deb")
    assert "NOT restarted" in said and said.count("must not be empty") == 3
    assert root.calls() == []
    root.dpkg("--remove", "riskgate")
    assert root.calls() == ["deb-systemd-invoke stop riskgate.service riskgate-clock.service"]
    root.dpkg("--purge", "riskgate")
    assert not root.has("/etc/systemd/system/multi-user.target.wants/riskgate.service")
    assert root.has("/var/lib/riskgate") is False


@pytest.fixture
def machine(packages, tmp_path):
    """A booted systemd; the packages are in /srv/share."""
    if reason := booted.why_not():
        pytest.skip(reason)
    (tmp_path / "stage").mkdir()
    try:
        made = booted.Booted(tmp_path, tmp_path / "stage")
    except OSError as error:
        pytest.skip(f"this machine does not let us: {error}")
    try:
        if not made.await_boot():
            pytest.skip(f"this machine does not let us: {made.child.output()[-500:]}")
        for package in packages.glob("*.deb"):
            shutil.copy(package, made.share)
        # Where a container's image forbids packages to start services, it is not about ours; an index of manual pages takes seconds.
        made.run("rm", "-f", "/usr/sbin/policy-rc.d", "/var/lib/man-db/auto-update")
        yield made
    finally:
        made.stop()


def test_a_running_gateway_is_taken_over_by_the_next_version(machine):
    def dpkg(*arguments):
        return machine.run("dpkg", "--force-confold", "--force-unsafe-io", *arguments, timeout=120).stdout

    assert "not started" in dpkg("--install", "/srv/share/riskgate.deb")
    assert machine.show("riskgate", "ActiveState") == "inactive"
    assert machine.run("systemctl", "is-enabled", "riskgate", check=False).stdout == "disabled\n"
    shipped = machine.run("cat", CONFIG).stdout
    machine.write(CONFIG, filled(shipped))
    machine.run("systemctl", "enable", "--now", "riskgate")
    first = machine.show("riskgate", "MainPID")
    assert json.loads(machine.run("riskgatectl", "status", "--json").stdout)["gateway"] == "gw-01"

    # What the next version does not take, it is not started with.
    machine.write(CONFIG, shipped)
    assert "NOT restarted" in dpkg("--install", "/srv/share/next.deb")
    assert (machine.show("riskgate", "MainPID"), machine.show("riskgate", "ActiveState")) == (first, "active")
    machine.write(CONFIG, filled(shipped))
    dpkg("--install", "/srv/share/next.deb")
    assert machine.show("riskgate", "ActiveState") == "active" and machine.show("riskgate", "MainPID") != first
    assert machine.run("systemctl", "is-enabled", "riskgate").stdout == "enabled\n"

    dpkg("--purge", "riskgate")
    assert machine.run("systemctl", "is-active", "riskgate", "riskgate-clock", check=False).stdout.split() == ["inactive", "inactive"]
    assert machine.run("ls", "/etc/riskgate", "/var/lib/riskgate", "/run/riskgate", check=False).stdout == ""
