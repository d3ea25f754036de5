"""Every operator of the format in NumPy, after the table of Docs/Format.md."""

from . import attention, elementwise, image, recurrent, selection, training, values
from .registry import OPERATORS, convert, run

__all__ = ["OPERATORS", "attention", "convert", "elementwise", "image", "recurrent", "run", "selection", "training", "values"]
