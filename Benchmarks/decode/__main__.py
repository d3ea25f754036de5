"""Tokens a second of a GPT-2-shaped model that writes token after token: Apus, PyTorch, ONNX Runtime and, where it is
installed, llama.cpp in turns."""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import sys
import time

import numpy as np
from bench.machine import measure_machine
from bench.paths import BUILD, TOOLS

from .checkpoint import Shape, weights, write
from .llama_cpp import LlamaCpp
from .runtimes import Apus, Decoder, OnnxRuntime, PyTorch

PROMPT, WRITTEN = 32, 32


def rate(decoder: Decoder) -> tuple[float, list[int]]:
    """Tokens a second after a prompt, each the likeliest, and which."""
    decoder.reset()
    for token in range(PROMPT):
        logits = decoder.step(token)
    written = []
    began = time.perf_counter()
    for _ in range(WRITTEN):
        written.append(int(np.argmax(logits)))
        logits = decoder.step(written[-1])
    return WRITTEN / (time.perf_counter() - began), written


def main() -> None:
    parser = argparse.ArgumentParser(prog="decode", description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--types", default="f32,w8,int8-dynamic,w4,w4-dynamic",
                        help="of weights: some of f32, w8, int8-dynamic, w4, w4-dynamic")
    options = parser.parse_args()
    shape, folder = Shape(), BUILD / "gpt2"
    tensors = weights(shape)
    write(folder, shape, tensors)
    memory = measure_machine([options.threads]).peaks[options.threads]["memory"]["DRAM"]["gb_per_s"]

    print(f"| weights | runtime | tokens a second | Apus / it | share of {memory:.1f} GB/s |\n|---|---|---|---|---|")
    reference: list[int] | None = None
    for kind in options.types.split(","):
        quantize = None if kind == "f32" else kind
        makers = {"Apus": lambda: Apus(TOOLS, folder, options.threads, quantize)}
        if quantize in (None, "int8-dynamic"):
            makers["PyTorch"] = lambda: PyTorch(shape, tensors, options.threads, quantize)
        makers["ONNX Runtime"] = lambda: OnnxRuntime(shape, tensors, folder, options.threads, quantize)
        if importlib.util.find_spec("llama_cpp"):
            makers["llama.cpp"] = lambda: LlamaCpp(shape, tensors, folder, options.threads, kind)
        decoders: dict[str, Decoder] = {}
        for name, make in makers.items():
            try:
                decoders[name] = make()
            except Exception as error:  # A rival that cannot: said, and left out.
                print(f"{kind}, {name}: {error}".splitlines()[0], file=sys.stderr)
        rates: dict[str, list[float]] = {name: [] for name in decoders}
        for _ in range(options.rounds):
            for name, decoder in decoders.items():
                found, written = rate(decoder)
                rates[name].append(found)
                if kind == "f32":
                    reference = reference or written
                    if written != reference:
                        print(f"{name} writes other tokens than Apus", file=sys.stderr)
        medians = {name: statistics.median(found) for name, found in rates.items()}
        for name, median in medians.items():
            ratio = f"{medians['Apus'] / median:.2f}" if name != "Apus" else ""
            # Of a quantized file all but the table of embeddings, of which a token reads one row.
            row = shape.n_embd // 2 + shape.n_embd // 16 if kind.startswith("w4") else shape.n_embd + 4
            table = shape.vocab_size * row
            needed = shape.bytes_per_token if quantize is None else decoders[name].bytes - table if name == "Apus" else None
            share = f"{100 * needed * median / memory / 1e9:.0f} %" if needed else ""
            print(f"| {kind} | {name} | {median:.1f} | {ratio} | {share} |", flush=True)


if __name__ == "__main__":
    main()
