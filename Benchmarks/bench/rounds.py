"""Interleaved rounds: in each, every runtime is timed once, in an order that turns, on processors that nothing disturbs."""

from __future__ import annotations

import math
import sys
import time
from dataclasses import dataclass

import numpy as np

from .pace import Pace
from .workers import Failed, Timed


@dataclass(frozen=True)
class Effort:
    rounds: int
    # Of one runtime in one round.
    seconds: float
    # Of one runtime before the first round.
    warm_up: float
    # Of all rounds, to time again what was disturbed.
    patience: float


FULL = Effort(rounds=15, seconds=0.3, warm_up=0.5, patience=120)
QUICK = Effort(rounds=7, seconds=0.06, warm_up=0.1, patience=15)
# A block is long enough that reading the clock does not show.
BLOCK_MICROSECONDS = 100.0


@dataclass
class Distribution:
    median: float
    p10: float
    p90: float


def measure(
    workers: list[Timed], threads: int, effort: Effort, pace: Pace
) -> tuple[dict[str, Distribution], dict[str, str]]:
    """What a call of each takes, and why some have no figures; microseconds."""
    samples: dict[str, list[float]] = {worker.name: [] for worker in workers}
    failures: dict[str, str] = {}
    sizes: dict[str, tuple[int, int]] = {}
    for worker in workers:
        try:
            sizes[worker.name] = _sizes(worker, effort)
        except Failed as error:
            failures[worker.name] = str(error)
    alive = [worker for worker in workers if worker.name not in failures]
    pace.begin(threads, effort.patience)
    for turn in range(effort.rounds):
        for worker in _rotated(alive, turn):
            # Threads of the one before may still be spinning.
            time.sleep(0.005)
            try:
                samples[worker.name] += pace.slot(lambda processors: _timed(worker, processors, *sizes[worker.name]))
            except Failed as error:
                failures[worker.name] = str(error)
        alive = [worker for worker in alive if worker.name not in failures]
    print(f"{pace.disturbed} of {pace.slots} slots were disturbed", file=sys.stderr, flush=True)
    return {worker.name: _distribution(samples[worker.name]) for worker in alive}, failures


def _timed(worker: Timed, processors: list[int], blocks: int, calls: int) -> list[float]:
    worker.pin(processors)
    # What it moves to another processor's caches.
    worker.time(1, calls)
    return worker.time(blocks, calls)


def _sizes(worker: Timed, effort: Effort) -> tuple[int, int]:
    """Warms up, and chooses how many blocks of how many calls fill the time of a round."""
    call = min(worker.time(3, 1))
    worker.time(max(1, int(effort.warm_up * 1e6 / max(call, BLOCK_MICROSECONDS))),
                math.ceil(BLOCK_MICROSECONDS / max(call, 0.1)))
    call = min(worker.time(3, 1))
    calls = math.ceil(BLOCK_MICROSECONDS / max(call, 0.1))
    return max(1, int(effort.seconds * 1e6 / (call * calls))), calls


def _rotated(workers: list[Timed], turn: int) -> list[Timed]:
    start = turn % len(workers) if workers else 0
    return workers[start:] + workers[:start]


def _distribution(samples: list[float]) -> Distribution:
    p10, median, p90 = np.percentile(samples, [10, 50, 90])
    return Distribution(float(median), float(p10), float(p90))
