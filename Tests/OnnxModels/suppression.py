"""`torchvision::nms`, also where torchvision was built for another build of PyTorch: then its own operators cannot be
loaded, and it cannot be imported unless this one is defined."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import torch
from torch import Tensor

_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


def define() -> None:
    """To be called before torchvision is imported."""
    package = importlib.util.find_spec("torchvision")
    assert package is not None and package.origin is not None
    try:
        torch.ops.load_library(Path(package.origin).with_name("_C.so"))
    except OSError:
        for name in ("torchvision::nms", "torchvision::qnms"):  # both are looked up when torchvision is imported
            torch.library.define(name, _SCHEMA)
        torch.library.impl("torchvision::nms", "CPU", _suppress)


def _suppress(boxes: Tensor, scores: Tensor, threshold: float) -> Tensor:
    """Indices of the boxes [n, (x1, y1, x2, y2)], best first, that no better one kept overlaps by more than a threshold."""
    area = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    order = scores.argsort(descending=True)
    kept = []
    while order.numel() > 0:
        best, order = order[0], order[1:]
        kept.append(best)
        low, high = boxes[best, :2].maximum(boxes[order, :2]), boxes[best, 2:].minimum(boxes[order, 2:])
        common = (high - low).clamp(min=0).prod(1)
        order = order[common <= threshold * (area[best] + area[order] - common)]
    return torch.stack(kept) if kept else order
