"""Writes what fuzzing of the importer begins with, from the node cases of the package onnx: onnx_corpus.py FOLDER

FOLDER/corpus has every small case as it is and with its inputs known, and the cases of ONNX Runtime's own operators;
FOLDER/onnx.dict the names of operators and attributes as records.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import onnx
from onnx import ModelProto, defs, numpy_helper

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "OnnxSuite"))
import contributed  # noqa: E402

LARGEST = 8192


def with_known_inputs(model: ModelProto, data: list[object]) -> ModelProto:
    known = ModelProto()
    known.CopyFrom(model)
    for info, value in zip(model.graph.input, data):
        known.graph.initializer.append(numpy_helper.from_array(value, info.name))
    del known.graph.input[:]
    return known


def record(field: int, text: str) -> str:
    payload = text.encode()
    return "".join(f"\\x{byte:02x}" for byte in bytes([field << 3 | 2, len(payload)]) + payload)


def main() -> None:
    from onnx.backend.test.loader import load_model_tests

    folder = Path(sys.argv[1])
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for case in load_model_tests(kind="node"):
        variants = {case.name: case.model}
        try:
            variants[case.name + "-known"] = with_known_inputs(case.model, case.data_sets[0][0])
        except (TypeError, AttributeError, IndexError, ValueError):
            pass  # sequences and optionals
        for name, model in variants.items():
            if model.ByteSize() <= LARGEST:
                (corpus / f"{name}.onnx").write_bytes(model.SerializeToString())
    for i, (op, inputs, attributes, outputs) in enumerate(contributed.CASES):
        model = contributed.model(op, inputs, attributes, outputs)
        if model.ByteSize() <= LARGEST:
            (corpus / f"contributed-{i}-{op}.onnx").write_bytes(model.SerializeToString())
    schemas = defs.get_all_schemas()
    words = {record(4, one.name) for one in schemas} | {record(1, name) for one in schemas for name in one.attributes}
    words |= {record(4, case[0]) for case in contributed.CASES} | {record(1, name) for case in contributed.CASES for name in case[2]}
    (folder / "onnx.dict").write_text("".join(f'"{word}"\n' for word in sorted(words)))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
