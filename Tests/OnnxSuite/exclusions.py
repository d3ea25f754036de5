"""Which cases of ONNX's suite do not count: those of types and domains that Apus leaves out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Optional

import onnx
from onnx import TensorProto as T

_TYPES = {
    T.STRING: "strings",
    T.FLOAT8E4M3FN: "float8", T.FLOAT8E4M3FNUZ: "float8", T.FLOAT8E5M2: "float8", T.FLOAT8E5M2FNUZ: "float8",
    T.FLOAT8E8M0: "float8", T.FLOAT4E2M1: "float4",
}  # fmt: skip
_DOMAINS = {
    "ai.onnx.ml": "the ai.onnx.ml domain",
    "ai.onnx.preview.training": "the training domain",
}
_OPERATORS = {
    "StringConcat": "strings", "StringNormalizer": "strings", "StringSplit": "strings", "RegexFullMatch": "strings",
    "TfIdfVectorizer": "strings", "SequenceEmpty": "sequences", "SequenceConstruct": "sequences",
    "SequenceInsert": "sequences", "SequenceAt": "sequences", "SequenceErase": "sequences",
    "SequenceLength": "sequences", "SequenceMap": "sequences", "SplitToSequence": "sequences",
    "ConcatFromSequence": "sequences", "Optional": "optionals", "OptionalGetElement": "optionals",
    "OptionalHasElement": "optionals",
}  # fmt: skip


def reason(model: onnx.ModelProto) -> Optional[str]:
    """What a case needs that Apus leaves out; None for a case that counts."""
    return next(_reasons(model), None)


def _reasons(model: onnx.ModelProto) -> Iterator[str]:
    for value in [*model.graph.input, *model.graph.output, *model.graph.value_info]:
        kind = value.type.WhichOneof("value")
        if kind in ("sequence_type", "optional_type", "map_type"):
            yield kind.removesuffix("_type") + "s"
        elif kind == "tensor_type" and value.type.tensor_type.elem_type in _TYPES:
            yield _TYPES[value.type.tensor_type.elem_type]
    for node in model.graph.node:
        if node.domain in _DOMAINS:
            yield _DOMAINS[node.domain]
        if node.op_type in _OPERATORS:
            yield _OPERATORS[node.op_type]
        for attribute in node.attribute:
            if attribute.name in ("to", "dtype", "output_dtype") and attribute.i in _TYPES:
                yield _TYPES[attribute.i]
