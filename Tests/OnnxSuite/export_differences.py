"""Where ONNX leaves open what Apus defines: inputs for which its own evaluator, or ONNX Runtime, may give anything."""

from __future__ import annotations

from typing import Any

import numpy as np

Arrays = list[np.ndarray]


def difference(operator: str, attributes: Any, inputs: Arrays, outputs: Arrays) -> str:
    """Why a case's results may differ from those in ONNX; "" where they may not."""
    return ""
