"""Runs ONNX's backend suite against Apus; see README.md.

    run.py [--jobs N] [--only TEXT] [--write]
"""

from __future__ import annotations

import argparse
import collections
import functools
import json
import multiprocessing
import os
import sys
import tempfile
import unittest
import warnings
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent
# Cases that compare random numbers, for which ONNX fixes no generator.
RANDOM = ("test_bernoulli",)


class Outcome(NamedTuple):
    """What became of a case: "passed", "failed" (not supported), "wrong", "crashed" or "excluded"."""

    name: str
    kind: str
    reason: str = ""


@functools.cache
def _cases(kind: str) -> dict[str, Any]:
    """The suite's own test methods by the name of their case; workers inherit what their parent loaded."""
    from onnx.backend.test.runner import Runner

    import apus.onnx_backend

    tests: dict[str, Any] = {}
    for case in Runner(apus.onnx_backend.ApusBackend, __name__).test_cases.values():
        if kind not in case.__name__:
            continue
        for name in unittest.TestLoader().getTestCaseNames(case):
            if name.endswith("_cpu"):
                tests[name.removesuffix("_cpu")] = (case, name)
    return tests


def _run(case: Any, name: str) -> Outcome:
    from apus.onnx_backend import Blocked

    short = name.removesuffix("_cpu")
    try:
        getattr(case(name), name)()
        return Outcome(short, "passed")
    except Blocked as blocked:
        return Outcome(short, "failed", str(blocked))
    except unittest.SkipTest as skipped:
        return Outcome(short, "failed", f"skipped: {skipped}")
    except AssertionError as error:
        if short.startswith(RANDOM):
            return Outcome(short, "failed", "its outputs are the random numbers of NumPy's generator")
        return Outcome(short, "wrong", " ".join(str(error).split())[:300])
    except Exception as error:  # whatever a case raises is its result
        return Outcome(short, "crashed" if isinstance(error, RuntimeError) else "failed", f"{type(error).__name__}: {error}")


def _worker(kind: str, pipe: Connection) -> None:
    """Answers each name with its outcome, until it is told to stop."""
    warnings.simplefilter("ignore")
    cases = _cases(kind)
    while (name := pipe.recv()) is not None:
        pipe.send(_run(*cases[name]))


class _Pool:
    """Workers that are started again when a case kills one."""

    def __init__(self, kind: str, jobs: int) -> None:
        self.kind, self.jobs = kind, jobs
        _cases(kind)

    def run(self, names: list[str]) -> list[Outcome]:
        results: list[Outcome] = []
        waiting = collections.deque(names)
        busy: dict[Connection, tuple[Any, str]] = {}
        for _ in range(min(self.jobs, len(names))):
            self._start(busy, waiting)
        while busy:
            for pipe in multiprocessing.connection.wait(list(busy), timeout=600):
                assert isinstance(pipe, Connection)
                process, name = busy.pop(pipe)
                try:
                    results.append(pipe.recv())
                except EOFError:
                    process.join()
                    results.append(Outcome(name, "crashed", f"the process ended with {process.exitcode}"))
                    self._start(busy, waiting)
                    continue
                if waiting:
                    busy[pipe] = (process, waiting[0])
                    pipe.send(waiting.popleft())
                else:
                    pipe.send(None)
                if sys.stderr.isatty() or len(results) % 200 == 0:
                    print(f"\r{len(results)} of {len(names)}", end="\n" if len(results) % 200 == 0 else "", file=sys.stderr)
        return results

    def _start(self, busy: dict[Connection, tuple[Any, str]], waiting: collections.deque[str]) -> None:
        if not waiting:
            return
        here, there = multiprocessing.Pipe()
        process = multiprocessing.Process(target=_worker, args=(self.kind, there), daemon=True)
        process.start()
        there.close()
        busy[here] = (process, waiting[0])
        here.send(waiting.popleft())


def _node_outcomes(jobs: int, only: str) -> list[Outcome]:
    from exclusions import reason
    from onnx.backend.test.loader import load_model_tests

    excluded, names = [], []
    for case in load_model_tests(kind="node"):
        if only not in case.name:
            continue
        why = reason(case.model)
        if why:
            excluded.append(Outcome(case.name, "excluded", why))
        else:
            names.append(case.name)
    return excluded + _Pool("NodeModel", jobs).run(names)


def _light_outcomes(jobs: int, only: str) -> list[Outcome]:
    with tempfile.TemporaryDirectory(prefix="apus-light-") as folder:
        os.environ["ONNX_MODELS"] = folder
        return _Pool("RealModel", jobs).run([name for name in _cases("RealModel") if only in name])


def _table(outcomes: list[Outcome]) -> str:
    lines = [
        "# Cases of ONNX's suite that do not pass", "",
        "Written by `Tests/OnnxSuite/run.py`. Excluded cases do not count; the others are operators or types that",
        "`convert-model` refuses.", "", "| case | | reason |", "|---|---|---|",
    ]  # fmt: skip
    for one in sorted(outcomes):
        if one.kind != "passed":
            lines.append(f"| {one.name} | {one.kind} | {one.reason.replace('|', '/')[:160]} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", default="", help="cases whose name holds this text; nothing is written")
    parser.add_argument("--write", action="store_true", help="write results.json and Failures.md")
    options = parser.parse_args()
    warnings.simplefilter("ignore")

    nodes = _node_outcomes(options.jobs, options.only)
    light = _light_outcomes(options.jobs, options.only)
    counts = collections.Counter(one.kind for one in nodes)
    totals = {
        "passed": counts["passed"],
        "failed": counts["failed"] + counts["wrong"] + counts["crashed"],
        "excluded": counts["excluded"],
        "total": len(nodes),
        "light_models_passed": sum(one.kind == "passed" for one in light),
    }
    print(json.dumps(totals))
    bad = [one for one in nodes + light if one.kind in ("wrong", "crashed")]
    bad += [one for one in light if one.kind == "failed"]
    for one in bad:
        print(f"{one.kind}: {one.name}: {one.reason}")
    if options.only:
        for one in nodes:
            print(f"{one.kind}: {one.name}: {one.reason}")
        return bool(bad)
    before = HERE / "results.json"
    fewer = before.exists() and json.loads(before.read_text())["passed"] > totals["passed"]
    if fewer:
        print("fewer cases pass than results.json says")
    if options.write:
        before.write_text(json.dumps(totals, indent=2) + "\n")
        (HERE / "Failures.md").write_text(_table(nodes + light))
    return bool(bad or fewer)


if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    sys.exit(main())
