"""How the tests are judged where the machine stands still (retrial.py), by small tests of its own under a watch that says what it is
told: above all that a failure on a quiet machine is one, at once, whatever it is marked with."""

import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from conftest import wait_for
import again
from stalls import Stalls, Watch, joined, length, stood_still

HERE = pathlib.Path(__file__).parent
CONFTEST = """
import json, pathlib, pytest, retrial
from conftest_of_the_project import *

class Told:
    def __init__(self):
        self.still = json.loads(pathlib.Path("still.json").read_text())
    def still_ms(self, from_ms, to_ms):
        return self.still.pop(0)
    def close(self):
        pass

retrial.Watch = Told
"""
HEAD = """
import pathlib, pytest, sys

def again(name="runs"):
    file = pathlib.Path(name)
    count = int(file.read_text()) + 1 if file.exists() else 1
    file.write_text(str(count))
    return count

@pytest.fixture
def made():
    again("made")
    yield []
    again("unmade")

"""


@pytest.fixture
def play(tmp_path):
    """play(test, still) -> (exit status, output, count): a test file, and how long the machine stood still in each failing try."""
    def run(text, still=(), status="77"):
        (tmp_path / "conftest.py").write_text(CONFTEST)
        (tmp_path / "conftest_of_the_project.py").write_text((HERE / "conftest.py").read_text())
        (tmp_path / "still.json").write_text(str(list(still)))
        (tmp_path / "test_it.py").write_text(HEAD + text)
        done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "test_it.py"], cwd=tmp_path,
                              capture_output=True, text=True, timeout=60, check=False,
                              env={**os.environ, "PYTHONPATH": str(HERE), "RG_NOT_JUDGED_STATUS": status})
        print(done.stdout, done.stderr)

        def count(name="runs"):
            return int((tmp_path / name).read_text()) if (tmp_path / name).exists() else 0
        return done.returncode, done.stdout, count
    return run


FAILS = "def test_it(made):\n    made.append(again())\n    assert made == [99]\n"
MARKED = "@pytest.mark.punctual\n"


@pytest.mark.parametrize("mark", ["", MARKED])
def test_a_failure_on_a_quiet_machine_is_one_at_once(play, mark):
    status, output, count = play(mark + FAILS, still=[0])
    assert status == 1 and "1 failed" in output and count() == 1 and "tried again" not in output


@pytest.mark.parametrize("mark", ["", MARKED])
def test_a_quiet_try_after_others_decides(play, mark):
    status, output, count = play(mark + FAILS, still=[900, 50])
    assert status == 1 and "1 failed" in output and count() == 2


@pytest.mark.parametrize("mark", ["", MARKED])
def test_what_passes_on_the_second_try_passes_and_the_first_is_shown(play, mark):
    status, output, count = play(mark + "def test_it(made):\n    made.append(again())\n    assert made == [2]\n", still=[412])
    assert status == 0 and "1 passed" in output and count() == 2
    assert "try 1 of 3: the machine stood still for 412 of " in output and "assert [1] == [2]" in output


def test_fixtures_are_made_anew(play):
    status, _, count = play("def test_it(made):\n    made.append(1)\n    assert made == [1]\n    assert again() == 3\n", still=[400, 400])
    assert status == 0 and count("made") == count("unmade") == 3


def test_fixtures_of_a_module_too(play):
    status, _, count = play("@pytest.fixture(scope='module')\ndef wide():\n    return again('wide')\n"
                            "def test_it(wide):\n    assert wide == 1 and again() == 2\ndef test_last(wide):\n    assert wide == 1\n", still=[400])
    assert status == 0 and count() == 2


def test_a_machine_that_never_ran_fails_what_is_not_marked(play):
    status, output, count = play(FAILS, still=[900, 900, 900])
    assert status == 1 and "1 failed" in output and count() == 3


def test_a_machine_that_never_ran_does_not_judge_what_is_marked(play):
    status, output, count = play(MARKED + FAILS, still=[900, 800, 700])
    assert status == 77 and "1 skipped" in output and "failed" not in output.splitlines()[-1] and count() == 3
    assert "not judged: the machine stood still for 700 of " in output
    assert output.count("try ") == 3 and output.count("E       assert [1] == [99]") == 1 and "[3] == [99]" in output, "all of them are shown"
    (status, _, _) = play(MARKED + "def test_it():\n    pass\n" + MARKED + FAILS.replace("test_it", "test_other"), [900, 800, 700], "0")
    assert status == 0


@pytest.mark.parametrize("wrong", ["nothing", "[][0]", "pathlib.Path('nowhere').read_text()"])
def test_what_is_no_verdict_is_not_excused(play, wrong):
    status, output, count = play(MARKED + f"def test_it():\n    assert again() == 0 if again('calls') == 2 else {wrong}\n", still=[900, 800, 700])
    assert status == 1 and "1 failed" in output and count("calls") == 3


def test_a_failure_beside_one_that_is_not_judged(play):
    status, output, _ = play(MARKED + FAILS + "def test_other():\n    assert False\n", still=[900, 800, 700, 0])
    assert status == 1 and "1 failed" in output and "1 skipped" in output


