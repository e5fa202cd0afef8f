"""The manual pages: riskgatectl(1) is what --help says, riskgated(8) has every option, all of them are good roff.

riskgate.yaml(5) is held against the configuration's table by tests/unit/test_config_manual.c. The part of riskgatectl(1) between its
two marks is written from the help texts: when it differs, RG_MANUAL_OUT=FILE (docs/man/riskgatectl.1) writes it anew.
"""

import os
import re
import shutil
import subprocess

import pytest
from conftest import SOURCE, program

PAGES = {path.name: path for path in sorted((SOURCE / "docs/man").iterdir())}
OURS = ("riskgated.8", "riskgatectl.1", "riskgate.yaml.5")
BEGIN, END = '.\\" BEGIN COMMANDS', '.\\" END COMMANDS'
GROUPS = ("Without a daemon", "Of the running daemon", "Commissioning, through the running daemon or without one")


def text_of(page):
    return PAGES[page].read_text(encoding="utf-8")


def help_of(name, *words):
    done = subprocess.run([program(name), *words, "--help"], capture_output=True, text=True, check=True, timeout=60)
    return done.stdout


def commands():
    """{group: [command]}, as --help lists them."""
    found, group = {}, None
    for line in help_of("riskgatectl").splitlines():
        if line.endswith(":"):
            group = line[:-1]
        elif group != "Options" and (entry := re.match(r"  ([a-z][a-z-]*)", line)):
            found.setdefault(group, []).append(entry[1])
    return found


def roff(text):
    """A text as roff takes it: nothing in it is a request, a dash is a dash."""
    for plain, escaped in (("\\", "\\e"), ("-", "\\-"), ("'", "\\(aq"), ('"', "\\(dq"), ("^", "\\(ha"), ("~", "\\(ti"), ("`", "\\(ga")):
        text = text.replace(plain, escaped)
    lines = [("\\&" if line[:1] == "." else "") + line for line in text.split("\n")]
    # A sentence that ends a line ends it in the page, too.
    return "\n".join(line + ("\n.br" if line.endswith(".") and line is not lines[-1] else "") for line in lines)


def entries(options):
    """[(head, text)] of the list of options in a help text."""
    found = []
    for line in options.splitlines():
        if head := re.match(r"  (--\S+(?: [A-Z\[][^ ]*)?(?:, .*?)?)(?:  +(.*))?$", line):
            found.append([head[1], head[2] or ""])
        elif line.strip():
            assert found, options
            found[-1][1] += " " + line.strip()
    return found


def section(command):
    """One command of the page."""
    text = help_of("riskgatectl", command)
    usage, rest = text.split("\n\n", 1)
    about, options = rest.split("\nOptions:\n")
    options, statuses = options.split("\n\n", 1)
    lines = [f".SS {roff(command)}"]
    for form in usage.splitlines():
        form = re.sub(r"^(usage:|      ) ", "", form).strip()
        head, _, tail = form.removeprefix("riskgatectl ").partition(" ")
        lines += [".br"] if len(lines) > 1 else []
        lines += [f".B riskgatectl {roff(head)}"] + ([roff(tail)] if tail else [])
    for paragraph in about.strip().split("\n\n"):
        lines += [".PP", roff(paragraph.strip())]
    for head, said in entries(options):
        if head not in ("--help", "--json") and not head.startswith("--socket"):
            name, _, argument = head.partition(" ")
            lines += [".TP", f".BI {roff(name)}\\~ {roff(argument)}" if argument else f".B {roff(name)}", roff(said.strip())]
    assert statuses.startswith("Exit status: "), statuses
    return lines


def made():
    lines = []
    for group, names in commands().items():
        lines += [f'.SH "{"COMMANDS " + group.upper() if group == GROUPS[0] else group.upper()}"']
        for name in names:
            lines += section(name)
    return "\n".join(lines) + "\n"


def test_the_commands_are_those_of_the_help():
    page, want = text_of("riskgatectl.1"), made()
    start = page.index("\n", page.index(BEGIN)) + 1
    have = page[start:page.index(END)]
    if have != want and os.environ.get("RG_MANUAL_OUT"):
        with open(os.environ["RG_MANUAL_OUT"], "w", encoding="utf-8") as out:
            out.write(page[:start] + want + page[start + len(have):])
    assert have == want, "docs/man/riskgatectl.1 is not what --help says: RG_MANUAL_OUT=docs/man/riskgatectl.1 writes it"
    assert set(commands()) == set(GROUPS) and sum(len(names) for names in commands().values()) > 20


def test_every_option_has_its_place():
    assert len(PAGES) == 5
    for page in set(PAGES) - {"riskgate.yaml.5"}:
        words = set(re.findall(r"(?<![a-z])--[a-z][a-z0-9-]+", help_of(page[:-2])))
        plain = text_of(page).replace("\\-", "-")
        missing = [word for word in words if not re.search(rf"^\.BI?R? .*{word}\b", plain, re.M)]
        assert words and not missing, (page, missing)


@pytest.mark.parametrize("page", PAGES)
def test_good_roff(page):
    """No warning by groff, as man runs it, and none by mandoc, which is another reader."""
    assert shutil.which("groff") or shutil.which("mandoc")
    if shutil.which("groff"):
        words = ["groff", "-man", "-Tutf8", "-Kutf8", "-t", "-ww", "-z", PAGES[page]]
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0 and not done.stderr, done.stderr
    if shutil.which("mandoc"):
        done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", PAGES[page]], capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr


def test_they_name_each_other():
    for page in OURS:
        for other in OURS:
            name, number = other.rsplit(".", 1)
            assert page == other or f".BR {name} ({number})" in text_of(page).split('.SH "SEE ALSO"')[1], (page, other)


def test_the_version_is_that_of_the_programs():
    version = subprocess.run([program("riskgated"), "--version"], capture_output=True, text=True, check=True, timeout=60).stdout.split()[1]
    for page in PAGES:
        assert f'"riskgate {version}"' in text_of(page).splitlines()[1], page
