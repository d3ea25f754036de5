"""What the machine can do at most, measured; and how close to it a network could run."""

from __future__ import annotations

import json
import platform
import subprocess
from dataclasses import dataclass
from importlib import metadata

from .network import Network
from .paths import BENCHMARKS, BUILD
from .workers import compile_c

PACKAGES = ["ai-edge-litert", "keras", "ncnn", "onnxruntime", "openvino", "tensorflow-cpu", "torch"]


@dataclass(frozen=True)
class Machine:
    processor: str
    # By number of threads: what peaks.c prints.
    peaks: dict[int, dict]

    def bound_us(self, operations: int, weight_bytes: float, threads: int, products: str = "fma") -> float:
        """The least time: of the multiply-adds at the peak of their instruction, or of reading the weights once from the
        first level of memory that holds them, whichever is longer."""
        peak = self.peaks[threads]
        level = peak["memory"][self.level(weight_bytes, threads)]
        # Where there is no such instruction, that of f32 is the next best.
        return max(operations / (peak[products] or peak["fma"]), weight_bytes / level["gb_per_s"]) * 1e-3

    def level(self, size: float, threads: int) -> str:
        """The first level of memory that holds so many bytes."""
        levels = self.peaks[threads]["memory"]
        return next((name for name in ("L1", "L2", "L3") if size <= levels[name]["bytes"]), "DRAM")

    def inference_bound_us(self, net: Network, threads: int, kind: str = "f32") -> float:
        # Of a table of embeddings only the rows of the tokens are read.
        tables = sum(node.weights["table"][0] * node.weights["table"][1] for node in net.nodes if node.op == "embedding")
        bits = {"f32": 32, "int8": 8, "w8": 8, "w4": 4}[kind]
        products = "int8" if kind == "int8" else "fma"
        return self.bound_us(net.operations, bits * (net.parameters - tables) / 8, threads, products)

    def training_bound_us(self, net: Network, batch: int, threads: int) -> float:
        """Three products for one: forward, the gradient of the input, the gradient of the weights."""
        return self.bound_us(3 * net.operations * batch, 4 * net.parameters, threads)

    def report(self) -> dict:
        return {"processor": self.processor, "peaks": list(self.peaks.values())}


def measure_machine(threads: list[int], isa: str | None = None) -> Machine:
    """isa: that of peaks.c; None: the best there is."""
    program = compile_c([BENCHMARKS / "c" / "peaks.c"], BUILD / "peaks", "-pthread")
    peaks = {
        count: json.loads(subprocess.run(
            [program, str(count), *([isa] if isa else [])], check=True, capture_output=True, text=True).stdout)
        for count in threads
    }
    return Machine(_processor(), peaks)


def package_versions() -> dict[str, str]:
    return {name: metadata.version(name) for name in PACKAGES}


def _processor() -> str:
    with open("/proc/cpuinfo") as lines:
        names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{len(names)} x {names[0]}" if names else platform.processor()
