"""The table of runtimes for inference: how each is called and what it reads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from .paths import LIBAPUS, package_file


@dataclass(frozen=True)
class Runtime:
    name: str
    # The converter (convert.py) and the file of it that the runtime reads.
    converter: str
    file: str
    # None: called from Python, by worker.py; otherwise from C, by harness.c, through this library.
    library: Callable[[], Path] | None
    channels_last: bool = False
    integers: str = "i64"


# What keeps runtimes to an instruction set below the processor's best: each variable is read by one library. MLAS (ONNX
# Runtime), XNNPACK (LiteRT) and ncnn choose by the processor alone.
SWITCHES = {
    "avx2": {
        "APUS_ISA": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        "ATEN_CPU_CAPABILITY": "avx2", "XLA_FLAGS": "--xla_cpu_max_isa=AVX2",
    },
}
WITHOUT_SWITCH = ["onnxruntime", "litert", "litert-interpreter", "ncnn"]

RUNTIMES = {
    runtime.name: runtime
    for runtime in (
        Runtime("apus", "apus", "model.apus", lambda: LIBAPUS),
        Runtime("onnxruntime", "pytorch", "model.onnx", lambda: package_file("onnxruntime/capi/libonnxruntime.so.*")),
        Runtime("litert", "litert", "model.tflite", lambda: package_file("ai_edge_litert/libLiteRt.so"), True, "i32"),
        Runtime("litert-interpreter", "litert", "model.tflite", None, True, "i32"),
        Runtime("openvino", "openvino", "model.xml", lambda: package_file("openvino/libs/libopenvino_c.so.*")),
        Runtime("ncnn", "ncnn", "model.ncnn.param", None, integers="i32"),
        Runtime("pytorch", "pytorch", "model.pt", None),
        # Compiles the module itself.
        Runtime("pytorch-compile", "", "", None),
    )
}
