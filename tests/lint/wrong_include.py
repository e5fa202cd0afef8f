#!/usr/bin/python3
"""A wrong #include must not compile: each folder's real compile command is tried on a file with one forbidden #include.

usage: wrong_include.py BUILD_DIR"""
import json
import pathlib
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
STAGES = {"poll": "poll/poll.h", "convert": "convert/convert.h", "rules": "rules/rules.h", "store": "store/store.h", "uplink": "uplink/uplink.h",
          "control": "control/control.h", "config": "config/config.h", "app": "app/app.h",
          "output": "output/output.h"}
REFUSED = [(a, STAGES[b]) for a in STAGES for b in STAGES if a not in (b, "app")]
REFUSED += [("rules", "loop/loop.h"), ("convert", "loop/loop.h"), ("output", "loop/loop.h"), ("config", "loop/loop.h"), ("model", "loop/loop.h"), ("base", "model/level.h"),
            ("poll", "drivers/modbus/modbus_driver.h"), ("app", "drivers/modbus/modbus_driver.h"), ("loop", "model/level.h")]
ALLOWED = [("poll", "drivers/driver.h"), ("poll", "loop/loop.h"), ("rules", "model/site.h"), ("app", "rules/rules.h"),
           ("store", "loop/loop.h")]


def commands_by_folder(build):
    found = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        path = pathlib.Path(entry["file"])
        if path.is_relative_to(ROOT / "daemon"):
            found.setdefault(path.parent.name, entry)
    return found


def compiles(entry, header, folder):
    source = folder / "try.c"
    source.write_text(f'#include "{header}"\nint try_include(void);\nint try_include(void) {{ return 0; }}\n')
    words = shlex.split(entry["command"])
    words = [w for w in words if w != entry["file"]]
    out = words.index("-o")
    del words[out:out + 2]
    words = [w for w in words if w != "-c"] + ["-fsyntax-only", str(source)]
    return subprocess.run(words, cwd=entry["directory"], capture_output=True, check=False).returncode == 0


def main():
    commands = commands_by_folder(pathlib.Path(sys.argv[1]))
    wrong = 0
    with tempfile.TemporaryDirectory() as temporary:
        for pairs, expected in ((REFUSED, False), (ALLOWED, True)):
            for folder, header in pairs:
                if compiles(commands[folder], header, pathlib.Path(temporary)) != expected:
                    print(f"{folder} {'could' if not expected else 'could not'} include {header}")
                    wrong += 1
    print(f"{len(REFUSED)} forbidden and {len(ALLOWED)} allowed includes tried, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
