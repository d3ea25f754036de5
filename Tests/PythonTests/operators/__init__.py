"""Every operator of the format in NumPy, after the table of Docs/Format.md."""

from . import attention, elementwise, image, quantized, recurrent, selection, training, values
from .registry import OPERATORS, convert, run

__all__ = [
    "OPERATORS", "attention", "convert", "elementwise", "image", "quantized", "recurrent", "run", "selection", "training",
    "values",
]
