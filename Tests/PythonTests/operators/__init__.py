"""Every operator of the format in NumPy, after the table of Docs/Format.md."""

from . import elementwise, image, selection, training, values
from .registry import OPERATORS, convert, run

__all__ = ["OPERATORS", "convert", "elementwise", "image", "run", "selection", "training", "values"]
