"""The control socket's rights: who gets in, who may act, and what another user's hundred connections do to those who work."""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile

import pytest

from conftest import PATIENCE, program

READERS, SHIFT, USER = 54321, 54322, 65534  # numbers that no user of this machine has

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be several users")

CROWD = """
import socket, sys
peers = []
for i in range(100):
    peer = socket.socket(socket.AF_UNIX)
    peer.connect(sys.argv[1])
    peer.setblocking(False)
    try:
        peer.send([b'{"comm', b'x' * 100000, b'{"command":"status"}\\n' * 2000][i % 3])
    except OSError:
        pass
    peers.append(peer)
print("there", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def open_folder():
    """Where every user gets at the socket and the tool."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="rg-door-"))
    folder.chmod(0o755)
    shutil.copy(program("riskgatectl"), folder)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def gateway(daemon, open_folder):
    made = daemon({"control": {"socket": str(open_folder / "c.sock"), "group": str(READERS), "act_group": SHIFT}}, run=False)
    made.socket = open_folder / "c.sock"
    return made.start()


def as_user(gateway, groups, *arguments):
    return subprocess.run([gateway.socket.parent / "riskgatectl", "--socket", gateway.socket, *arguments], capture_output=True, text=True,
                          timeout=PATIENCE, check=False, user=USER, group=USER, extra_groups=groups, cwd="/")


def reload(gateway, **control):
    """Whether it was applied; all of it is in force, or nothing, when the tool says so."""
    gateway.config["control"] = {"socket": str(gateway.socket), **control}
    gateway.write()
    return gateway.ctl("reload", check=False).returncode == 0


def test_who_gets_in_and_who_may_act(gateway):
    there = os.stat(gateway.socket)
    assert (there.st_mode & 0o7777, there.st_uid, there.st_gid) == (0o660, 0, READERS)
    outside = as_user(gateway, [], "status")
    assert outside.returncode != 0 and "Permission denied" in outside.stderr
    assert as_user(gateway, [SHIFT], "status").returncode != 0, "who acts has to get in first"
    assert as_user(gateway, [READERS], "status").returncode == 0
    refused = as_user(gateway, [READERS], "ack", "gw-01-1", "--by", "x")
    assert refused.returncode == 1 and f"a member of the group {SHIFT}" in refused.stderr, refused.stderr
    for _ in range(5):
        assert as_user(gateway, [READERS], "ack", "gw-01-1", "--by", "x").returncode == 1
    assert gateway.child.await_output(f"user id {USER} may not act").count(f"user id {USER} may not act") == 1, "the same is told once, then at growing gaps"
    for groups in ([READERS, SHIFT], list(range(60000, 60040)) + [READERS, SHIFT]):
        allowed = as_user(gateway, groups, "ack", "gw-01-1", "--by", "x")
        assert allowed.returncode == 1 and "group" not in allowed.stderr, "there is no such alarm, that is all"
    assert "group" not in gateway.ctl("ack", "gw-01-1", "--by", "x", check=False).stderr


def test_a_reload_changes_the_rights_of_who_is_connected(gateway):
    assert reload(gateway) is True  # no groups any more
    assert os.stat(gateway.socket).st_gid == os.getegid()
    assert as_user(gateway, [READERS], "status").returncode != 0
    assert reload(gateway, group=str(READERS)) is True
    assert os.stat(gateway.socket).st_gid == READERS
    assert "group" not in as_user(gateway, [READERS], "ack", "gw-01-1", "--by", "x").stderr
    assert reload(gateway, group=str(READERS), act_group="nobody-ever-had-this") is False
    gateway.child.await_output("no group nobody-ever-had-this")
    assert "group" not in as_user(gateway, [READERS], "ack", "gw-01-1", "--by", "x").stderr, "what was refused is not in force"


def test_a_hostile_user_takes_nobody_elses_place(gateway):
    quiet = socket.socket(socket.AF_UNIX)
    quiet.settimeout(PATIENCE)
    quiet.connect(str(gateway.socket))
    quiet.sendall(b'{"command":"ri')
    crowd = subprocess.Popen([sys.executable, "-c", CROWD, str(gateway.socket)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, user=USER,
                             group=USER, extra_groups=[READERS], cwd="/")
    try:
        assert crowd.stdout.readline() == b"there\n"
        assert gateway.status()["uptime_s"] >= 0, "who comes now finds a place"
        quiet.sendall(b'sk"}\n')
        with quiet.makefile("rb") as lines:
            assert json.loads(lines.readline())["ok"], "and who was there first still has his"
    finally:
        crowd.stdin.close()
        crowd.wait(PATIENCE)
        crowd.stdout.close()
        quiet.close()
    gateway.stop()
