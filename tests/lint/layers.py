#!/usr/bin/python3
"""Holds the layers of the project: which folder includes which, which outside library lives where, how large things are.

Reads the sources as text. Exit status 0 when everything is in its place."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

# folder -> folders it may include (besides itself)
MAY = {
    "daemon/base": set(),
    "daemon/model": {"base"},
    "daemon/crypto": {"base"},
    "daemon/service": {"base"},
    "daemon/clock": {"base", "service"},
    "daemon/loop": {"base"},
    "drivers": {"base", "model", "drivers"},
    "drivers/modbus": {"base", "model", "drivers"},
    "daemon/config": {"base", "model", "crypto"},
    "daemon/poll": {"base", "model", "loop", "drivers"},
    "daemon/convert": {"base", "model"},
    "daemon/rules": {"base", "model"},
    "daemon/output": {"base", "model"},
    "daemon/record": {"base", "model"},
    "daemon/report": {"base", "model"},
    "daemon/metrics": {"base"},
    "daemon/store": {"base", "model", "loop", "crypto"},
    "daemon/replay": {"base", "model", "rules", "store"},
    "daemon/uplink": {"base", "model", "loop", "crypto"},
    "daemon/control": {"base", "model", "loop"},
    "daemon/app": {"base", "model", "loop", "crypto", "service", "config", "poll", "convert", "rules", "report", "metrics", "output", "record", "replay", "store", "uplink", "control", "drivers"},
    "daemon/ctl": {"base", "model", "config", "record", "replay", "rules", "store", "crypto", "drivers"},
    "simulators/plant": set(),
    "simulators/platform": set(),
}
# outside header -> the folders (or files) that are its home
HOMES = {
    r"uv\.h": ["daemon/loop"],
    r"modbus(/modbus)?\.h": ["drivers/modbus"],
    r"sqlite3\.h": ["daemon/store", "simulators/platform"],
    r"MQTT\w+\.h": ["daemon/uplink", "simulators/platform"],
    r"libfyaml\.h": ["daemon/config", "simulators/plant"],
    r"(cjson/)?cJSON\.h": ["daemon/base/json_read.c", "simulators/platform"],
    r"openssl/.*": ["daemon/crypto", "simulators/platform"],
    r"systemd/.*": ["daemon/service"],
}
# who may read a clock
CLOCKS = re.compile(r"\b(clock_gettime|gettimeofday|time)\s*\(|\bclock_(mono|wall)_\w+\s*\(")
CLOCK_HOMES = ["daemon/base/clock.c", "daemon/base/log.c", "daemon/base/log_queue.c", "daemon/base/random.c", "daemon/loop", "daemon/clock", "drivers/modbus", "simulators",
               "daemon/base/clock.h",
               "daemon/uplink/paho.c", "daemon/uplink/paho_thread.c",  # the deadline of a wait on its own thread
               "daemon/ctl/command_check.c",  # whether certificates are still good today
               "daemon/ctl/watch.c",  # under which instant an answer stands
               "daemon/ctl/command_diff.c", "daemon/ctl/compare.c",  # the last so many days; since when something runs
               "daemon/ctl/access.c"]  # a program of its own: how long a device took
# who knows a time zone
ZONES = re.compile(r"\b(localtime_r|localtime|mktime|tzset)\s*\(")
ZONE_HOMES = ["daemon/base/calendar.c", "daemon/base/log.c", "daemon/ctl", "simulators"]  # what is decided; what people read
FILE_LINES = 500
FUNCTION_LINES = 100

problems = []


def relative(path):
    return path.relative_to(ROOT).as_posix()


def home_of(folder, homes):
    return any(folder == h or folder.startswith(h + "/") for h in homes)


def check_includes(path, folder, text):
    for number, line in enumerate(text.splitlines(), 1):
        found = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if not found:
            continue
        kind, name = found.groups()
        place = f"{relative(path)}:{number}"
        if kind == '"':
            first = name.split("/")[0]
            if name.startswith(".."):
                problems.append(f"{place}: {name}: an include never climbs out of its folder")
            elif "/" in name and first not in MAY[folder] | {folder.split("/")[-1]}:
                problems.append(f"{place}: {folder} may not include {name}")
        for pattern, homes in HOMES.items():
            if re.fullmatch(pattern, name) and not home_of(relative(path), homes):
                problems.append(f"{place}: {name} has its home in {', '.join(homes)}")


def check_clock(path, text):
    if home_of(relative(path), CLOCK_HOMES):
        return
    # Comments are blanked, their line breaks kept.
    bare = re.sub(r"/\*.*?\*/", lambda found: "\n" * found.group().count("\n"), text, flags=re.S)
    for number, line in enumerate(bare.splitlines(), 1):
        if CLOCKS.search(line):
            problems.append(f"{relative(path)}:{number}: reads a clock; time is an argument here")


def check_zone(path, text):
    if home_of(relative(path), ZONE_HOMES):
        return
    for number, line in enumerate(text.splitlines(), 1):
        if ZONES.search(line):
            problems.append(f"{relative(path)}:{number}: knows a time zone; base/calendar.h does")


def check_size(path, text):
    lines = text.count("\n")
    if lines > FILE_LINES:
        problems.append(f"{relative(path)}: {lines} lines; split it by what it decides (limit {FILE_LINES})")
    start = None
    for number, line in enumerate(text.splitlines(), 1):
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            if number - start + 1 > FUNCTION_LINES:
                problems.append(f"{relative(path)}:{start}: a function of {number - start + 1} lines (limit {FUNCTION_LINES})")
            start = None


def check_words(path, text):
    for number, line in enumerate(text.splitlines(), 1):
        if re.search(r"\b(TODO|FIXME|XXX)\b", line):
            problems.append(f"{relative(path)}:{number}: unfinished word")


def main():
    seen = 0
    for folder in MAY:
        for path in sorted((ROOT / folder).glob("*.[ch]")):
            text = path.read_text(encoding="utf-8")
            seen += 1
            check_includes(path, folder, text)
            check_clock(path, text)
            check_zone(path, text)
            check_size(path, text)
            check_words(path, text)
    for problem in problems:
        print(problem)
    print(f"{seen} files, {len(problems)} problems")
    return 1 if problems or seen == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
