"""Brings a model's files up to date and tells in which layout each runtime takes its input."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

from .convert import folder
from .network import Network
from .paths import BENCHMARKS, TOOLS
from .runtimes import Runtime
from .workers import Failed, environment, python_module

# What the files of a model depend on.
SOURCES = [BENCHMARKS / "requirements.txt"] + [
    BENCHMARKS / "bench" / f"{name}.py" for name in ("network", "models", "torch_network", "keras_network", "convert")]


def prepare(model: str, converter: str) -> None:
    """Makes the files of one converter, unless they are there from the same sources."""
    out = folder(model)
    stamp = out / f"{converter}.stamp"
    current = _fingerprint(converter)
    if stamp.exists() and stamp.read_text() == current:
        return
    done = subprocess.run(
        list(map(str, python_module("convert", model, converter))), cwd=BENCHMARKS, env=environment(1),
        capture_output=True, text=True)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise Failed(lines[-1].strip() if lines else f"the converter ended with exit code {done.returncode}")
    stamp.write_text(current)


def sample(net: Network, runtime: Runtime, out: Path) -> tuple[str, Path]:
    """The type and shape of a runtime's input, such as "f32:1x28x28x1", and the file of its bytes."""
    shape, file = (1, *net.input_shape), "input.nhwc"
    if net.integer_below:
        kind = runtime.integers
        file = "input.i32" if kind == "i32" else file
    else:
        kind = "f32"
        if len(net.input_shape) == 3 and not _is_channels_last(runtime, out, shape):
            height, width, channels = net.input_shape
            shape, file = (1, channels, height, width), "input.nchw"
    return f"{kind}:{'x'.join(map(str, shape))}", out / file


def _is_channels_last(runtime: Runtime, out: Path, shape: tuple[int, ...]) -> bool:
    """An .apus file says itself what it wants."""
    if runtime.name != "apus":
        return runtime.channels_last
    done = subprocess.run([TOOLS / "apus", "inspect", out / runtime.file, "--json"], capture_output=True, text=True)
    if done.returncode:
        raise Failed(done.stderr.strip())
    return json.loads(done.stdout)["functions"][0]["inputs"][0]["type"]["shape"][1:] == list(shape[1:])


def _fingerprint(converter: str) -> str:
    digest = hashlib.sha256()
    for source in SOURCES:
        digest.update(source.read_bytes())
    tool = TOOLS / "convert-model"
    if converter == "apus" and tool.exists():
        digest.update(str(tool.stat().st_mtime_ns).encode())
    return digest.hexdigest()
