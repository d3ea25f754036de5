"""One case: a model exported, converted, run by Apus and by ONNX Runtime, and what came of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Optional

import numpy as np

RELATIVE, ABSOLUTE = 1e-3, 1e-5
Array = np.ndarray[Any, np.dtype[Any]]


@dataclass
class Result:
    """What became of a case; what was not reached is None. ``error`` is relative to the tolerance, so 1 is the limit."""

    model: str
    exporter: str
    dimensions: str
    opset: Optional[int] = None
    onnx_nodes: Optional[int] = None
    apus_nodes: Optional[int] = None
    seconds: Optional[float] = None
    peak_mb: Optional[float] = None
    file_mb: Optional[float] = None
    error: Optional[float] = None
    library: str = ""
    reason: str = ""

    @property
    def agrees(self) -> bool:
        return not self.reason

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "agrees": self.agrees}


class Failed(Exception):
    """What went wrong, in a line."""


def check(name: str, exporter: str, symbolic: bool) -> Result:
    """Runs a case; everything but a crash ends in its result."""
    from models import BOUNDS, MODELS, RUNS

    row = next(row for row in MODELS if row.name == name)
    used = sorted({symbol for axes in row.symbolic(exporter).values() for symbol in axes.values()}) if symbolic else []
    bounds = [f"{symbol}={BOUNDS[symbol][0]}:{BOUNDS[symbol][1]}" for symbol in used]
    result = Result(name, exporter, " ".join(bounds) or "fixed")
    with tempfile.TemporaryDirectory(prefix="apus-models-") as folder:
        try:
            source, target = Path(folder, "model.onnx"), Path(folder, "model.apus")
            _export(result, row, source, symbolic)
            _convert(result, source, target, bounds)
            runs = [{**row.fixed, **{symbol: sizes[symbol] for symbol in used}} for sizes in RUNS] if symbolic else [row.fixed]
            _compare(result, row, source, target, runs)
        except Failed as failed:
            result.reason = str(failed)
    return result


def _export(result: Result, row: Any, path: Path, symbolic: bool) -> None:
    import onnx
    from export import export, model_of

    try:
        export(model_of(row), row, result.exporter, path, symbolic=symbolic)
    except Exception as error:  # whatever an exporter raises is what came of the case
        raise Failed(f"the exporter: {type(error).__name__}: {_line(str(error))}") from error
    model = onnx.load(path, load_external_data=False)
    result.opset = next(one.version for one in model.opset_import if not one.domain)
    result.onnx_nodes = len(model.graph.node)


def _convert(result: Result, source: Path, target: Path, bounds: Sequence[str]) -> None:
    command = [os.environ.get("APUS_CONVERT_MODEL", "convert-model"), str(source), "-o", str(target), "--json"]
    for one in bounds:
        command += ["--dim", one]
    measured = target.with_suffix(".json")
    measure = [sys.executable, "-S", str(Path(__file__).with_name("measure.py")), str(measured)]
    done = subprocess.run(measure + command, capture_output=True, text=True, check=True)
    figures = json.loads(measured.read_text())
    result.seconds, result.peak_mb = figures["seconds"], figures["peak_mb"]
    if figures["code"] != 0:
        raise Failed(_complaint(figures["code"], done.stdout, done.stderr.replace(str(source), "model")))
    report = done.stdout
    result.apus_nodes = json.loads(report)["passes"][-1]["nodes"]
    result.file_mb = target.stat().st_size / 2**20


def _complaint(code: int, report: str, errors: str) -> str:
    """The first part of the model in the way and how many more there are, or the last line of complaints."""
    try:
        first, *others = json.loads(report)["blocked"]
    except ValueError:
        lines = errors.strip().splitlines() or ["no word"]
        return f"convert-model ended with {code}: {lines[-1].removeprefix('convert-model: ')}"
    more = f", and {len(others)} more" if others else ""
    return f"{first['op']} {', '.join(first['shapes'])}: {first['reason']}{more}"


def _compare(result: Result, row: Any, source: Path, target: Path, runs: Sequence[Mapping[str, int]]) -> None:
    import onnxruntime
    from export import inputs_of

    import apus

    try:
        model, result.library = _open(target)
        session = model.session()
    except apus.Error as error:
        raise Failed(f"libapus: {error}") from error
    reference = onnxruntime.InferenceSession(source, providers=["CPUExecutionProvider"])
    result.error = 0.0
    for sizes in runs:
        inputs = {name: tensor.numpy() for name, tensor in inputs_of(row, sizes).items()}
        try:
            found = session.run({one.name: inputs[one.name] for one in model.inputs})
        except apus.Error as error:
            raise Failed(f"libapus at {dict(sizes)}: {error}") from error
        names = [one.name for one in reference.get_outputs()]
        wanted = dict(zip(names, reference.run(names, {one.name: inputs[one.name] for one in reference.get_inputs()})))
        for name in names:
            result.error = max(result.error, difference(name, found[name], wanted[name]))
    if result.error > 1:
        raise Failed(f"an error of {result.error:.3g} times the tolerance")


def _open(path: Path) -> tuple[Any, str]:
    """The model in libapus, or, where it has operators that only libapus-training has, in that."""
    import apus
    from apus import _abi

    small = Path(os.environ["APUS_LIBRARY"])
    try:
        return apus.Model(path), small.stem
    except apus.Error as error:
        if error.status != apus.Status.UNSUPPORTED:
            raise
    large = small.with_name("libapus-training.so")
    os.environ["APUS_LIBRARY"] = str(large)
    _abi.library.cache_clear()
    return apus.Model(path), large.stem


def difference(name: str, found: Array, wanted: Array) -> float:
    """The largest error of an output, relative to its tolerance of 1e-3·|wanted| + 1e-5·max |wanted|."""
    if found.shape != wanted.shape:
        raise Failed(f"output '{name}' of shape {list(found.shape)}, wanted {list(wanted.shape)}")
    if wanted.dtype.kind not in "f":
        if not np.array_equal(found, wanted):
            raise Failed(f"output '{name}': {np.count_nonzero(found != wanted)} of {wanted.size} elements differ")
        return 0.0
    a, b = found.astype(np.float64), wanted.astype(np.float64)
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise Failed(f"output '{name}' is not finite")
    if not 0.01 < np.abs(b).max(initial=0) < 1000:
        raise Failed(f"output '{name}' is at most {np.abs(b).max(initial=0):.3g}, wanted an order of 1")
    return float((np.abs(a - b) / (RELATIVE * np.abs(b) + ABSOLUTE * np.abs(b).max())).max(initial=0))


def _line(text: str) -> str:
    return " ".join(text.split())[:200]
