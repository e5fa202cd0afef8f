#!/usr/bin/python3
"""Promise 7: the rule engine is a pure function of configuration and samples, time included; so is the stage before it, which works
out what it is given, and the outputs' stage behind it (whose jitter is a seeded generator's).

Looks at what the compiled stages need from outside and what they keep: nothing that reads a clock, a file, the environment or randomness,
nothing that blocks, and no variable of its own that could remember something between two engines.
(That equal samples give equal events however time is split is shown by unit.test_rules_property.)

usage: promise_7_rules_are_pure.py BUILD_DIR"""
import subprocess
import sys

# All that the engine may call beside itself: memory, strings, arithmetic, and the pure helpers of base and model.
ALLOWED = {"calloc", "malloc", "free", "memcpy", "memset", "memmove", "memcmp", "strcmp", "strncmp", "strlen", "strchr", "strrchr",
           "strtod", "snprintf", "floor", "fmin", "fmax", "fabs", "log", "log10", "pow", "rint",
           "nearbyint", "llround", "frexp", "qsort", "abort", "__assert_fail",
           "__stack_chk_fail", "__stack_chk_fail_local", "_GLOBAL_OFFSET_TABLE_"}
PURE_PREFIXES = ("text_", "level_", "hash_index_", "arena_", "ring_", "quality_", "point_", "site_")
FORTIFIED = {f"__{name}_chk" for name in ("memcpy", "memset", "memmove", "snprintf", "strcpy")}
SEEDED = {"backoff_init", "backoff_fail", "backoff_reset", "random_seed", "random_next", "random_below", "rg_err_text"}
SANITIZER = ("__asan", "__ubsan", "__tsan", "__sanitizer", "__lsan")


def symbols(archive, *options):
    lines = subprocess.run(["nm", *options, archive], capture_output=True, text=True, check=True).stdout.splitlines()
    return [line.split() for line in lines if line and not line.endswith(":")]


def look_at(archive, stage):
    table = symbols(archive)
    own = {s[-1] for s in table if len(s) == 3 and s[1] in "TtRrDdBb"}
    needed = {s[-1] for s in table if s[-2] == "U"} - own
    allowed = ALLOWED | FORTIFIED | (SEEDED if stage == "output" else set())
    foreign = sorted(n for n in needed if n not in allowed and not n.startswith(PURE_PREFIXES + SANITIZER))
    kept = sorted(s[-1] for s in table if len(s) == 3 and s[1] in "DdBb" and not s[-1].startswith(SANITIZER))
    for name in foreign:
        print(f"{stage} calls {name}")
    for name in kept:
        print(f"{stage} keeps a variable: {name}")
    print(f"{stage}: {len(own)} symbols of its own, {len(needed)} from outside, {len(foreign) + len(kept)} not pure")
    return not foreign and not kept and bool(own)


def main():
    pure = [look_at(f"{sys.argv[1]}/daemon/librg_{stage}.a", stage) for stage in ("rules", "convert", "output")]
    return 0 if all(pure) else 1


if __name__ == "__main__":
    sys.exit(main())
