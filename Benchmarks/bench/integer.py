"""The inference benchmark on integers: each runtime's own int8 model, and those of integer weights alone."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from typing import Iterator

from .convert import folder
from .inference import measure_model, omission, progress
from .machine import Machine
from .models import INFERENCE
from .paths import BENCHMARKS
from .pace import Pace
from .prepare import prepare
from .report import Omission, Row
from .rounds import Effort
from .runtimes import RUNTIMES, Runtime
from .workers import Failed, environment, python_module

# By type: the models, the largest error of a result (of its largest value, to the f32 result of PyTorch) and the runtimes.
# Weights are random, so activations have no structure that rounding could spare.
INT8 = ["mlp-784-1024-1024-10", "mnist-cnn", "cifar-cnn", "resnet18", "resnet50", "mobilenet_v2", "minilm"]
TYPES: dict[str, tuple[list[str], float, list[str]]] = {
    "int8": (INT8, 0.35, ["onnxruntime", "litert", "openvino"]),
    "w8": (["mlp-784-1024-1024-10", "minilm"], 0.03, ["onnxruntime"]),
    "w4": (["mlp-784-1024-1024-10", "minilm"], 0.35, ["onnxruntime"]),
}


def run(models: list[str], runtimes: list[str], threads: list[int], effort: Effort,
        machine: Machine, pace: Pace) -> Iterator[tuple[list[Row], list[Omission]]]:
    """Yields what each model and type gave as soon as it is measured."""
    for kind, (of_type, tolerance, rivals) in TYPES.items():
        for model in models:
            if model in of_type:
                names = [name for name in runtimes if name == "apus" or name in rivals]
                yield _run(model, kind, tolerance, names, threads, effort, machine, pace)


def _run(model: str, kind: str, tolerance: float, names: list[str], threads: list[int], effort: Effort,
         machine: Machine, pace: Pace) -> tuple[list[Row], list[Omission]]:
    rows: list[Row] = []
    omissions: list[Omission] = []
    ready: list[Runtime] = []
    progress(f"{model}: PyTorch")
    prepare(model, "pytorch")
    if "openvino" in names and "onnxruntime" not in names:
        _quantize(model, kind, "onnxruntime")
    for name in sorted(names, key=lambda name: name == "openvino"):
        progress(f"{model}, {kind}: a file for {name}")
        try:
            _quantize(model, kind, name)
            stem, _, ending = RUNTIMES[name].file.partition(".")
            ready.append(replace(RUNTIMES[name], file=f"{stem}-{kind}.{ending}"))
        except Failed as error:
            omissions.append(omission(model, name, error, kind))
    for count in threads:
        measured, failed = measure_model(model, INFERENCE[model](), ready, count, effort, machine, pace, kind, tolerance)
        rows += measured
        omissions += failed
        ready = [runtime for runtime in ready if runtime.name not in {one.runtime for one in failed}]
    return rows, omissions


def _quantize(model: str, kind: str, tool: str) -> None:
    done = subprocess.run(
        list(map(str, python_module("quantize", model, kind, tool))), cwd=BENCHMARKS, env=environment(1), capture_output=True,
        text=True)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise Failed(lines[-1].strip() if lines else f"the tool ended with exit code {done.returncode}")
    assert folder(model).exists()
