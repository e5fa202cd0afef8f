"""What docs/ says of the messages, to hold real ones against: the JSON Schemas, the AsyncAPI document, the manuals' examples."""

import collections
import functools
import json
import os
import pathlib

import jsonschema
import yaml

DOCS = pathlib.Path(os.environ["RG_SOURCE_DIR"]) / "docs"
KINDS = ("state", "about", "risk", "alarm", "telemetry", "event", "report", "receipt", "command", "reply")


@functools.lru_cache(None)
def schemas():
    """{name: schema}"""
    found = {path.name.removesuffix(".schema.json"): json.loads(path.read_text(encoding="utf-8"))
             for path in sorted((DOCS / "schema").glob("*.schema.json"))}
    assert set(found) == {*KINDS, "common"}
    return found


@functools.lru_cache(None)
def validator(kind, definition=None):
    """For messages of a kind, or for one of its definitions alone."""
    schema = schemas()[kind]
    store = {one["$id"]: one for one in schemas().values()}
    resolver = jsonschema.RefResolver(schema["$id"], schema, store=store)
    if definition:
        schema = {"$ref": f"#/definitions/{definition}"}
    return jsonschema.Draft7Validator(schema, resolver=resolver)


def faults(kind, message):
    """What is wrong with a message, as texts; nothing for a good one."""
    found = []
    for error in validator(kind).iter_errors(message):
        deepest = jsonschema.exceptions.best_match([error])
        found.append(f"{kind}: {'/'.join(map(str, deepest.absolute_path))}: {deepest.message[:300]}")
    return found


def shape_of_command(record):
    if "unheard" in record:
        return "command_count"
    if record["command"] == "self_test":
        return "command_self_test"
    if "uplink" in record:
        return "command_uplink"
    return {"write": "command_write", "silence": "command_output", "test": "command_output",
            "permit": "command_permit"}.get(record["command"], "command_alarm")


def shapes_of(kind, message):
    """The names, in the schemas, of what a message is made of."""
    if kind == "alarm":
        yield "alarm.unstored" if message.get("stored") is False else "alarm.stored"
        yield from (f"alarm.{record['event']}" for record in message["records"])
        yield from ("alarm.test" for record in message["records"] if record.get("test"))
    elif kind == "event":
        for record in message["records"]:
            yield f"event.{record['kind']}" if record["kind"] != "command" else f"event.{shape_of_command(record)}"
    elif kind == "report":
        yield from (f"report.{record.get('kind')}" for record in message["records"])
    elif kind in ("command", "reply"):
        yield from (f"{kind}.{name}" for name in schemas()[kind]["definitions"] if validator(kind, name).is_valid(message))
    else:
        yield kind
        yield from ("telemetry.bad" for record in message.get("records", ()) if "bad" in record)


def all_shapes():
    """Every shape that the schemas know of."""
    alarm = schemas()["alarm"]["definitions"]["record"]["properties"]["event"]["enum"]
    event = [name for name in schemas()["event"]["definitions"] if name not in ("record", "command")]
    found = {"state", "about", "risk", "telemetry", "telemetry.bad", "receipt", "alarm.stored", "alarm.unstored", "alarm.test"}
    found |= {f"alarm.{name}" for name in alarm} | {f"event.{name}" for name in event}
    found |= {f"report.{name}" for name in schemas()["report"]["definitions"]["record"]["properties"]["kind"]["enum"]}
    for kind in ("command", "reply"):
        found |= {f"{kind}.{name}" for name in schemas()[kind]["definitions"]}
    return found


def hold(messages):
    """Asserts that every message is as its schema says. messages: [(kind, message)]. Returns {shape: how often}."""
    counts = collections.Counter()
    for kind, message in messages:
        wrong = faults(kind, message)
        assert not wrong, f"{wrong}\n{json.dumps(message, ensure_ascii=False)[:2000]}"
        counts.update(shapes_of(kind, message))
    return counts


@functools.lru_cache(None)
def asyncapi():
    return yaml.safe_load((DOCS / "asyncapi.yaml").read_text(encoding="utf-8"))


def references(node):
    """Every $ref below a node."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value
            else:
                yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def resolve(reference, document):
    """What a $ref of docs/asyncapi.yaml points at; KeyError or FileNotFoundError when at nothing."""
    place, _, inner = reference.partition("#")
    node = json.loads((DOCS / place).read_text(encoding="utf-8")) if place else document
    for part in filter(None, inner.split("/")):
        node = node[part.replace("~1", "/").replace("~0", "~")]
    return node
