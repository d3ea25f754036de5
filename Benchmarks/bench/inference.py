"""The inference benchmark: convert, check that all agree, time in interleaved rounds."""

from __future__ import annotations

import sys
from typing import Iterator

import numpy as np

from .machine import Machine
from .models import INFERENCE
from .network import Network
from .paths import BENCHMARKS, BUILD, ROOT
from .pace import Pace
from .prepare import prepare, sample
from .report import Omission, Row
from .rounds import Effort, measure
from .runtimes import RUNTIMES, Runtime
from .workers import Failed, Worker, compile_c, python_module

# Of the largest absolute value of the result.
TOLERANCE = 1e-3


def run(models: list[str], runtimes: list[str], threads: list[int], effort: Effort,
        machine: Machine, pace: Pace) -> Iterator[tuple[list[Row], list[Omission]]]:
    """Yields what each model gave as soon as it is measured."""
    for model in models:
        rows: list[Row] = []
        omissions: list[Omission] = []
        net = INFERENCE[model]()
        ready: list[str] = []
        progress(f"{model}: PyTorch")
        prepare(model, "pytorch")
        for name in runtimes:
            progress(f"{model}: a file for {name}")
            try:
                if converter := RUNTIMES[name].converter:
                    prepare(model, converter)
                ready.append(name)
            except Failed as error:
                omissions.append(omission(model, name, error))
        for count in threads:
            measured, failed = measure_model(model, net, [RUNTIMES[name] for name in ready], count, effort, machine, pace)
            rows += measured
            omissions += failed
            # What failed once is not tried again.
            ready = [name for name in ready if name not in {omission.runtime for omission in failed}]
        yield rows, omissions


def measure_model(model: str, net: Network, runtimes: list[Runtime], threads: int, effort: Effort, machine: Machine,
                  pace: Pace, kind: str = "f32", tolerance: float = TOLERANCE) -> tuple[list[Row], list[Omission]]:
    workers: list[Worker] = []
    omissions: list[Omission] = []
    for runtime in runtimes:
        progress(f"{model}, {kind}, {threads} thread(s): {runtime.name} opens")
        try:
            workers.append(_start(model, net, runtime, threads, tolerance))
        except Failed as error:
            omissions.append(omission(model, runtime.name, error, kind))
    progress(f"{model}, {threads} thread(s): rounds")
    times, failures = measure(workers, threads, effort, pace)
    omissions += [omission(model, name, reason, kind) for name, reason in failures.items()]
    bound = machine.inference_bound_us(net, threads, kind)
    rows = []
    for worker in workers:
        if worker.name in times:
            t = times[worker.name]
            rows.append(Row(
                "inference", model, kind, threads, worker.name, t.median, t.p10, t.p90, worker.memory(), worker.open_ms,
                worker.first_ms, net.operations / t.median * 1e-3, bound / t.median))
        worker.close()
    return rows, omissions


def _start(model: str, net: Network, runtime: Runtime, threads: int, tolerance: float) -> Worker:
    """A worker whose first result agrees with the reference."""
    out = BUILD / "models" / model
    kind, input_file = sample(net, runtime, out)
    result = out / f"{runtime.name}.f32"
    result.unlink(missing_ok=True)
    if runtime.library:
        sources = sorted((BENCHMARKS / "c").glob("runtime_*.c")) + [BENCHMARKS / "c" / "harness.c"]
        harness = compile_c(sources, BUILD / "harness", f"-I{ROOT / 'Include'}", "-ldl")
        command = [harness, runtime.name, runtime.library(), out / runtime.file, threads, kind, input_file, result,
                   4 * net.output_size]
    else:
        command = python_module("worker", runtime.name, model, out / runtime.file, threads, kind, input_file, result)
    worker = Worker(runtime.name, command, threads)
    try:
        _check(np.fromfile(result, np.float32), np.fromfile(out / "result.f32", np.float32), tolerance)
    except Failed:
        worker.close()
        raise
    return worker


def _check(found: np.ndarray, wanted: np.ndarray, tolerance: float) -> None:
    if found.shape != wanted.shape:
        raise Failed(f"a result of {found.size} values, wanted {wanted.size}")
    error = float(np.max(np.abs(found - wanted)) / np.max(np.abs(wanted)))
    if not error <= tolerance:
        raise Failed(f"the result differs by {error:.1e} of its largest value, wanted at most {tolerance:.0e}")


def omission(model: str, runtime: str, reason: object, kind: str = "f32") -> Omission:
    progress(f"{model}, {kind}: {runtime} is left out: {reason}")
    return Omission("inference", model, runtime, str(reason), kind)


def progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
