"""Times one model on a runtime that is called from Python; the arguments and the protocol are those of harness.c.

    python -m bench.worker RUNTIME MODEL FILE THREADS f32|i64|i32:1x10 INPUT OUTPUT
"""

from __future__ import annotations

import sys
import time
from typing import Callable

import numpy as np

from .protocol import serve, status

# Each gives two functions after importing its package: one opens a file and returns a run without arguments, the
# other returns the result as an array.
Opened = tuple[Callable[[], object], Callable[[], np.ndarray]]


def litert_interpreter(model: str, threads: int, x: np.ndarray) -> Callable[[str], Opened]:
    from ai_edge_litert.interpreter import Interpreter

    def open_file(path: str) -> Opened:
        interpreter = Interpreter(path, num_threads=threads)
        interpreter.allocate_tensors()
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
        output = interpreter.get_output_details()[0]["index"]
        # The bound method under `invoke`, without its check for tensors that the caller still holds.
        return interpreter._interpreter.Invoke, lambda: interpreter.get_tensor(output)

    return open_file


def ncnn(model: str, threads: int, x: np.ndarray) -> Callable[[str], Opened]:
    import ncnn

    def open_file(path: str) -> Opened:
        net = ncnn.Net()
        net.opt.num_threads = threads
        net.opt.use_vulkan_compute = False
        net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
        if net.load_param(path) or net.load_model(path.replace(".param", ".bin")):
            raise SystemExit(f"{path}: ncnn cannot read it")
        image = ncnn.Mat(x[0]).clone()
        results = [None]

        def run() -> None:
            extractor = net.create_extractor()
            extractor.input("in0", image)
            _, results[0] = extractor.extract("out0")

        return run, lambda: np.array(results[0])

    return open_file


def pytorch(model: str, threads: int, x: np.ndarray) -> Callable[[str], Opened]:
    import torch

    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)

    def open_file(path: str) -> Opened:
        module = torch.jit.optimize_for_inference(torch.jit.load(path).eval())
        return _torch_runs(module, torch.from_numpy(x))

    return open_file


def pytorch_compile(model: str, threads: int, x: np.ndarray) -> Callable[[str], Opened]:
    import torch
    import torch._inductor.config as inductor

    from .models import INFERENCE
    from .torch_network import TorchNetwork

    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    inductor.freezing = True
    image = torch.from_numpy(x)
    module = TorchNetwork(INFERENCE[model]()).eval()
    if image.ndim == 4:
        image, module = image.to(memory_format=torch.channels_last), module.to(memory_format=torch.channels_last)

    def open_file(path: str) -> Opened:
        return _torch_runs(torch.compile(module), image)

    return open_file


def _torch_runs(module: Callable, image) -> Opened:
    results = [module(image)]

    def run() -> None:
        results[0] = module(image)

    return run, lambda: results[0].numpy()


RUNTIMES = {
    "litert-interpreter": litert_interpreter, "ncnn": ncnn, "pytorch": pytorch, "pytorch-compile": pytorch_compile,
}


def main() -> None:
    runtime, model, file, threads, kind, input_path, output_path = sys.argv[1:]
    dtype, _, extents = kind.partition(":")
    dtype = {"f32": np.float32, "i32": np.int32, "i64": np.int64}[dtype]
    x = np.fromfile(input_path, dtype).reshape([int(extent) for extent in extents.split("x")])
    base = status("VmRSS")
    open_file = RUNTIMES[runtime](model, int(threads), x)
    began = time.perf_counter()
    run, result = open_file(file)
    opened = time.perf_counter()
    run()
    first = time.perf_counter()
    result().astype(np.float32).tofile(output_path)
    serve(base, run, {"open_us": (opened - began) * 1e6, "first_us": (first - began) * 1e6})


if __name__ == "__main__":
    main()
