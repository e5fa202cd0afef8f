"""A machine whose systemd is booted for a test: in namespaces, on a copy of this machine's root in memory (boot_systemd.sh). It needs root, and a
kernel that lets root do that; where it does not, the test is skipped with the reason."""

import os
import pathlib
import re
import shutil
import signal
import subprocess

import pytest

from conftest import PATIENCE, Program, program, wait_for

BUILD = pathlib.Path(os.environ.get("RG_BUILD_DIR", "."))
UNITS = ("riskgate.service", "riskgate-clock.service")


def prefix():
    """Where the units of this build expect it: /usr, /usr/local, ..."""
    unit = (BUILD / "systemd" / UNITS[0]).read_text()
    return pathlib.Path(re.search(r"^ExecStart=(\S+)/bin/riskgated ", unit, re.M).group(1))


def sysconf():
    """The folder of the configuration."""
    unit = (BUILD / "systemd" / UNITS[0]).read_text()
    return pathlib.Path(re.search(r"^ConditionPathExists=(\S+)/riskgate\.yaml$", unit, re.M).group(1))


def put(root, path, source, mode=0o755):
    """A file of the build at its place under another root."""
    place = root / str(path).lstrip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, place)
    place.chmod(mode)


def stage(root):
    """What an installation puts there, but for data and documents."""
    for name in ("riskgated", "riskgatectl"):
        put(root, prefix() / "bin" / name, program(name))
    put(root, prefix() / "libexec/riskgate/riskgate-clock", program("riskgate-clock"))
    for name in UNITS:
        put(root, prefix() / "lib/systemd/system" / name, BUILD / "systemd" / name, 0o644)
    put(root, prefix() / "lib/tmpfiles.d/riskgate.conf", BUILD / "systemd/tmpfiles.conf", 0o644)
    source = pathlib.Path(os.environ["RG_SOURCE_DIR"]) / "systemd/sysusers.conf"
    put(root, prefix() / "lib/sysusers.d/riskgate.conf", source, 0o644)


def unified():
    """Where this machine's second version of control groups is mounted."""
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        before, after = line.split(" - ")
        if after.split()[0] == "cgroup2":
            return pathlib.Path(before.split()[4])
    return None


class Booted:
    """run() runs a program inside."""

    def __init__(self, folder, root):
        self.share = folder / "share"
        self.share.mkdir()
        (folder / "work").mkdir()
        self.group = unified() / f"riskgate-test-{os.getpid()}"
        self.group.mkdir()
        script = pathlib.Path(__file__).with_name("boot_systemd.sh")
        join = f"echo $$ >{self.group}/cgroup.procs && exec unshare --mount --pid --fork --ipc --uts --cgroup --kill-child=SIGKILL " \
               f"{script} {folder / 'work'} {root} {self.share}"
        self.child = Program(["/bin/sh", "-c", join], folder / "boot.log", env={"PATH": os.environ["PATH"]})
        self.pid = None

    def await_boot(self):
        """True; or False when it could not be."""
        def up():
            if not self.child.running:
                return True
            children = subprocess.run(["pgrep", "-P", str(self.child.pid)], capture_output=True, text=True, check=False).stdout.split()
            self.pid = int(children[0]) if children else None
            return self.pid and self.run("systemctl", "is-active", "boot.target", check=False).stdout.strip() == "active"

        try:
            wait_for(up, 60, "the boot")
        except AssertionError:
            return False
        return self.child.running

    def run(self, *arguments, check=True, timeout=PATIENCE):
        """The finished program."""
        done = subprocess.run(["nsenter", f"--target={self.pid}", "--mount", "--pid", "--ipc", "--uts", "--cgroup", "--", *map(str, arguments)],
                              capture_output=True, text=True, timeout=timeout, check=False)
        assert not check or done.returncode == 0, f"{arguments}: {done.returncode} {done.stdout} {done.stderr}"
        return done

    def show(self, unit, key):
        return self.run("systemctl", "show", "-P", key, unit).stdout.strip()

    def journal(self, unit="riskgate"):
        return self.run("journalctl", "--no-pager", "-o", "cat", "-u", unit).stdout

    def write(self, path, text, mode=0o644):
        subprocess.run(["nsenter", f"--target={self.pid}", "--mount", "--", "/bin/sh", "-c",
                        'mkdir -p "$(dirname "$1")" && cat >"$1" && chmod "$2" "$1"', "sh", str(path), oct(mode)[2:]],
                       input=text, text=True, timeout=PATIENCE, check=True)

    def drop_in(self, unit, text):
        self.write(f"/run/systemd/system/{unit}.d/test.conf", text)
        self.run("systemctl", "daemon-reload")

    def stop(self):
        """All that is in it ends with its first process."""
        if self.child.running and self.pid:
            print(self.run("journalctl", "--no-pager", "-o", "cat", check=False).stdout[-8000:])  # shown when the test failed
            os.kill(self.pid, signal.SIGKILL)
        self.child.kill()

        def gone():
            for folder in sorted(self.group.rglob("*/"), key=lambda f: len(f.parts), reverse=True):
                try_remove(folder)
            return try_remove(self.group)

        wait_for(gone, what="the end of its control group")


def try_remove(group):
    try:
        group.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def why_not():
    """Why this machine cannot boot one; None: nothing is known that speaks against it."""
    if os.geteuid() != 0:
        return "only root can boot a systemd in namespaces"
    if not pathlib.Path("/usr/lib/systemd/systemd").exists():
        return "systemd is not installed"
    if unified() is None:
        return "there are no control groups of the second version"
    if b"__asan_init" in pathlib.Path(program("riskgated")).read_bytes():
        return "a sanitizer does not work under the unit's filters"
    return None


@pytest.fixture
def booted(tmp_path):
    """booted() -> Booted, with this build installed and its user made, nothing started."""
    made = []

    def boot():
        reason = why_not()
        if reason:
            pytest.skip(reason)
        root = tmp_path / "stage"
        root.mkdir()
        stage(root)
        try:
            one = Booted(tmp_path, root)
        except OSError as error:
            pytest.skip(f"this machine does not let us: {error}")
        made.append(one)
        if not one.await_boot():
            pytest.skip(f"this machine does not let us: {one.child.output()[-500:]}")
        one.run("systemd-sysusers", "riskgate.conf")
        one.run("systemd-tmpfiles", "--create", "riskgate.conf")
        return one

    yield boot
    for one in made:
        one.stop()
