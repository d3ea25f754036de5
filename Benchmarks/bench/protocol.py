"""The worker's side of the protocol that harness.c describes, for runtimes called from Python."""

from __future__ import annotations

import json
import sys
import time
from itertools import repeat
from typing import Callable


def status(key: str) -> int:
    """A figure of /proc/self/status in KB, such as "VmHWM"."""
    with open("/proc/self/status") as lines:
        for line in lines:
            if line.startswith(key + ":"):
                return int(line.split()[1])
    return 0


def serve(base_kb: int, run: Callable[[], object], first: dict) -> None:
    """Answers the driver until it closes standard input."""
    print(json.dumps(first), flush=True)
    for line in sys.stdin:
        command, *numbers = line.split()
        if command == "time":
            print(json.dumps(_time_blocks(run, *map(int, numbers))), flush=True)
        else:
            print(status("VmHWM") - base_kb, flush=True)


def _time_blocks(run: Callable[[], object], blocks: int, calls: int) -> list[float]:
    times = []
    for _ in range(blocks):
        began = time.perf_counter_ns()
        for _ in repeat(None, calls):
            run()
        times.append((time.perf_counter_ns() - began) / calls)
    return times
