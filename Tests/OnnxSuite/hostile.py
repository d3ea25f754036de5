"""Breaks models of ONNX's suite; see README.md.

    hostile.py FOLDER

Writes twenty of its models to FOLDER, where OnnxHostileTests.swift finds them, and converts broken copies of each by
convert-model: either it ends with 2, says so in one line and leaves no file; or with 0, where what is broken is a weight, a
name or a part that nothing needs, and the file is valid.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import unicodedata
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Fuzz"))
from onnx_corpus import with_known_inputs  # noqa: E402

# Operators of every kind; "-known": their inputs are part of the model.
MODELS = [
    "test_conv_with_strides_padding", "test_convtranspose_pads", "test_gemm_all_attributes", "test_matmul_4d", "test_maxpool_2d_dilations",
    "test_averagepool_2d_ceil", "test_batchnorm_epsilon", "test_layer_normalization_4d_axis2", "test_softmax_axis_1",
    "test_attention_4d", "test_lstm_with_peepholes", "test_scan9_sum", "test_reshape_reordered_all_dims-known",
    "test_loop11-known", "test_resize_upsample_scales_cubic-known", "test_slice_neg_steps-known", "test_einsum_batch_matmul",
    "test_quantizelinear_axis-known", "test_gridsample", "test_constantofshape_float_ones-known",
]  # fmt: skip
COPIES = 24


def written(folder: Path) -> list[Path]:
    from onnx.backend.test.loader import load_model_tests

    folder.mkdir(parents=True, exist_ok=True)
    cases = {case.name: case for case in load_model_tests(kind="node")}
    paths = []
    for name in MODELS:
        case = cases[name.removesuffix("-known")]
        model = with_known_inputs(case.model, case.data_sets[0][0]) if name.endswith("-known") else case.model
        paths.append(folder / f"{name}.onnx")
        paths[-1].write_bytes(model.SerializeToString())
    return paths


def broken(data: bytes, source: random.Random, copy: int) -> bytes:
    if copy % 3 == 0:
        return data[: source.randrange(1, len(data))]
    changed = bytearray(data)
    for _ in range(source.randint(1, 3)):
        changed[source.randrange(len(data))] ^= 1 << source.randrange(8)
    return bytes(changed)


def convert(source: Path, target: Path) -> subprocess.CompletedProcess[str]:
    command = [os.environ["APUS_CONVERT_MODEL"], str(source), "-o", str(target), "--quiet"]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def complaint(source: Path, target: Path) -> tuple[bool, str]:
    """Whether a file was written, and what is wrong with that."""
    target.unlink(missing_ok=True)
    done = convert(source, target)
    left = [one.name for one in target.parent.iterdir() if one not in (source, target)]
    if left:
        return False, f"left {left}"
    if done.returncode == 0:
        again = convert(target, target.with_name("again.apus"))
        target.with_name("again.apus").unlink(missing_ok=True)
        return True, f"an invalid file: {again.stderr}" if again.returncode != 0 else ""
    if done.returncode != 2:
        return False, f"exit {done.returncode}: {done.stderr}"
    if target.exists():
        return False, "a file in spite of an error"
    controls = [one for one in done.stderr if unicodedata.category(one) == "Cc"]
    return False, "" if controls == ["\n"] and done.stderr.endswith("\n") else f"not one line: {done.stderr!r}"


def main() -> int:
    source, failures, converted, count = random.Random(5), [], 0, 0
    paths = written(Path(sys.argv[1]))
    with tempfile.TemporaryDirectory(prefix="apus-hostile-") as name:
        target, copy_path = Path(name, "out.apus"), Path(name, "broken.onnx")
        for path in paths:
            data = path.read_bytes()
            for copy in range(COPIES):
                copy_path.write_bytes(broken(data, source, copy))
                was_written, error = complaint(copy_path, target)
                count, converted = count + 1, converted + was_written
                if error:
                    kept = path.with_suffix(f".{copy}.broken")
                    kept.write_bytes(copy_path.read_bytes())
                    failures.append(f"{kept}: {error}")
    print(f"{count} broken models: {count - converted} refused, {converted} converted to valid files")
    for failure in failures:
        print(f"FAILED {failure}")
    return bool(failures)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    sys.exit(main())
