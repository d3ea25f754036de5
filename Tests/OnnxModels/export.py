"""A model of the list as an ONNX file, by one of PyTorch's exporters."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Mapping
from pathlib import Path

import torch
from models import BOUNDS, Row
from torch import Tensor, nn
from weights import calibrate

EXPORTERS = ("legacy", "dynamo")
SEED = 20


def model_of(row: Row) -> nn.Module:
    """The network with seeded weights, calibrated on a batch of 4, for one example has no statistics where 1×1 is left."""
    torch.manual_seed(SEED)
    return calibrate(row.build(), tuple(row.inputs({**row.fixed, "batch": 4}).values()))


def inputs_of(row: Row, sizes: Mapping[str, int]) -> dict[str, Tensor]:
    torch.manual_seed(SEED + 1)
    return row.inputs(sizes)


def export(model: nn.Module, row: Row, exporter: str, path: Path, *, symbolic: bool) -> None:
    """Writes the model, at the version of the operator set that its exporter chooses; quietly, and raises what it raises."""
    inputs = inputs_of(row, row.fixed if not symbolic else {**row.fixed, "batch": 2})
    options: dict[str, object] = {"dynamo": exporter == "dynamo"}
    if symbolic and exporter == "dynamo":
        symbols = {name: torch.export.Dim(name, min=low, max=high) for name, (low, high) in BOUNDS.items()}
        options["dynamic_shapes"] = tuple(
            {axis: symbols[name] for axis, name in row.symbolic(exporter).get(one, {}).items()} for one in inputs
        )
    elif symbolic:
        options["dynamic_axes"] = {name: dict(axes) for name, axes in row.symbolic(exporter).items()}
    logging.disable(logging.WARNING)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        torch.onnx.export(model, tuple(inputs.values()), str(path), input_names=list(inputs), **options)  # type: ignore[arg-type]
