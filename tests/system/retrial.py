"""A test that fails while the machine stands still is tried again; one that fails on a quiet machine has failed.

conftest.py takes the pytest hooks below for its own. Each test, its fixtures included, runs under a watch (stalls.py). One that fails
 - while the machine ran: fails, at once;
 - while the machine stood still: is run again with new fixtures, up to TRIES times in all, and the failure is shown in any case;
 - whose programs crashed, or were reported by a sanitizer: fails at once, as no stall excuses that.
If no try found the machine quiet, the test fails, too; but one that judges wall time (pytest.mark.punctual), and was not content
with what it saw (an AssertionError or a time-out, nothing else), is then reported as skipped, "not judged": on such a machine it has
nothing to say. ctest shows its file as skipped (RG_NOT_JUDGED_STATUS)."""

import os
import pathlib
import signal
import subprocess
import time

import pytest
from _pytest.runner import runtestprotocol

from stalls import CRASH_SIGNALS, CRASHES, TRIES, Watch, stood_still

VERDICTS = (AssertionError, pytest.fail.Exception, subprocess.TimeoutExpired, TimeoutError)

excused = []  # (node, number of the try, Try): of this session


def crashed(folder, programs):
    """What no stall excuses: the line that tells it, or None. folder: the test's own, with its programs' logs."""
    for child in programs:
        status = child.process.poll()
        if status is not None and -status in CRASH_SIGNALS:
            return f"{child.log.name}: ended by {signal.Signals(-status).name}"
    for log in sorted(pathlib.Path(folder).rglob("*.log")) if folder else ():
        for line in log.read_text(errors="replace").splitlines():
            if any(word in line for word in CRASHES):
                return f"{log.name}: {line.strip()}"
    return None


class Try:
    """One run of a test."""

    def __init__(self, item, nextitem, watch):
        item._report_sections.clear()  # else each try would show the output of those before it
        item.rg_programs = []  # conftest's start adds them
        item.rg_folder = None
        from_ms = time.monotonic() * 1000
        self.reports = runtestprotocol(item, nextitem=nextitem, log=False)
        to_ms = time.monotonic() * 1000
        failures = [r for r in self.reports if r.failed]
        self.failure = failures[0] if failures else None
        self.verdict = all(r.rg_verdict for r in failures)  # else the test itself, or what it stands on, is wrong
        self.text = self.failure.longreprtext.splitlines() if self.failure else []
        self.took_ms = to_ms - from_ms
        self.still_ms = watch.still_ms(from_ms, to_ms) if self.failure else 0
        self.quiet = not stood_still(self.still_ms, self.took_ms)
        self.crash = crashed(item.rg_folder, item.rg_programs) if self.failure else None

    @property
    def said(self):
        return f"the machine stood still for {self.still_ms:.0f} of {self.took_ms:.0f} ms"


def not_judged(item, one):
    """The failing report as a skip that says why."""
    file, line, _ = item.location
    one.failure.outcome = "skipped"
    one.failure.longrepr = (file, (line or 0) + 1, f"Skipped: not judged: {one.said}")
    item.config.rg_not_judged = True
    return [r for r in one.reports if not r.failed]  # that of its teardown, if that failed as well, says nothing more


def judge(item, nextitem, watch):
    """Runs a test, again if need be; the reports that count."""
    tries = []
    for number in range(1, TRIES + 1):
        one = Try(item, nextitem, watch)
        if one.failure is None:
            return one.reports
        if one.quiet or one.crash:
            why = f"a crash, which no stall excuses: {one.crash}" if one.crash else one.said
            one.failure.sections.append(("judged", why))
            return one.reports
        tries.append(one)
        excused.append((item.nodeid, number, one))
    if item.get_closest_marker("punctual") and all(one.verdict for one in tries):
        return not_judged(item, one)
    one.failure.sections.append(("judged", f"failed {TRIES} times; {one.said}, but this is no verdict on wall time"))
    return one.reports


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for report in judge(item, nextitem, item.config.rg_watch):
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(call):
    result = yield
    result.get_result().rg_verdict = call.excinfo is None or issubclass(call.excinfo.type, VERDICTS)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item):
    """Before the fixtures go, and with them the name of it: where the test's programs wrote."""
    item.rg_folder = item.funcargs.get("tmp_path")


def pytest_configure(config):
    config.addinivalue_line("markers", "punctual: judges wall time; runs alone, and is not judged where the machine never runs evenly")
    config.rg_not_judged = False
    config.rg_watch = Watch()


def pytest_unconfigure(config):
    config.rg_watch.close()


def pytest_sessionfinish(session, exitstatus):
    """Passed but for what could not be judged: ctest shall show that."""
    if exitstatus == 0 and session.config.rg_not_judged:
        session.exitstatus = int(os.environ.get("RG_NOT_JUDGED_STATUS", "0"))


def pytest_terminal_summary(terminalreporter):
    if not excused:
        return
    terminalreporter.section("failed while the machine stood still, and tried again")
    for node, number, one in excused:
        terminalreporter.line(f"{node}, try {number} of {TRIES}: {one.said}")
        for line in [line for line in one.text if line.startswith("E ")] or one.text[-1:]:
            terminalreporter.line(f"    {line}")
