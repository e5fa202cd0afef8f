"""A site for a small box, 100 devices of 20 points each, and where a process has its memory."""

import collections
import json
import pathlib
import re

DEVICES, POINTS = 100, 20


def scenario(buses):
    """The first register of each unit swings from 0 to 100, the other ones stand still."""
    each = DEVICES // buses
    return {"history": 4, "listeners": [
        {"name": f"bus-{b}", "tcp": "127.0.0.1:0", "units": [
            {"id": 1 + u, "registers": [{"holding": 0, "type": "u16", "sine": {"mean": 50, "amplitude": 50, "period": "7s", "phase": u / each}},
                                        {"holding": 1, "count": POINTS - 1, "value": 7}]} for u in range(each)]} for b in range(buses)]}


def site(folder, ports, uplinks, period="1s"):
    """A limit on every point; ten means and ten rates, for windows have their own memory, which `riskgatectl check` tells."""
    points = [{"name": f"p{i}", "holding": i, "type": "u16", "unit": "%LEL"} for i in range(POINTS)]
    each = DEVICES // len(ports)
    names = [f"{name}-{1 + u}" for name in sorted(ports) for u in range(each)]
    return {
        "gateway": {"id": "gw-01", "enterprise": {"code": "91350100M000100Y43", "name": "测试企业"}},
        "store": {"path": str(folder / "riskgate.db")},
        "control": {"socket": str(folder / "control.sock")},
        "uplinks": uplinks,
        "areas": [{"name": "plant"}],
        "buses": [{"name": name, "tcp": f"127.0.0.1:{port}"} for name, port in sorted(ports.items())],
        "devices": [{"name": f"{name}-{1 + u}", "bus": name, "unit": 1 + u, "poll": period, "area": "plant", "points": points}
                    for name in sorted(ports) for u in range(each)],
        "rules": [{"name": "high", "points": "*", "above": {"yellow": 60, "red": 95}, "deadband": 1},
                  {"name": "mean-high", "points": [f"{name}.p0" for name in names[:10]], "signal": {"mean": "15m"}, "above": {"orange": 80}},
                  {"name": "fast", "points": [f"{name}.p1" for name in names[:10]], "signal": {"rate": "1h"}, "above": {"blue": 1000}}]}


def text(value, depth=0):
    """YAML as people write it, one point a line. (All of it on one line, as JSON, takes libfyaml ten times the memory.)"""
    lead = "  " * depth
    lines = []
    for key, one in value.items() if isinstance(value, dict) else ((None, one) for one in value):
        head = f"{lead}{key}:" if key is not None else f"{lead}-"
        flat = not isinstance(one, (dict, list)) or not any(isinstance(v, (dict, list)) for v in (one.values() if isinstance(one, dict) else one))
        if flat:
            lines.append(f"{head} {json.dumps(one, ensure_ascii=False)}\n")
        elif key is None:
            lines.append(f"{head} {text(one, depth + 1).lstrip()}")
        else:
            lines.append(f"{head}\n{text(one, depth + 1)}")
    return "".join(lines)


def memory_kib(pid, what="VmRSS"):
    """VmRSS: resident now; VmHWM: the most it ever was."""
    return next(int(line.split()[1]) for line in pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
                if line.startswith(what))


def mappings(pid):
    """{kind of mapping: (resident, private and written) in KiB}"""
    found, kind = collections.Counter(), ""
    for line in pathlib.Path(f"/proc/{pid}/smaps").read_text(encoding="utf-8").splitlines():
        head = re.match(r"[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \S+ *(.*)", line)
        if head:
            kind = pathlib.Path(head[1]).name if head[1].startswith("/") else head[1] or "anonymous: large blocks, stacks, other arenas"
        elif line.startswith(("Rss:", "Private_Dirty:")):
            key, value = line.split()[:2]
            found[kind, key] += int(value)
    return {kind: (found[kind, "Rss:"], found[kind, "Private_Dirty:"]) for kind, _ in found}
