"""The table of runtimes for inference: how each is called and what it reads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from .paths import LIBAPUS, package_file


@dataclass(frozen=True)
class Runtime:
    name: str
    # The file that convert.py makes for it, in the model's folder.
    file: str
    # None: called from Python, by worker.py; otherwise from C, by harness.c, through this library.
    library: Callable[[], Path] | None
    channels_last: bool = False
    integers: str = "i64"
    # What the results call it; two ways to call one package share a name.
    package: str = ""

    @property
    def rival(self) -> str:
        return self.package or self.name


RUNTIMES = {
    runtime.name: runtime
    for runtime in (
        Runtime("apus", "model.apus", lambda: LIBAPUS),
        Runtime("onnxruntime", "model.onnx", lambda: package_file("onnxruntime/capi/libonnxruntime.so.*")),
        Runtime("litert", "model.tflite", lambda: package_file("ai_edge_litert/libLiteRt.so"), True, "i32"),
        Runtime("litert-interpreter", "model.tflite", None, True, "i32", "litert"),
        Runtime("openvino", "model.xml", lambda: package_file("openvino/libs/libopenvino_c.so.*")),
        Runtime("ncnn", "model.ncnn.param", None, False, "i32"),
        Runtime("pytorch", "model.pt", None),
        Runtime("pytorch-compile", "", None, package="pytorch"),
    )
}
