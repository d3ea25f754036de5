"""Runs .apus neural networks: ``Model(path).session().run({"x": array})``."""

from ._abi import VERSION as __version__
from ._abi import DType, Status, library
from ._model import Model
from ._session import Session
from ._types import Dimension, Error, Function, ProfileEntry, TensorInfo, aligned_empty


def version() -> str:
    """The version of the libapus in use."""
    return str(library().apus_version().decode())


__all__ = [
    "DType", "Dimension", "Error", "Function", "Model", "ProfileEntry", "Session", "Status", "TensorInfo",
    "aligned_empty", "version", "__version__",
]  # fmt: skip
