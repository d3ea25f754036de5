"""The share of this machine's peak that the matrix products of the benchmark's networks reach, on one thread.

    python -m bench.products [MODEL …]
"""

from __future__ import annotations

import math
import subprocess
import sys

from .machine import Machine, measure_machine
from .models import INFERENCE
from .network import Network, Node
from .paths import BENCHMARKS, BUILD, ROOT
from .workers import compile_c

KERNELS = ROOT / "Sources" / "CKernels"
Product = tuple[int, int, int]


def product_of(net: Network, node: Node) -> Product | None:
    """(M, K, N) of a dense layer, or of a convolution that is one: of 1 x 1 pixels, or whose windows do not overlap."""
    if node.op == "dense":
        return math.prod(node.shape[:-1]), *node.weights["kernel"]
    if node.op == "conv" and node.attributes["kernel"] == 1 == node.attributes["stride"] == node.attributes["groups"]:
        return math.prod(node.shape[:-1]), *node.weights["kernel"][2:]
    return None


def products(models: list[str]) -> dict[Product, list[str]]:
    """Which models have each product, in the order of their first use."""
    found: dict[Product, list[str]] = {}
    for model in models:
        net = INFERENCE[model]()
        for node in net.nodes:
            if (product := product_of(net, node)) and model not in found.setdefault(product, []):
                found[product].append(model)
    return found


def line(machine: Machine, product: Product, microseconds: list[float], models: list[str]) -> str:
    m, k, n = product
    time, half, avx2, packing = microseconds
    peak = machine.peaks[1]
    rate = 2 * m * k * n / time * 1e-3
    cells = [f"{m} × {k} × {n}", f"{time:.2f}", f"{rate:.1f}", f"{100 * rate / peak['fma']:.0f} %"]
    # One row reads each weight for one multiply-add: it is bound by their way from the level that holds them.
    level = machine.level(4 * k * n, 1)
    bytes_rate = 4 * k * n / time * 1e-3
    cells.append(f"{bytes_rate:.0f} GB/s, {100 * bytes_rate / peak['memory'][level]['gb_per_s']:.0f} % of {level}" if m == 1 else "")
    return f"| {' | '.join([*cells, f'{half:.2f}', f'{avx2:.2f}', f'{packing:.2f}', ', '.join(models)])} |"


def main() -> None:
    models = sys.argv[1:] or list(INFERENCE)
    for model in models:
        if model not in INFERENCE:
            raise SystemExit(f"no model '{model}', wanted some of {', '.join(INFERENCE)}")
    sources = [BENCHMARKS / "kernels" / "gemm_bench.c", *sorted((KERNELS / "gemm").glob("*.c")),
               *sorted((KERNELS / "elementwise").glob("*.c")), KERNELS / "isa" / "isa.c", KERNELS / "vector" / "tables.c"]
    program = compile_c(sources, BUILD / "gemm_bench", "-ffp-contract=off", f"-I{KERNELS / 'include'}", "-lm", compiler="clang")
    machine = measure_machine([1])
    peak = machine.peaks[1]
    print(f"{machine.processor}, {peak['isa']}, one thread: {peak['fma']:.1f} GFLOP/s; " + ", ".join(
        f"{name} {level['gb_per_s']:.0f} GB/s" for name, level in peak["memory"].items()) + "\n")
    print("| M × K × N | µs | GFLOP/s | of the peak | weights | f16 µs | AVX2 µs | packing µs | models |\n" + "|---" * 9 + "|")
    for product, used in products(models).items():
        result = subprocess.run([program, *map(str, product)], check=True, capture_output=True, text=True).stdout
        print(line(machine, product, [float(word) for word in result.split()[3:]], used), flush=True)


if __name__ == "__main__":
    main()
