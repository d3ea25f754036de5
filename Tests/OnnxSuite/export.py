"""Exports Apus files to ONNX and compares ONNX's checker, ONNX Runtime and the way back with them; see README.md.

    export.py --models FOLDER... --cases FOLDER [--only TEXT]

|found − wanted| ≤ 1e-4·|wanted| + 1e-5·scale, where scale is 1, or the largest finite |wanted| below 1000 if that is more.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any, Optional

import numpy as np
import onnx
import onnxruntime
from export_differences import difference
from onnx.reference import ReferenceEvaluator

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests" / "PythonTests"))
import operators  # noqa: E402
import reader  # noqa: E402

RTOL, ATOL, BACK = 1e-4, 1e-5, 1e-6
# Of a quantized model's outputs: codes within it that round to the other side in ONNX Runtime change all that follows.
CODES = 2e-2
# Whose outputs have as many rows as data decide, and others after them.
COUNTED = ("non_zero", "non_max_suppression", "trim")
Arrays = dict[str, np.ndarray]


class Refused(Exception):
    """convert-model will not export the file."""


def convert(source: Path, target: Path, *options: str) -> None:
    done = subprocess.run(
        [os.environ["APUS_CONVERT_MODEL"], str(source), "-o", str(target), "--quiet", "--report", "json", *options],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode == 2 and done.stdout and not target.exists():
        blocks = json.loads(done.stdout)["blocked"]
        raise Refused("; ".join(sorted({f"{one['op']}: {one['reason']}" for one in blocks})))
    if done.returncode != 0:
        raise AssertionError(f"convert-model ended with {done.returncode}: {done.stderr.strip()}")


def real(array: np.ndarray) -> np.ndarray:
    return operators.convert(array, np.dtype("<f8")) if array.dtype in operators.registry.FLOATS else array


def wrong(
    found: np.ndarray, wanted: np.ndarray, relative: float = RTOL, absolute: float = ATOL, codes: int = 0
) -> str:
    """What is wrong with `found`, or nothing; `codes` is how far apart integers may be."""
    if found.shape != wanted.shape or found.dtype.itemsize != wanted.dtype.itemsize:
        return f"{found.dtype}{list(found.shape)}, wanted {wanted.dtype}{list(wanted.shape)}"
    if wanted.dtype not in operators.registry.FLOATS:
        far = np.abs(found.astype(np.int64) - wanted.astype(np.int64)) > codes if codes else found != wanted
        return f"{far.sum()} of {found.size} elements differ" if far.any() else ""
    if wanted.dtype == reader.BF16:
        found = found.view(np.uint16).view(reader.BF16)
    found, wanted = real(found), real(wanted)
    usual = np.abs(wanted[np.isfinite(wanted) & (np.abs(wanted) < 1000)])
    scale = max(1.0, usual.max(initial=0.0))
    with np.errstate(invalid="ignore"):
        near = np.abs(found - wanted) <= relative * np.abs(wanted) + absolute * scale
    same = near & np.isfinite(wanted) | (found == wanted) | (np.isnan(found) & np.isnan(wanted))
    if same.all():
        return ""
    place = tuple(np.argwhere(~same)[0])
    return f"element {[int(i) for i in place]} is {found[place]}, wanted {wanted[place]}; {(~same).sum()} differ"


class Onnx:
    """An ONNX model: checked, and run by ONNX Runtime, or by ONNX's own evaluator where that lacks a kernel, or where an
    edge is of bfloat16, which its Python interface does not take."""

    _session: Any

    def __init__(self, path: Path, plain: bool = False) -> None:
        """`plain`: opened with all optimizations, and run without any."""
        onnx.checker.check_model(str(path), full_check=True)
        self.graph = onnx.load(str(path), load_external_data=False).graph
        edges = [*self.graph.input, *self.graph.output]
        if any(one.type.tensor_type.elem_type == onnx.TensorProto.BFLOAT16 for one in edges):
            self.runtime, self._session = "onnx.reference", ReferenceEvaluator(str(path))
            return
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.intra_op_num_threads = 1
        # Else products of 4-bit weights round the activations to 8 bits.
        options.add_session_config_entry("session.qdq_matmulnbits_accuracy_level", "1")
        self.runtime = "ONNX Runtime"
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
            if plain:
                options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
                self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its exceptions have no common base but this
            if "NOT_IMPLEMENTED" not in str(error):
                raise
            self.runtime, self._session = "onnx.reference", ReferenceEvaluator(str(path))

    @property
    def operators(self) -> list[str]:
        return [node.op_type for node in self.graph.node]

    def run(self, inputs: Arrays) -> list[np.ndarray]:
        return [np.asarray(one) for one in self._session.run(None, inputs)]


# ---- Models ---------------------------------------------------------------------------------------------------------


def check_model(path: Path, folder: Path) -> str:
    """A model at several batch sizes in ONNX Runtime, in libapus, and in libapus after the way back. Returns a summary."""
    import apus

    target, back = folder / "model.onnx", folder / "back.apus"
    convert(path, target)
    # Of products of two computed matrices between codes, ONNX Runtime makes integer products where these are real.
    operators_here = {node.operator for node in reader.Model(path).message.functions[0].nodes}
    plain = "int8" in path.stem and bool(operators_here & {"mat_mul", "attention"})
    exported = Onnx(target, plain)
    assert exported.runtime == "ONNX Runtime", "no kernels for it"
    model = apus.Model(str(path))
    symbols = {one.name: one for one in model.dimensions}
    convert(target, back, *(f"--dim={name}={one.minimum}:{one.maximum}" for name, one in symbols.items()))
    random = np.random.default_rng(1)
    worst = worst_back = 0.0
    sizes = sorted({min(size, one.maximum) for one in symbols.values() for size in (1, 2, 3, 8)} or {1})
    for size in sizes:
        dimensions = dict.fromkeys(symbols, size)
        with model.session(dimensions=dimensions) as session, apus.Model(str(back)).session(dimensions=dimensions) as again:
            inputs = {}
            for one in model.inputs:
                shape = session.input_info(one.name).shape
                inputs[one.name] = random.uniform(-1, 1, shape).astype(one.dtype)
            wanted, returned = session.run(inputs), again.run(inputs)
            tolerance = CODES if "int8" in path.stem else ATOL
            for one, found in zip(model.outputs, exported.run(inputs)):
                if error := wrong(found, wanted[one.name], absolute=tolerance):
                    raise AssertionError(f"batch {size}, output '{one.name}' in ONNX Runtime: {error}")
                if error := wrong(returned[one.name], wanted[one.name], BACK, BACK):
                    raise AssertionError(f"batch {size}, output '{one.name}' on the way back: {error}")
                worst = max(worst, float(np.abs(found - wanted[one.name]).max(initial=0)))
                worst_back = max(worst_back, float(np.abs(returned[one.name] - wanted[one.name]).max(initial=0)))
    names = [one.name for one in exported.graph.input] + [one.name for one in exported.graph.output]
    assert names == [one.name for one in (*model.inputs, *model.outputs)], f"names {names}"
    external(path, folder, exported, inputs, plain)
    transposes = exported.operators.count("Transpose")
    return (
        f"{len(exported.operators)} nodes, {transposes} transposes; batches {sizes}: at most {worst:.1e} from ONNX Runtime, "
        f"{worst_back:.1e} after the way back"
    )


def external(path: Path, folder: Path, embedded: Onnx, inputs: Arrays, plain: bool) -> None:
    """The same model with its weights beside it computes the same."""
    target = folder / "external.onnx"
    convert(path, target, "--external-data")
    beside = Onnx(target, plain)
    weights = folder / "external.onnx.data"
    small = all(np.prod(tensor.dims) * 4 < 1024 for tensor in embedded.graph.initializer)
    assert small or weights.stat().st_size > 0, "no weights beside the model"
    for a, b in zip(embedded.run(inputs), beside.run(inputs)):
        assert np.array_equal(a, b), "other results with external data"


# ---- Cases ----------------------------------------------------------------------------------------------------------


def check_case(path: Path, folder: Path) -> tuple[str, str]:
    """How the case of one operator went, and why it was skipped."""
    model = reader.Model(path)
    node = model.message.functions[0].nodes[0]
    target, back = folder / "case.onnx", folder / "case-back.apus"
    for file in (target, back):
        file.unlink(missing_ok=True)
    ((_, inputs, outputs, (_, absolute)),) = model.goldens()
    try:
        convert(path, target, "--keep")
    except Refused as refused:
        return "refused", str(refused)
    exported = Onnx(target)
    reason = difference(node.operator, getattr(node, node.operator), inputs, outputs)
    names = [one.name for one in exported.graph.input]
    given = {name: runnable(array) for name, array in zip(names, inputs)}
    if reason and any(array.size == 0 for array in inputs):
        return "differs", reason  # some kernels of ONNX Runtime end the process
    try:
        found = exported.run(given)
    except Exception as error:
        if reason:
            return "differs", reason
        raise AssertionError(f"{exported.runtime}: {error}") from error
    # A quotient may round to the other side; multipliers come back as those next to them.
    codes = int("quantize" in node.operator or node.operator == "lookup")
    for i, (f, w) in enumerate(zip(found, outputs)):
        if error := wrong(f, w, absolute=max(ATOL, absolute), codes=codes):
            if reason:
                return "differs", reason
            raise AssertionError(f"output {i} in {exported.runtime}: {error}")
    try:
        way_back(target, back, inputs, outputs, codes)
    except Refused as refused:
        # In a model such rows are trimmed to their number, and then need no padding in ONNX.
        if node.operator not in COUNTED:
            raise
        return "not imported again", str(refused)
    return exported.runtime, ""


def runnable(array: np.ndarray) -> np.ndarray:
    """In the types that the oracles take."""
    if array.dtype == reader.BF16:
        import ml_dtypes

        return array.view(np.uint16).view(ml_dtypes.bfloat16).reshape(array.shape)
    return array


def way_back(source: Path, target: Path, inputs: list[np.ndarray], outputs: list[np.ndarray], codes: int) -> None:
    """The exported file, imported again, computes the same in the second reader."""
    convert(source, target)
    model = reader.Model(target)
    found, _ = model.run("predict", inputs)
    for i, (f, w) in enumerate(zip(found, outputs)):
        # The golden outputs are f32 results of the library; the second reader computes in f64.
        if error := wrong(f, w, codes=codes):
            raise AssertionError(f"output {i} after the way back: {error}")


# ---- All ------------------------------------------------------------------------------------------------------------


def attempt(check: Any, path: Path, folder: Path, failures: list[str]) -> Optional[Any]:
    try:
        return check(path, folder)
    except Exception as error:  # whatever a case raises is its result
        failures.append(f"{path.name}: {type(error).__name__}: {' '.join(str(error).split())[:600]}")
        return None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, nargs="*", default=[])
    parser.add_argument("--cases", type=Path)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    failures: list[str] = []
    with tempfile.TemporaryDirectory(prefix="apus-export-") as name:
        folder = Path(name)
        models = [path for one in options.models for path in sorted(one.glob("*.apus")) if options.only in path.name]
        for path in models:
            if summary := attempt(check_model, path, folder, failures):
                print(f"{path.stem}: {summary}")
        assert models or options.only or not options.models, "no models"
        counts: collections.Counter[str] = collections.Counter()
        if options.cases:
            cases = [path for path in sorted(options.cases.glob("*.apus")) if options.only in path.name]
            for path in cases:
                kind, reason = attempt(check_case, path, folder, failures) or ("failed", "")
                counts[kind] += 1
                if reason:
                    print(f"{path.stem}: {kind}: {reason}")
            print(json.dumps({"cases": len(cases), **counts}))
    for failure in failures:
        print(f"FAILED {failure}")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
