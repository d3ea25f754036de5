"""Keeps neighbours on a shared machine out of the figures: a slot counts once the processors are at their pace before and
after it, by the same rule for every runtime."""

from __future__ import annotations

import json
import subprocess
import time
from typing import Callable

from .paths import BENCHMARKS, BUILD
from .workers import compile_c

# Of the least time of pace.c's piece that was seen.
UNDISTURBED = 1.1
ATTEMPTS = 5
WAIT_SECONDS = 0.1


class Probe:
    """Asks pace.c, which lives as long as this, how many nanoseconds its piece takes on each processor."""

    def __init__(self) -> None:
        program = compile_c([BENCHMARKS / "c" / "pace.c"], BUILD / "pace")
        self._process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self) -> dict[int, int]:
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return {int(processor): took for processor, took in json.loads(self._process.stdout.readline()).items()}


class Pace:
    """Which processors the threads of a measurement run on, and whether they are disturbed."""

    def __init__(self, probe: Callable[[], dict[int, int]]) -> None:
        self._probe = probe
        self._least = float("inf")
        for _ in range(20):
            self._ask()

    def begin(self, threads: int, patience: float) -> None:
        """patience: for how many seconds disturbed slots are timed again; after them they count."""
        self._threads = threads
        self._end = time.monotonic() + patience
        self.slots = self.disturbed = 0

    def slot(self, run: Callable[[list[int]], list[float]]) -> list[float]:
        """What `run` gave on the processors it was told to use, in the least disturbed of the attempts."""
        best: tuple[float, list[float]] | None = None
        for _ in range(ATTEMPTS):
            processors = self._wait()
            samples = run(processors)
            after = self._ask()
            ratio = max(after[processor] for processor in processors) / self._least
            if best is None or ratio < best[0]:
                best = ratio, samples
            if ratio <= UNDISTURBED or time.monotonic() > self._end:
                break
        self.slots += 1
        self.disturbed += best[0] > UNDISTURBED
        return best[1]

    def _wait(self) -> list[int]:
        """The processors that are fastest now, once none of them is disturbed."""
        while True:
            now = self._ask()
            chosen = sorted(now, key=now.get)[:self._threads]
            if max(now[processor] for processor in chosen) <= UNDISTURBED * self._least or time.monotonic() > self._end:
                return chosen
            time.sleep(WAIT_SECONDS)

    def _ask(self) -> dict[int, int]:
        now = self._probe()
        self._least = min(self._least, *now.values())
        return now
