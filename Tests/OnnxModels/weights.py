"""Random weights that keep activations sane, so that outputs are of order 1 and differences mean something."""

from __future__ import annotations

import torch
from torch import Tensor, nn

_PRODUCTS = (nn.Conv1d, nn.Conv2d, nn.ConvTranspose2d, nn.Linear)
_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)


@torch.no_grad()
def calibrate(model: nn.Module, inputs: tuple[Tensor, ...]) -> nn.Module:
    """Scales a model's own random weights in one forward pass, and leaves it ready for inference.

    Parameters that hold one value everywhere (biases, scales of norms, class tokens) get noise of 0.1. In the pass, each
    convolution and linear layer is divided by the standard deviation of its output, in the order in which they run, so
    that every one gives outputs of deviation 1 to the next; batch norms take the statistics of the batch they see. Their
    biases are about 1, for a ReLU that passes half of what it gets makes relative differences a fifth larger, and fifty of
    them rounding errors larger than any tolerance.
    """
    for parameter in model.parameters():
        if parameter.numel() == 1 or parameter.std() == 0:
            parameter.add_(0.1 * torch.randn_like(parameter))
    model.eval()
    handles = [
        module.register_forward_hook(_scale) for module in model.modules() if isinstance(module, _PRODUCTS)
    ]
    for module in model.modules():
        if isinstance(module, _BATCH_NORMS):
            module.train()
            module.momentum = 1.0
            module.bias.add_(1)
    model(*inputs)
    for handle in handles:
        handle.remove()
    return model.eval()


def _scale(module: nn.Module, _: tuple[Tensor, ...], output: Tensor) -> Tensor:
    deviation = output.std().clamp(min=1e-6)
    for parameter in module.parameters(recurse=False):
        parameter.div_(deviation)
    return output / deviation
