"""Converts and opens models of 500 MB and says what they cost in memory and time; fails beyond the bounds."""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import apus
import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

MEMORY_RATIO = 1.2
OPEN_MILLISECONDS = 5.0
RESIDENT_BYTES = 1 << 20


def dense_layers(widths: list[int], transposed: bool) -> onnx.ModelProto:
    """Gemm over [N, K] matrices, or MatMul over [K, N] ones, with ReLU between."""
    random = numpy.random.default_rng(0)
    nodes, weights = [], []
    value = "x"
    for layer, (k, n) in enumerate(zip(widths, widths[1:])):
        shape = (n, k) if transposed else (k, n)
        # An odd number of characters moves the data off every alignment.
        matrix = numpy_helper.from_array(
            (random.standard_normal(shape, dtype=numpy.float32) / numpy.float32(k) ** 0.5), f"layer_{layer}" + "_" * layer
        )
        weights.append(matrix)
        if transposed:
            nodes.append(helper.make_node("Gemm", [value, matrix.name], [f"h{layer}"], transB=1))
        else:
            nodes.append(helper.make_node("MatMul", [value, matrix.name], [f"h{layer}"]))
        nodes.append(helper.make_node("Relu", [f"h{layer}"], [f"a{layer}"]))
        value = f"a{layer}"
    graph = helper.make_graph(
        nodes, "large",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, widths[0]])],
        [helper.make_tensor_value_info(value, TensorProto.FLOAT, [1, widths[-1]])],
        weights,
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)])


MODELS = {
    "even": lambda: dense_layers([4096] * 8 + [1024], transposed=True),
    "one-large-matrix": lambda: dense_layers([25088, 4096, 4096, 1000], transposed=True),
    "not-transposed": lambda: dense_layers([4096] * 8 + [1024], transposed=False),
}


def converted(converter: str, source: Path, target: Path) -> tuple[int, float]:
    """Converts; the largest anonymous memory that was seen, and the seconds it took."""
    start = time.monotonic()
    process = subprocess.Popen([converter, str(source), "-o", str(target), "--quiet"], stdout=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        try:
            status = Path(f"/proc/{process.pid}/status").read_text()
        except OSError:
            break
        for line in status.splitlines():
            if line.startswith("RssAnon:"):
                peak = max(peak, int(line.split()[1]) * 1024)
        time.sleep(0.002)
    if process.wait() != 0:
        sys.exit(f"{source.name}: {converter} ended with {process.returncode}")
    return peak, time.monotonic() - start


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def opened(path: Path) -> tuple[float, int]:
    """Median milliseconds of opening a file, and the bytes that opening makes resident."""
    apus.Model(path).close()
    before = resident()
    model = apus.Model(path)
    growth = resident() - before
    model.close()
    times = []
    for _ in range(20):
        start = time.perf_counter()
        model = apus.Model(path)
        times.append(1e3 * (time.perf_counter() - start))
        model.close()
    return statistics.median(times), growth


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("converter", help="the convert-model to run")
    arguments = parser.parse_args()
    failed = False
    print(f"{'model':<18}{'MB':>6}{'peak/size':>11}{'seconds':>9}{'open ms':>9}{'resident KB':>13}")
    for name, make in MODELS.items():
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder) / "m.onnx", Path(folder) / "m.apus"
            source.write_bytes(make().SerializeToString())
            size = source.stat().st_size
            peak, seconds = converted(arguments.converter, source, target)
            milliseconds, growth = opened(target)
        print(
            f"{name:<18}{size / 1e6:>6.0f}{peak / size:>11.2f}{seconds:>9.1f}{milliseconds:>9.2f}{growth / 1e3:>13.0f}",
            flush=True,
        )
        failed |= peak > MEMORY_RATIO * size or milliseconds >= OPEN_MILLISECONDS or growth > RESIDENT_BYTES
    if failed:
        sys.exit(
            f"wanted peak/size ≤ {MEMORY_RATIO}, open < {OPEN_MILLISECONDS} ms, resident ≤ {RESIDENT_BYTES // 1000} KB"
        )


if __name__ == "__main__":
    main()
