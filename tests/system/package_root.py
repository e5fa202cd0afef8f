"""A root to install packages in: this machine's own, under an overlay in a mount namespace of its own. Nothing outside is touched, and
nothing is left of it."""

import os
import pathlib
import subprocess

from conftest import PATIENCE, _die_with_parent

# A /run without systemd, and a /tmp of its own; the packages are in /mnt.
SETUP = """
set -e
mount -t tmpfs tmpfs "$1"
mkdir "$1/up" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/up,workdir=$1/work" "$1/root"
for folder in proc dev; do mount --rbind "/$folder" "$1/root/$folder"; done
for folder in run tmp; do mount -t tmpfs tmpfs "$1/root/$folder"; done
mount --bind "$2" "$1/root/mnt"
echo ready
exec sleep infinity
"""

# What maintainer scripts ask of a running systemd, written down instead of done. Asked whether something runs, it says whether there
# is /run/active; links of units are made as always.
STUB = """#!/bin/sh
case "$*" in
*is-active*) exec test -e /run/active ;;
*--root=/*) exec /usr/bin/systemctl "$@" ;;
esac
echo "${0##*/} $*" >>/run/calls
"""


class Root:
    def __init__(self, folder, packages):
        self.stage = pathlib.Path(folder)
        self.stage.mkdir()
        self.holder = subprocess.Popen(["unshare", "--mount", "--propagation", "private", "sh", "-c", SETUP, "sh", self.stage, packages],
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=_die_with_parent)
        self.why = "" if self.holder.stdout.readline() == "ready\n" else self.holder.communicate()[1].strip()

    def words(self, arguments, user=None):
        enter = ["nsenter", f"--target={self.holder.pid}", "--mount", "--root", "chroot"]
        return [*enter, *([f"--userspec={user}:{user}"] if user else []), f"{self.stage}/root", *map(str, arguments)]

    def run(self, *arguments, user=None, status=0, text=None):
        """What it wrote. The status must be the one given."""
        environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive",
                       "LC_ALL": "C.UTF-8"}
        options = {"input": text} if text is not None else {"stdin": subprocess.DEVNULL}
        done = subprocess.run(self.words(arguments, user), env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=6 * PATIENCE, check=False, **options)
        assert done.returncode == status, f"{arguments}: {done.returncode}\n{done.stdout}"
        return done.stdout

    def dpkg(self, *arguments):
        """What dpkg wrote. It keeps configurations that differ, as it does of itself where it can ask."""
        self.sh("rm -f /var/lib/man-db/auto-update")  # an index of all manual pages of this machine takes seconds
        return self.run("dpkg", "--force-confold", "--force-unsafe-io", *arguments)

    def sh(self, script, **options):
        return self.run("sh", "-ec", script, **options)

    def write(self, path, text):
        self.sh(f"cat >{path}", text=text)

    def has(self, path):
        return self.sh(f"[ -e {path} ] && echo yes || true") == "yes\n"

    def service_manager(self):
        """From now on systemd seems to run; calls() is what it was asked for."""
        self.sh("mkdir -p /run/systemd/system")
        for name in ("systemctl", "deb-systemd-invoke"):
            self.write(f"/usr/local/sbin/{name}", STUB)
            self.sh(f"chmod 755 /usr/local/sbin/{name}")

    def calls(self):
        """Since it was asked last, without the reading anew of units."""
        lines = self.sh("touch /run/calls; cat /run/calls; rm /run/calls").splitlines()
        return [line for line in lines if "daemon-reload" not in line]

    def changed(self):
        """Every path that is not as on this machine, as long as it has the word in it."""
        found = subprocess.run(["nsenter", f"--target={self.holder.pid}", "--mount", "--root", "find", f"{self.stage}/up", "-name", "*riskgate*"],
                               capture_output=True, text=True, check=True)
        return sorted(line.removeprefix(f"{self.stage}/up") for line in found.stdout.splitlines())

    def close(self):
        if self.holder.poll() is None:
            self.holder.kill()
        self.holder.wait(PATIENCE)


def why_not():
    """Why there can be no such root here; "" when there can."""
    return "" if os.geteuid() == 0 else "installing packages takes root"
