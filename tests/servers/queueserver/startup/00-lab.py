"""A small laboratory for tests: devices without hardware, and plans that take their time, fail, or move something."""

import os
import time

import bluesky.plan_stubs as bps
from bluesky import RunEngine
from bluesky.plans import count, scan
from ophyd.sim import det, motor, noisy_det

RE = RunEngine({})

if os.path.exists(os.environ.get("PATCHBAY_LAB_BROKEN", "/nonexistent")):
    raise RuntimeError("the laboratory is broken")


def dwell(seconds: float = 1.0):
    """Does nothing for that long, and can be paused every tenth of a second."""
    print(f"dwelling for {seconds} s")
    for _ in range(int(seconds * 10)):
        yield from bps.checkpoint()
        yield from bps.sleep(0.1)


def fall_over(why: str = "no reason"):
    """Fails."""
    yield from bps.checkpoint()
    raise ValueError(why)


def say(text: str):
    """Says something."""
    print(text)
    yield from bps.null()
