"""ONNX's backend interface over Apus: ``prepare`` converts a model with convert-model, ``run`` runs it through libapus.

``APUS_CONVERT_MODEL`` names the converter, which is looked for in ``PATH`` otherwise. A model may need the operators of
``libapus-training``: name it in ``APUS_LIBRARY``.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional

import numpy as np
import onnx
import onnx.helper
from onnx.backend.base import Backend, BackendRep, Device, DeviceType

from ._abi import DType
from ._model import Model
from ._types import TensorInfo


class Blocked(NotImplementedError):
    """A model that convert-model refuses. ``blocks`` are the parts in its way, as in ``convert-model --report json``."""

    def __init__(self, message: str, blocks: Sequence[dict[str, Any]] = ()) -> None:
        super().__init__(message)
        self.blocks = list(blocks)


def convert(model: onnx.ModelProto, *, fixed: Optional[dict[str, np.ndarray[Any, Any]]] = None) -> bytes:
    """The .apus file of a model; the inputs in ``fixed`` become constants. Raises Blocked where it cannot be converted."""
    with tempfile.TemporaryDirectory(prefix="apus-onnx-") as folder:
        source, target = Path(folder, "model.onnx"), Path(folder, "model.apus")
        source.write_bytes(model.SerializeToString())
        command = [os.environ.get("APUS_CONVERT_MODEL", "convert-model"), str(source), "-o", str(target)]
        command += ["--quiet", "--report", "json"]
        for index, (name, value) in enumerate((fixed or {}).items()):
            path = Path(folder, f"{index}.npy")
            np.save(path, value.astype(np.float32) if value.dtype.name == "bfloat16" else value)
            command += ["--fix", f"{name}={path}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return target.read_bytes()
        message = done.stderr.strip().replace(str(source), "model").removeprefix("convert-model: ")
        if done.returncode != 2:
            raise RuntimeError(f"convert-model ended with {done.returncode}: {message}")
        blocks = json.loads(done.stdout)["blocked"] if done.stdout else []
        raise Blocked("; ".join(f"{one['op']}: {one['reason']}" for one in blocks) or message, blocks)


class ApusRep(BackendRep):
    """A converted model. Inputs that decide shapes are constants in it: it is converted again when they change."""

    def __init__(self, model: onnx.ModelProto) -> None:
        initializers = {tensor.name for tensor in model.graph.initializer}
        self._model = model
        self._names = [one.name for one in model.graph.input if one.name not in initializers]
        self._to_fix: list[str] = []
        self._key: Optional[tuple[bytes, ...]] = None
        self._converted: Optional[Model] = None
        try:
            self._converted = Model(convert(model))
        except Blocked as blocked:
            if not _only_needs_fixing(blocked):
                raise
            self._to_fix = _to_fix(blocked)

    def run(self, inputs: Any, **_: Any) -> tuple[Any, ...]:
        arrays = {name: np.asarray(value) for name, value in zip(self._names, inputs)}
        model = self._fitting(arrays)
        with model.session() as session:
            given = {one.name: _encoded(one, arrays[one.name]) for one in model.inputs}
            results = session.run(given)
            shapes = [session.output_info(one.name).shape for one in model.outputs]
        return tuple(_decoded(one, results[one.name], shape) for one, shape in zip(model.outputs, shapes))

    def _fitting(self, arrays: dict[str, np.ndarray[Any, Any]]) -> Model:
        while self._to_fix:
            key = tuple(arrays[name].tobytes() for name in self._to_fix)
            if self._converted is not None and key == self._key:
                return self._converted
            try:
                self._converted = Model(convert(self._model, fixed={name: arrays[name] for name in self._to_fix}))
                self._key = key
            except Blocked as blocked:
                more = [name for name in _to_fix(blocked) if name not in self._to_fix]
                if not more or not _only_needs_fixing(blocked):
                    raise
                self._to_fix += more
        assert self._converted is not None
        return self._converted


def _only_needs_fixing(blocked: Blocked) -> bool:
    return bool(blocked.blocks) and all(one["fix"] for one in blocked.blocks)


def _to_fix(blocked: Blocked) -> list[str]:
    return sorted({name for one in blocked.blocks for name in one["fix"]})


def _encoded(info: TensorInfo, array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """An array as Apus takes it: bf16 as bits, halves of bytes packed."""
    if info.type == DType.BF16:
        return array.view(np.uint16)
    if info.type in (DType.I4, DType.U4):
        flat = array.astype(np.int8).view(np.uint8).ravel() & 15
        flat = np.append(flat, np.zeros(flat.size % 2, np.uint8))
        return (flat[::2] | flat[1::2] << 4).astype(np.uint8)
    return array


def _decoded(info: TensorInfo, array: np.ndarray[Any, Any], shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """An array in the type that ONNX's own helpers use."""
    if info.type == DType.BF16:
        return array.view(onnx.helper.tensor_dtype_to_np_dtype(onnx.TensorProto.BFLOAT16))
    if info.type in (DType.I4, DType.U4):
        count = int(np.prod(shape))
        flat = np.stack([array & 15, array >> 4], axis=-1).ravel()[:count]
        kind = onnx.TensorProto.INT4 if info.type == DType.I4 else onnx.TensorProto.UINT4
        signed = np.where(flat > 7, flat.astype(np.int8) - 16, flat) if info.type == DType.I4 else flat
        return signed.astype(onnx.helper.tensor_dtype_to_np_dtype(kind)).reshape(shape)
    return array


class ApusBackend(Backend):
    """``onnx.backend.base.Backend``, for one CPU."""

    @classmethod
    def prepare(cls, model: onnx.ModelProto, device: str = "CPU", **kwargs: Any) -> ApusRep:
        super().prepare(model, device, **kwargs)
        return ApusRep(model)

    @classmethod
    def supports_device(cls, device: str) -> bool:
        return bool(Device(device).type == DeviceType.CPU)


prepare = ApusBackend.prepare
run_model = ApusBackend.run_model
supports_device = ApusBackend.supports_device
