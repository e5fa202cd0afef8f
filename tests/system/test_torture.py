"""Kills, dead brokers, sick lines, a disk that refuses, a clock that is set, reloads, all at once and by lot; then the platforms have what
the store has, byte for byte (torture.py). In the gate for a few seconds, at length with RG_TORTURE_SECONDS."""

import json
import os
import random
import types

import pytest

from torture import Torture

SECONDS = float(os.environ.get("RG_TORTURE_SECONDS", "0"))


@pytest.fixture
def tools(plant, make_broker, daemon, platform, tmp_path):
    return types.SimpleNamespace(plant=plant, make_broker=make_broker, daemon=daemon, platform=platform, folder=tmp_path)


def test_torture(tools):
    seed = int(os.environ.get("RG_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 31)
    print(f"RG_SEED={seed}", flush=True)
    torture = Torture(tools, seed)
    try:
        torture.run(SECONDS or 12)
        torture.quiet(at_once=SECONDS == 0)
        print(json.dumps(torture.judge()), flush=True)
    except BaseException as error:
        print(f"RG_SEED={seed}: {type(error).__name__}: {str(error)[:2000]}; {torture.done}", flush=True)
        raise
    finally:
        torture.close()