def test_what_passes_is_run_once_however_still_the_machine(play):
    status, output, count = play("def test_it():\n    again()\n", still=[])
    assert status == 0 and "1 passed" in output and count() == 1


@pytest.mark.parametrize("where", ["    again()\n    assert False\n    yield []\n", "    again()\n    yield []\n    assert False\n"])
def test_a_fixture_that_fails(play, where):
    status, output, count = play("@pytest.fixture\ndef bad():\n" + where + "def test_it(bad):\n    pass\n", still=[400, 10])
    assert status == 1 and "1 error" in output and count() == 2


CRASHES = {
    "signal": "import os, time\nos.abort()",
    "sanitizer": "print('==1==ERROR: AddressSanitizer: heap-use-after-free', flush=True)\nraise SystemExit(1)",
    "undefined": "print('a.c:3:4: runtime error: signed integer overflow', flush=True)",
}


@pytest.mark.parametrize("kind", CRASHES)
def test_no_stall_excuses_a_crash(play, kind):
    status, output, count = play(MARKED + f"def test_it(start):\n    again()\n    child = start([sys.executable, '-c', {CRASHES[kind]!r}], "
                                 "name='child')\n    child.wait()\n    assert False\n", still=[900, 900, 900])
    assert status == 1 and count() == 1 and "no stall excuses" in output


def test_a_child_that_is_killed_by_the_test_is_no_crash(play):
    status, _, count = play("def test_it(start):\n    child = start(['/bin/sleep', '60'])\n    child.kill()\n    assert again() == 2\n",
                            still=[900])
    assert status == 0 and count() == 2


def test_skips_and_expected_failures_stay_what_they_are(play):
    status, output, count = play("def test_it():\n    again()\n    pytest.skip('for a reason')\n"
                                 "@pytest.mark.xfail\ndef test_other():\n    again()\n    assert False\n", still=[])
    assert status == 0 and "1 skipped, 1 xfailed" in output and count() == 2


@pytest.mark.parametrize("still,took,expected", [
    (0, 100, False), (99, 100, False), (100, 100, True), (100, 5000, True), (101, 6000, False), (120, 6000, True),
    (299, 60000, False), (300, 60000, True), (8090, 25000, True)])
def test_when_a_machine_stood_still(still, took, expected):
    assert stood_still(still, took) is expected


# ---- the same for programs that are no Python ---------------------------------------------------------------------------


@pytest.mark.parametrize("script,still,status,runs", [
    ("exit 0", [], 0, 1), ("exit 3", [0], 3, 1), ("exit 3", [400, 400, 400], 3, 3), ("test -s runs2", [400], 0, 2),
    ("kill -SEGV $$", [400], 139, 1), ("echo WARNING: ThreadSanitizer: data race; exit 66", [400], 66, 1)])
def test_a_program_is_run_again(tmp_path, script, still, status, runs):
    class Told:
        def still_ms(self, from_ms, to_ms):
            return still.pop(0)

    said = []
    counted = f"cd {tmp_path}; test -s runs && echo x >runs2; echo x >>runs; {script}"
    assert again.run(["/bin/sh", "-c", counted], Told(), said.append) == status
    assert len((tmp_path / "runs").read_text().split()) == runs and not still
    assert sum("the machine stood still for" in text for text in said) == runs - (status == 0), "each failure is shown"


# ---- the watch itself --------------------------------------------------------------------------------------------------


def test_stretches_are_joined():
    assert joined([(5, 9), (1, 3), (2, 4), (8, 10)]) == [(1, 4), (5, 10)]
    assert length([(5, 9), (1, 3), (2, 4), (8, 10)], 2, 9) == 2 + 4
    assert length([], 0, 10) == 0


def test_what_a_stall_costs_a_poll():
    stalls = Stalls([])
    stalls.watch.close()
    stalls.found = [(1000, 1100), (1500, 1510)]
    assert stalls.within(900, 2000) == 110
    assert stalls.spoiled(900, 2000, 200) == 110 + 200, "the second is too short to spoil a poll"
    assert stalls.spoiled(1100, 2000, 200) == 10 and stalls.spoiled(1600, 2000, 200) == 0
    assert stalls.covers(900, 2000, 100) and not stalls.covers(1050, 2000, 100)


def test_a_watch_that_is_stopped_sees_a_stall():
    """Stopped and let go on, its sleepers are late as if the machine had stood still."""
    watch = Watch()
    try:
        began = time.monotonic() * 1000

        def seen():
            os.kill(watch.child.pid, signal.SIGSTOP)
            time.sleep(0.2)  # the stall
            os.kill(watch.child.pid, signal.SIGCONT)
            return watch.still_ms(began, time.monotonic() * 1000) >= 190
        wait_for(seen, what="the stall, once its sleepers are there")
        now = time.monotonic() * 1000
        assert watch.still_ms(now + 1000, now + 2000) == 0
    finally:
        watch.close()
    assert not watch.file.exists()
