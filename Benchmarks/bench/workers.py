"""The driver's side: a process for each runtime and model, started fresh, timed when it is asked to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Protocol

from .models import Training
from .network import Network
from .paths import BENCHMARKS, TOOLS


class Failed(Exception):
    """Why a runtime has no figures for a model, in one line."""


class Timed(Protocol):
    """What rounds.py measures."""

    name: str
    open_ms: float
    first_ms: float

    def time(self, blocks: int, calls: int) -> list[float]:
        """Microseconds of a call, for each block the mean of its calls."""

    def pin(self, processors: list[int]) -> None:
        """From now on it runs on these only."""

    def memory(self) -> float:
        """MB by which the peak resident set exceeds the resident set before the runtime was loaded."""

    def close(self) -> None: ...


class Worker:
    """A process that speaks the protocol of harness.c."""

    def __init__(self, name: str, command: list, threads: int) -> None:
        self.name = name
        self._errors = tempfile.TemporaryFile("w+")
        self._process = subprocess.Popen(
            list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True,
            cwd=BENCHMARKS, env=environment(threads))
        self.first = self._answer()
        self.open_ms, self.first_ms = self.first["open_us"] / 1e3, self.first["first_us"] / 1e3

    def time(self, blocks: int, calls: int) -> list[float]:
        return [nanoseconds / 1e3 for nanoseconds in self._ask(f"time {blocks} {calls}")]

    def pin(self, processors: list[int]) -> None:
        for task in Path(f"/proc/{self._process.pid}/task").glob("*"):
            try:
                os.sched_setaffinity(int(task.name), processors)
            except ProcessLookupError:
                pass  # A thread that ended just now.

    def memory(self) -> float:
        return self._ask("memory") / 1024

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        self._errors.close()

    def _ask(self, command: str):
        try:
            self._process.stdin.write(command + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass
        return self._answer()

    def _answer(self):
        # A converter or runtime may print lines of its own first.
        while line := self._process.stdout.readline():
            if line[0] in "[{-0123456789":
                return json.loads(line)
        self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().strip().splitlines()
        raise Failed(lines[-1] if lines else f"exit code {self._process.returncode}")


class ApusTraining:
    """`apus bench-training`, one process for each request."""

    name = "apus"

    def __init__(self, training: Training, net: Network, threads: int) -> None:
        self._command = [
            TOOLS / "apus", "bench-training", training.apus_network, "--input", ",".join(map(str, net.input_shape)),
            "--outputs", net.classes, "--batch", training.batch, "--threads", threads, "--json", "--quiet",
        ]
        self._peak_kb = 0
        self._processors = os.sched_getaffinity(0)
        report = self._run(20)
        self.first = {"parameters": report["parameters"]}
        self.open_ms = report["openSeconds"] * 1e3
        self.first_ms = self.open_ms + report["firstSeconds"] * 1e3

    def time(self, blocks: int, calls: int) -> list[float]:
        times = self._run(blocks * calls)["stepSeconds"]
        return [sum(times[i:i + calls]) / calls * 1e6 for i in range(0, len(times), calls)]

    def pin(self, processors: list[int]) -> None:
        self._processors = processors

    def memory(self) -> float:
        return self._peak_kb / 1024

    def close(self) -> None:
        pass

    def _run(self, steps: int) -> dict:
        with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
            try:
                process = subprocess.Popen(
                    list(map(str, [*self._command, "--steps", steps])), stdout=output, stderr=errors,
                    preexec_fn=lambda: os.sched_setaffinity(0, self._processors))
            except FileNotFoundError as error:
                raise Failed(str(error)) from None
            _, code, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(code)
            self._peak_kb = max(self._peak_kb, usage.ru_maxrss)
            output.seek(0)
            errors.seek(0)
            if process.returncode:
                raise Failed(errors.read().strip().splitlines()[-1:][0])
            return json.load(output)


def environment(threads: int) -> dict[str, str]:
    """Every library's own thread count; nothing that makes a BLAS choose another processor's kernels."""
    keep = {key: value for key, value in os.environ.items() if not key.startswith("OPENBLAS_")}
    counts = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
    return keep | counts | {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONWARNINGS": "ignore", "CUDA_VISIBLE_DEVICES": ""}


def python_module(name: str, *arguments) -> list:
    return [sys.executable, "-m", f"bench.{name}", *arguments]


def compile_c(sources: list[Path], output: Path, *options: str, compiler: str = "cc") -> Path:
    """Compiles a C program of the benchmark, unless it is newer than its sources."""
    newest = max(file.stat().st_mtime for folder in {s.parent for s in sources} for file in folder.iterdir())
    if not output.exists() or output.stat().st_mtime < newest:
        output.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([compiler, "-O2", "-std=gnu11", *map(str, sources), *options, "-o", str(output)], check=True)
    return output
