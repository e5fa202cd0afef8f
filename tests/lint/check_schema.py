#!/usr/bin/python3
"""Holds every shipped configuration against config/riskgate.schema.json, every profile against config/profile.schema.json.

Usage: check_schema.py [FILE...]   (default: all YAML files below config/; those in a folder profiles/ are profiles)

The schema is for editors and other tools, the loader has its own checks; this sees to it that the two agree on
what is shipped, and that the schema itself is a valid one. Needs python3-yaml and python3-jsonschema. Exit status:
0 good, 1 not.
"""

import json
import pathlib
import re
import sys

import jsonschema
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCHEMAS = {False: ROOT / "config" / "riskgate.schema.json", True: ROOT / "config" / "profile.schema.json"}  # is it a profile?


class Loader(yaml.SafeLoader):
    """YAML 1.2 as the daemon reads it: only true and false are booleans, no octal, no dates, no base 60."""


Loader.yaml_implicit_resolvers = {}
for tag, pattern, first in (
    ("bool", r"^(?:true|false)$", "tf"),
    ("null", r"^(?:~|null|)$", ["~", "n", ""]),
    ("int", r"^[-+]?(?:0|[1-9][0-9]*|0x[0-9a-fA-F]+)$", "-+0123456789"),
    ("float", r"^[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?$", "-+.0123456789"),
):
    Loader.add_implicit_resolver("tag:yaml.org,2002:" + tag, re.compile(pattern), list(first))


def as_json(value):
    """Keys as JSON has them: a mapping such as {1: red, true: blue} has text keys there."""
    if isinstance(value, dict):
        return {k if isinstance(k, str) else json.dumps(k): as_json(v) for k, v in value.items()}
    if isinstance(value, list):
        return [as_json(v) for v in value]
    return value


def check(validator, path):
    """Prints what is wrong with one file; the number of errors."""
    with open(path, encoding="utf-8") as f:
        document = as_json(yaml.load(f, Loader=Loader))
    errors = sorted(validator.iter_errors(document), key=lambda e: list(map(str, e.absolute_path)))
    for error in errors:
        print(f"{path}: {'/'.join(map(str, error.absolute_path)) or '(root)'}: {error.message[:300]}")
    return len(errors)


def main():
    validators = {}
    for profile, path in SCHEMAS.items():
        schema = json.loads(path.read_text(encoding="utf-8"))
        jsonschema.Draft202012Validator.check_schema(schema)
        validators[profile] = jsonschema.Draft202012Validator(schema)
    paths = [pathlib.Path(p) for p in sys.argv[1:]] or sorted((ROOT / "config").rglob("*.yaml"))
    errors = sum(check(validators[p.parent.name == "profiles"], p) for p in paths)
    print(f"{len(paths)} files, {errors} errors")
    return 1 if errors or not paths else 0


if __name__ == "__main__":
    sys.exit(main())
