"""The models, a row for each: name, network, example inputs, and the axes that may be symbolic."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import suppression
import torch
from torch import Tensor, nn

suppression.define()

import networks  # noqa: E402
import torchvision.models as vision  # noqa: E402

# Bounds of the symbolic dimensions, and the sizes within them at which a model with such dimensions runs.
BOUNDS = {"batch": (1, 4), "length": (2, 24), "height": (64, 256), "width": (64, 256)}
RUNS: tuple[dict[str, int], ...] = (
    {"batch": 2, "length": 16, "height": 224, "width": 224},
    {"batch": 1, "length": 5, "height": 64, "width": 201},
    {"batch": 4, "length": 24, "height": 160, "width": 96},
)

Axes = Mapping[str, Mapping[int, str]]


class Row(NamedTuple):
    """A model. ``inputs`` makes its inputs, by name and in order, at the sizes it is given; without ``axes`` only its
    sizes in ``fixed`` are tried, with them symbolic dimensions too. ``keeps`` are the symbols that an exporter makes the
    sizes of its example, whatever it is told."""

    name: str
    build: Callable[[], nn.Module]
    inputs: Callable[[Mapping[str, int]], dict[str, Tensor]]
    axes: Axes = {}
    fixed: Mapping[str, int] = RUNS[0]
    keeps: Mapping[str, str] = {}

    def symbolic(self, exporter: str) -> Axes:
        """The axes that are symbolic in what an exporter writes."""
        kept = self.keeps.get(exporter)
        return {name: {axis: symbol for axis, symbol in axes.items() if symbol != kept} for name, axes in self.axes.items()}


def _image(size: int = 224) -> Callable[[Mapping[str, int]], dict[str, Tensor]]:
    return lambda sizes: {"image": torch.randn(sizes["batch"], 3, size, size)}


def _free_image(sizes: Mapping[str, int]) -> dict[str, Tensor]:
    return {"image": torch.randn(sizes["batch"], 3, sizes["height"], sizes["width"])}


def _sequence(sizes: Mapping[str, int]) -> dict[str, Tensor]:
    return {"sequence": torch.randn(sizes["length"], sizes["batch"], networks.FEATURES)}


def _tokens(sizes: Mapping[str, int]) -> dict[str, Tensor]:
    """Token numbers and a mask that hides the ends of all but the first sequence of a batch."""
    batch, length = sizes["batch"], sizes["length"]
    lengths = torch.linspace(length, max(1, length // 2), batch).round()
    return {
        "input_ids": torch.randint(networks.VOCABULARY, (batch, length)),
        "attention_mask": (torch.arange(length) < lengths[:, None]).long(),
    }


_BATCH = {"image": {0: "batch"}}
_FREE = {"image": {0: "batch", 2: "height", 3: "width"}}
_STEPS = {"sequence": {0: "length", 1: "batch"}}
_TOKENS = {"input_ids": {0: "batch", 1: "length"}, "attention_mask": {0: "batch", 1: "length"}}
_ONE = {**RUNS[0], "batch": 1}

MODELS = (
    Row("lstm", networks.lstm, _sequence, _STEPS, keeps={"dynamo": "length"}),
    Row("gru", networks.gru, _sequence, _STEPS, keeps={"dynamo": "length"}),
    Row("bert", networks.bert, _tokens, _TOKENS),
    Row("distilbert", networks.distilbert, _tokens, _TOKENS),
    Row("gpt2", networks.gpt2, _tokens, _TOKENS),
    Row("unet", networks.UNet, _image(64), _BATCH),
    Row("ssd", networks.Detector, _image(128), fixed=_ONE),
    Row("squeezenet1_1", vision.squeezenet1_1, _image(), _BATCH, _ONE),
    Row("shufflenet_v2_x1_0", vision.shufflenet_v2_x1_0, _image(), _BATCH, _ONE),
    Row("mobilenet_v2", vision.mobilenet_v2, _image(), _BATCH, _ONE),
    Row("mobilenet_v3_large", vision.mobilenet_v3_large, _image(), _BATCH, _ONE),
    Row("efficientnet_b0", vision.efficientnet_b0, _image(), fixed=_ONE),
    Row("regnet_y_400mf", vision.regnet_y_400mf, _image(), fixed=_ONE),
    Row("resnet18", vision.resnet18, _free_image, _FREE, _ONE),
    Row("googlenet", lambda: vision.googlenet(init_weights=False), _image(), fixed=_ONE),
    Row("densenet121", vision.densenet121, _image(), fixed=_ONE),
    Row("resnet50", vision.resnet50, _image(), fixed=_ONE),
    Row("inception_v3", lambda: vision.inception_v3(init_weights=False), _image(299), fixed=_ONE),
    Row("convnext_tiny", lambda: vision.convnext_tiny(layer_scale=1.0), _image(), fixed=_ONE),
    Row("swin_t", vision.swin_t, _image(), _BATCH, _ONE),
    Row("vit_b_16", vision.vit_b_16, _image(), _BATCH, _ONE),
    Row("vgg16", vision.vgg16, _image(), fixed=_ONE),
)
