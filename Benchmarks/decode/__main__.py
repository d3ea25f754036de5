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


def bandwidth(threads: int) -> float:
    """Bytes a second that the machine reads now: on a shared one it changes by the minute."""
    return measure_machine([threads]).peaks[threads]["memory"]["DRAM"]["gb_per_s"] * 1e9


def needed_bytes(decoder: Decoder, shape: Shape, quantize: str | None) -> int | None:
    """What a token in the middle of those written reads: weights, keys and values. None of a rival's quantized file."""
    weights = shape.weight_bytes
    if quantize is not None:
        if not isinstance(decoder, Apus):
            return None
        # All but the table of embeddings, of which a token reads one row.
        row = shape.n_embd // 2 + shape.n_embd // 16 if quantize.startswith("w4") else shape.n_embd + 4
        weights = decoder.bytes - shape.vocab_size * row
    return weights + shape.cache_bytes(PROMPT + WRITTEN // 2)


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

    print("| weights | runtime | tokens a second | Apus / it | share of the bandwidth | of GB/s |\n|---|---|---|---|---|---|")
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
        limits: dict[str, list[float]] = {name: [] for name in decoders}
        for _ in range(options.rounds):
            for name, decoder in decoders.items():
                before = bandwidth(options.threads)
                found, written = rate(decoder)
                rates[name].append(found)
                limits[name].append((before + bandwidth(options.threads)) / 2)
                if kind == "f32":
                    reference = reference or written
                    if written != reference:
                        print(f"{name} writes other tokens than Apus", file=sys.stderr)
        medians = {name: statistics.median(found) for name, found in rates.items()}
        for name, median in medians.items():
            ratio = f"{medians['Apus'] / median:.2f}" if name != "Apus" else ""
            needed = needed_bytes(decoders[name], shape, quantize)
            share = " | "
            if needed:
                part = statistics.median(found * needed / limit for found, limit in zip(rates[name], limits[name]))
                share = f"{100 * part:.0f} % | {statistics.median(limits[name]) / 1e9:.1f}"
            print(f"| {kind} | {name} | {median:.1f} | {ratio} | {share} |", flush=True)


if __name__ == "__main__":
    main()
