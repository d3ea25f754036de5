"""Operators by the name of their field in apus.proto.

A function takes the attributes and the inputs, floats widened to float64, and returns one output or several. Outputs
of float64 are rounded to the type of the first float input."""

from __future__ import annotations

from typing import Any, Callable

import numpy as np
from reader import BF16, DTYPES

OPERATORS: dict[str, Callable] = {}
CODED: set[str] = set()
FLOATS = (np.dtype("<f4"), np.dtype("<f8"), np.dtype("<f2"), BF16)


def operator(function: Callable) -> Callable:
    OPERATORS[function.__name__.rstrip("_")] = function
    return function


def coded(function: Callable) -> Callable:
    """An operator that takes numbers as they are, after the (scale, zero point) of each input and of the output, None for
    those that are no codes."""
    CODED.add(function.__name__)
    return operator(function)


def run(node: Any, inputs: list[np.ndarray], codes: list[Any], output: Any) -> list[np.ndarray]:
    attributes = getattr(node, node.operator)
    if node.operator in CODED:
        with np.errstate(all="ignore"):
            return [np.asarray(OPERATORS[node.operator](attributes, codes, output, *inputs))]
    if node.operator == "pad" and codes[0] is not None:
        attributes.value = float(codes[0][1])
    kind = next((x.dtype for x in inputs if x.dtype in FLOATS), np.dtype("<f4"))
    with np.errstate(all="ignore"):
        if node.operator == "cast":
            return [convert(inputs[0], DTYPES[attributes.dtype])]
        wide = [convert(x, np.dtype("<f8")) if x.dtype in FLOATS else x for x in inputs]
        results = OPERATORS[node.operator](attributes, *wide)
        results = results if isinstance(results, (tuple, list)) else [results]
        return [convert(y, kind) if y.dtype == np.float64 else np.asarray(y) for y in map(np.asarray, results)]


def convert(x: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Cast: floats to nearest, halves to even; to integers toward zero, clamped, NaN to 0; integers keep low bits."""
    if x.dtype == BF16:
        x = (x["bf16"].astype(np.uint32) << 16).view(np.float32)
    if dtype == BF16:
        bits = x.astype(np.float32).view(np.uint32).astype(np.uint64)
        rounded = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16
        rounded = np.where(np.isnan(x.astype(np.float32)), bits >> 16 | 64, rounded)
        return np.ascontiguousarray(rounded.astype(np.uint16)).view(BF16).reshape(x.shape)
    if dtype == np.bool_:
        return x != 0
    if np.issubdtype(dtype, np.integer) and np.issubdtype(x.dtype, np.floating):
        low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
        inside = np.where((x > low) & (x < high), x, 0)
        y = np.trunc(inside).astype(dtype)
        return np.where(x >= high, np.array(high, dtype), np.where(x <= low, np.array(low, dtype), y))
    return x.astype(dtype)
