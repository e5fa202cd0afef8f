"""./demo.sh is what a newcomer sees first: all four colours, status 0, nothing left behind."""

import os
import re
import shutil
import subprocess

from conftest import SOURCE

COLOURS = {"BLUE": r"\x1b\[97;44m BLUE", "YELLOW": r"\x1b\[30;43m YELLOW", "ORANGE": r"208m ORANGE", "RED": r"\x1b\[97;41m RED"}


def children_of(marker):
    """Processes whose command line names the marker."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                line = f.read()
        except OSError:
            continue
        if marker.encode() in line and int(pid) != os.getpid():
            found.append((pid, line))
    return found


def test_the_demo_shows_all_four_colours_and_leaves_nothing(tmp_path):
    tree = tmp_path / "tree"
    files = subprocess.run(["git", "ls-files", "-z"], cwd=SOURCE, capture_output=True, check=True).stdout.decode().split("\0")
    for name in filter(None, files):
        target = tree / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(SOURCE / name, target)
    before = {p for p in tree.rglob("*")}
    done = subprocess.run(["./demo.sh", "--seconds", "30"], cwd=tree, capture_output=True, text=True, timeout=800, check=False)  # builds it all
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    for name, pattern in COLOURS.items():
        assert re.search(pattern, done.stdout), f"{name} was never shown:\n{done.stdout[-6000:]}"
    assert "offline" in done.stdout and "The contract held." in done.stdout
    assert not children_of(str(tree)), children_of(str(tree))
    left = {p.relative_to(tree).parts[0] for p in tree.rglob("*") if p not in before}
    assert left <= {"build"}, left
