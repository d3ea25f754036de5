"""Where ONNX leaves open what Apus defines: on such inputs ONNX Runtime and ONNX's own evaluator may give anything."""

from __future__ import annotations

from typing import Any

import numpy as np

Arrays = list[np.ndarray]

# Of what is no number ONNX does not say whether it is greater.
ORDERING = ("max_pool", "global_max_pool", "reduce_max", "reduce_min", "arg_max", "arg_min", "max", "min", "sign", "clip", "relu")
# x·f(x) with f(−∞) = 0, of which Apus gives the limit.
GATED = ("gelu", "silu", "hard_swish")


def difference(operator: str, attributes: Any, inputs: Arrays, outputs: Arrays) -> str:
    """Why a case's results may differ from those of ONNX; "" where they may not."""
    x = inputs[0] if inputs else np.zeros(0)
    is_float = x.dtype.kind == "f"
    if operator in ORDERING and is_float and any(np.isnan(one).any() for one in inputs if one.dtype.kind == "f"):
        return "NaN among the elements"
    if operator in GATED and is_float and np.isneginf(x).any():
        return "an element of −∞"
    if operator == "reduce_mean" and x.size == 0:
        return "the mean of nothing"
    if operator in ("gather", "gather_gradient"):
        length = inputs[0 if operator == "gather" else 2].shape[attributes.axis]
        if ((inputs[1] < -length) | (inputs[1] >= length)).any():
            return "an index outside of the table"
    # Its table is no input; Apus gives zeros for a row that it has not.
    if operator == "weight_only_gather" and outputs[0].size > 0 and (outputs[0] == 0).all(axis=-1).any():
        return "an index outside of the table"
    if operator == "cast" and is_float and outputs[0].dtype.kind in "iu":
        limits = np.iinfo(outputs[0].dtype)
        if not ((x > limits.min - 1.0) & (x < limits.max + 1.0)).all():
            return "a number beyond the integer type"
    if operator in ("rnn", "gru", "lstm"):
        lengths = [one for one in inputs if one.dtype.kind == "i"]
        if x.size == 0 or any((one <= 0).any() for one in lengths):
            return "a sequence of no step, or no sequence"
    if operator == "pow" and x.dtype.kind in "iu":
        limits = np.iinfo(np.int32 if x.dtype.itemsize < 4 else x.dtype)
        for base, exponent in zip(*(one.ravel().tolist() for one in np.broadcast_arrays(*inputs))):
            if exponent < 0 or not limits.min <= base**exponent <= limits.max:
                return "an integer power that is no integer of its type"
    return ""
