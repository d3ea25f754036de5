"""ONNX Runtime's contributed operators, imported and compared with ONNX Runtime; see README.md.

Each case is an operator with inputs and attributes. Inputs named in `FIXED` are initializers; the others are inputs of the graph, of
which the batch, a length of 7, a past of 6 and both together are symbolic.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any, Optional

import numpy as np
import onnx
from onnx import helper, numpy_helper

from quantized import convert, onnx_runtime

RANDOM = np.random.default_rng(11)
Inputs = dict[str, Optional[np.ndarray]]


def real(*shape: int) -> np.ndarray:
    return RANDOM.normal(size=shape).astype(np.float32)


def whole(high: int, *shape: int, dtype: Any = np.int32) -> np.ndarray:
    return RANDOM.integers(0, high, size=shape).astype(dtype)


def padding(batch: int, length: int) -> np.ndarray:
    """1 at the first places of each sequence, one at least."""
    lengths = RANDOM.integers(1, length + 1, size=batch)
    return (np.arange(length) < lengths[:, None]).astype(np.int32)


FIXED = {"w", "b", "gamma", "beta", "words", "places", "segments", "cos", "sin", "bias", "codes", "scale", "scales", "zero", "zeros",
         "table"}
# Small codes: sums of ONNX Runtime's products saturate on x86 without VNNI.
CODES = RANDOM.integers(-60, 61, size=(16, 48)).astype(np.int8)
SCALE, SCALES = np.float32(0.02), (RANDOM.random(48) / 50 + 0.01).astype(np.float32)
TABLES = {"words": real(30, 16), "places": real(12, 16), "segments": real(2, 16), "gamma": real(16), "beta": real(16)}
ANGLES = np.outer(np.arange(12), 0.5 ** np.arange(8)).astype(np.float32)
ROTATION = {"cos": np.cos(ANGLES[:, :4]), "sin": np.sin(ANGLES[:, :4])}
WIDE = {"cos": np.cos(ANGLES), "sin": np.sin(ANGLES)}
NORM = {"gamma": TABLES["gamma"], "beta": TABLES["beta"]}
QKV = {"w": real(16, 48), "b": real(48)}

HALVES = (RANDOM.random((30, 4)) + 0.5).astype(np.float16).astype(np.float32)

# Of the largest result. Activations are rounded as they are found: symmetrically to i8 here, to u8 with a zero point there.
TOLERANCES = {"DynamicQuantizeMatMul": 2e-2}


def heads(length: int) -> np.ndarray:
    return real(2, 4, length, 4)


# operator, inputs in order (None: left out), attributes, which outputs are there
CASES: list[tuple[str, Inputs, dict[str, Any], list[bool]]] = [
    ("Gelu", {"x": real(3, 7)}, {}, [True]),
    ("BiasGelu", {"x": real(2, 3, 16), "b": real(16)}, {}, [True]),
    ("FastGelu", {"x": real(3, 7)}, {}, [True]),
    ("FastGelu", {"x": real(3, 5), "b": real(5)}, {}, [True]),
    ("QuickGelu", {"x": real(3, 7)}, {}, [True]),
    ("QuickGelu", {"x": real(3, 7)}, {"alpha": 0.7}, [True]),
    ("FusedMatMul", {"x": real(3, 5, 4), "y": real(3, 4, 6)}, {"alpha": 0.5}, [True]),
    ("FusedMatMul", {"x": real(3, 4, 5), "y": real(3, 6, 4)}, {"alpha": 2.0, "transA": 1, "transB": 1}, [True]),
    ("FusedMatMul", {"x": real(3, 2, 4), "w": real(5, 4)}, {"transB": 1}, [True]),
    ("FusedMatMul", {"x": real(5, 3, 2, 4), "y": real(3, 2, 4, 6)}, {"transBatchA": 1, "alpha": 0.3}, [True]),
    ("TransposeMatMul", {"x": real(3, 5, 4), "y": real(3, 6, 4)}, {"transB": 1}, [True]),
    ("FusedGemm", {"x": real(3, 4), "w": real(4, 5), "b": real(5)}, {"activation": "Relu"}, [True]),
    ("FusedGemm", {"x": real(3, 4), "w": real(5, 4), "b": real(5)},
     {"activation": "LeakyRelu", "activation_alpha": 0.2, "transB": 1, "alpha": 0.5, "beta": 2.0}, [True]),
    ("FusedConv", {"x": real(2, 3, 8, 8), "w": real(4, 3, 3, 3), "b": real(4)}, {"activation": "Relu", "pads": [1, 1, 1, 1]}, [True]),
    ("FusedConv", {"x": real(2, 4, 8, 8), "w": real(4, 1, 3, 3), "b": None, "z": real(2, 4, 3, 3)},
     {"activation": "Relu", "group": 4, "strides": [2, 2]}, [True]),
    ("FusedConv", {"x": real(2, 3, 8, 8), "w": real(4, 3, 3, 3)}, {"activation": "LeakyRelu", "activation_params": [0.3]}, [True]),
    ("FusedConv", {"x": real(2, 3, 8, 8), "w": real(4, 3, 3, 3)}, {"activation": "Clip", "activation_params": [0.0, 6.0]}, [True]),
    ("FusedConv", {"x": real(2, 3, 8, 8), "w": real(4, 3, 3, 3)},
     {"activation": "HardSigmoid", "activation_params": [0.2, 0.5]}, [True]),
    ("SimplifiedLayerNormalization", {"x": real(2, 3, 16), "gamma": real(16)}, {"epsilon": 1e-6}, [True]),
    ("SkipLayerNormalization", {"x": real(2, 3, 16), "skip": real(2, 3, 16), **NORM}, {"epsilon": 1e-5}, [True]),
    ("SkipLayerNormalization", {"x": real(2, 3, 16), "skip": real(2, 3, 16), **NORM, "b": real(16)}, {},
     [True, False, False, True]),
    ("SkipLayerNormalization", {"x": real(2, 3, 16), "skip": real(2, 3, 16), "gamma": NORM["gamma"]}, {}, [True]),
    ("SkipSimplifiedLayerNormalization", {"x": real(2, 3, 16), "skip": real(2, 3, 16), "gamma": NORM["gamma"]}, {"epsilon": 1e-6},
     [True, False, False, True]),
    ("SkipSimplifiedLayerNormalization", {"x": real(2, 3, 16), "skip": real(2, 3, 16), "gamma": NORM["gamma"], "b": real(16)}, {},
     [True]),
    ("EmbedLayerNormalization", {"ids": whole(30, 2, 7), "kinds": whole(2, 2, 7), **TABLES}, {}, [True, True]),
    ("EmbedLayerNormalization", {"ids": whole(30, 2, 7), "kinds": None, "words": TABLES["words"], "places": TABLES["places"],
                                 "segments": None, **NORM, "mask": padding(2, 7), "positions": whole(12, 2, 7)}, {},
     [True, True, True]),
    ("Attention", {"x": real(2, 7, 16), **QKV}, {"num_heads": 4}, [True]),
    ("Attention", {"x": real(2, 7, 16), **QKV}, {"num_heads": 4, "unidirectional": 1, "scale": 0.3}, [True]),
    ("Attention", {"x": real(2, 7, 16), "w": real(16, 40), "b": real(40)}, {"num_heads": 4, "qkv_hidden_sizes": [16, 16, 8]}, [True]),
    ("Attention", {"x": real(2, 7, 16), **QKV, "mask": padding(2, 7)}, {"num_heads": 4}, [True]),
    ("Attention", {"x": real(2, 7, 16), **QKV, "mask": np.array([3, 7], np.int32)}, {"num_heads": 4}, [True]),
    ("Attention", {"x": real(2, 7, 16), **QKV, "mask": np.repeat(padding(2, 7)[:, None], 7, 1)}, {"num_heads": 4}, [True]),
    ("Attention", {"x": real(2, 3, 16), **QKV, "mask": padding(2, 8), "past": real(2, 2, 4, 5, 4)},
     {"num_heads": 4, "unidirectional": 1}, [True, True]),
    ("Attention", {"x": real(2, 7, 16), **QKV, "mask": padding(2, 13), "past": real(2, 2, 4, 6, 4)},
     {"num_heads": 4, "unidirectional": 1}, [True, True]),
    ("Attention", {"x": real(2, 7, 16), **QKV, "mask": None, "past": None, "scores": real(2, 4, 7, 7)}, {"num_heads": 4}, [True]),
    ("MultiHeadAttention", {"q": real(2, 7, 16), "k": real(2, 5, 16), "v": real(2, 5, 8)}, {"num_heads": 4}, [True]),
    ("MultiHeadAttention", {"q": real(2, 7, 16), "k": real(2, 7, 16), "v": real(2, 7, 16), "bias": real(48)},
     {"num_heads": 4, "unidirectional": 1}, [True]),
    ("MultiHeadAttention", {"q": real(2, 7, 16), "k": heads(5), "v": heads(5)}, {"num_heads": 4}, [True]),
    ("MultiHeadAttention", {"q": real(2, 7, 16), "k": real(2, 5, 16), "v": real(2, 5, 16), "bias": None, "mask": padding(2, 5)},
     {"num_heads": 4}, [True]),
    ("MultiHeadAttention", {"q": real(2, 3, 16), "k": real(2, 3, 16), "v": real(2, 3, 16), "bias": None, "mask": None,
                            "scores": real(1, 4, 3, 8), "past_k": heads(5), "past_v": heads(5)}, {"num_heads": 4}, [True, True, True]),
    ("RotaryEmbedding", {"x": real(2, 7, 16), "positions": whole(12, 2, 7, dtype=np.int64), **ROTATION}, {}, [True]),
    ("RotaryEmbedding", {"x": real(2, 7, 16), "positions": np.array([3], np.int64), **ROTATION}, {"interleaved": 1}, [True]),
    ("RotaryEmbedding", {"x": real(2, 2, 7, 8), "positions": whole(12, 2, 7, dtype=np.int64), **ROTATION}, {}, [True]),
    ("RotaryEmbedding", {"x": real(2, 7, 24), "positions": whole(12, 2, 7, dtype=np.int64), **ROTATION},
     {"num_heads": 2, "rotary_embedding_dim": 8}, [True]),
    ("GroupQueryAttention", {"q": real(2, 5, 32), "k": real(2, 5, 16), "v": real(2, 5, 16), "past_k": None, "past_v": None,
                             "lengths": np.array([2, 4], np.int32), "total": np.array([5], np.int32)},
     {"num_heads": 4, "kv_num_heads": 2}, [True, True, True]),
    ("GroupQueryAttention", {"q": real(2, 1, 128), "k": None, "v": None, "past_k": real(2, 2, 6, 16), "past_v": real(2, 2, 6, 16),
                             "lengths": np.array([6, 6], np.int32), "total": np.array([7], np.int32), **WIDE},
     {"num_heads": 4, "kv_num_heads": 2, "do_rotary": 1}, [True, True, True]),
    ("GroupQueryAttention", {"q": real(2, 3, 128), "k": None, "v": None, "past_k": real(2, 2, 0, 16), "past_v": real(2, 2, 0, 16),
                             "lengths": np.array([2, 2], np.int32), "total": np.array([3], np.int32), **WIDE},
     {"num_heads": 4, "kv_num_heads": 2, "do_rotary": 1, "rotary_interleaved": 1, "scale": 0.3}, [True, True, True]),
    ("GroupQueryAttention", {"q": real(2, 1, 32), "k": real(2, 1, 16), "v": real(2, 1, 16), "past_k": real(2, 2, 6, 8),
                             "past_v": real(2, 2, 6, 8), "lengths": np.array([6, 6], np.int32), "total": np.array([7], np.int32)},
     {"num_heads": 4, "kv_num_heads": 2, "local_window_size": 3}, [True, True, True]),
    ("GatherBlockQuantized", {"table": whole(256, 30, 32, dtype=np.uint8), "ids": whole(30, 2, 7, dtype=np.int64),
                              "scales": HALVES[:, :2], "zeros": whole(256, 30, 1, dtype=np.uint8)}, {"block_size": 32}, [True]),
    ("GatherBlockQuantized", {"table": whole(256, 30, 32, dtype=np.uint8), "ids": whole(30, 2, 7, dtype=np.int64),
                              "scales": HALVES[:, :2]}, {"block_size": 32}, [True]),
    ("GatherBlockQuantized", {"table": whole(256, 30, 64, dtype=np.uint8), "ids": whole(30, 2, 7, dtype=np.int64),
                              "scales": HALVES[:, :2]}, {"block_size": 32, "bits": 8}, [True]),
    ("MatMulIntegerToFloat", {"x": whole(256, 2, 5, 16, dtype=np.uint8), "codes": CODES, "scale": np.array([SCALE]),
                              "scales": SCALES, "zero": np.array([120], np.uint8), "zeros": None, "b": real(48)}, {}, [True]),
    ("QAttention", {"x": whole(256, 2, 5, 16, dtype=np.uint8), "codes": CODES, "b": real(48), "scale": SCALE, "scales": SCALE,
                    "mask": padding(2, 5), "zero": np.uint8(120), "zeros": np.int8(3)}, {"num_heads": 4}, [True]),
    ("DynamicQuantizeMatMul", {"x": real(1, 16), "codes": CODES, "scales": SCALES, "zeros": None, "b": real(48)}, {}, [True]),
    ("DynamicQuantizeMatMul", {"x": real(1, 16), "codes": CODES, "scale": SCALE, "zero": np.int8(3)}, {}, [True]),
    ("GatherND", {"x": real(3, 4, 5), "ids": whole(3, 2, 2, dtype=np.int64)}, {}, [True]),
    ("GridSample", {"x": real(2, 3, 5, 5), "y": (RANDOM.random((2, 4, 4, 2)) * 2 - 1).astype(np.float32)},
     {"mode": "bilinear", "padding_mode": "border", "align_corners": 1}, [True]),
    ("Pad", {"x": real(2, 3, 4), "zeros": np.array([0, 1, 2, 0, 0, 1], np.int64)}, {"mode": "reflect"}, [True]),
    ("Pad", {"x": real(2, 3, 4), "zeros": np.array([0, 1, 2, 0, 0, 1], np.int64), "scale": SCALE}, {}, [True]),
    ("Trilu", {"x": real(2, 4, 5), "zero": np.array(1, np.int64)}, {"upper": 1}, [True]),
    ("DequantizeLinear", {"x": whole(60000, 2, 5, dtype=np.uint16), "scale": SCALE, "zero": np.uint16(30000)}, {}, [True]),
    ("QuantizeLinear", {"x": real(2, 5), "scale": np.float32(1e-4), "zero": np.int16(7)}, {}, [True]),
]  # fmt: skip


def model(op: str, inputs: Inputs, attributes: dict[str, Any], outputs: list[bool]) -> onnx.ModelProto:
    domain = "" if op == "SimplifiedLayerNormalization" else "com.microsoft"
    names = [f"y{i}" if there else "" for i, there in enumerate(outputs)]
    node = helper.make_node(
        op, [name if value is not None else "" for name, value in inputs.items()], names, name=op, domain=domain, **attributes)
    there = {name: value for name, value in inputs.items() if value is not None}
    infos = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), symbolic(name, value))
        for name, value in there.items() if name not in FIXED
    ]  # fmt: skip
    graph = helper.make_graph(
        [node], op, infos, [onnx.ValueInfoProto(name=name) for name in names if name],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in there.items() if name in FIXED])  # fmt: skip
    sets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=sets, ir_version=8)


def symbolic(name: str, value: np.ndarray) -> list[Any]:
    def extent(axis: int, extent: int) -> Any:
        if extent == 2 and axis == (1 if name == "past" else 0):
            return "batch"
        return {7: "length", 6: "past", 13: "total"}.get(extent, extent)

    return [extent(*one) for one in enumerate(value.shape)]


def run(path: Path, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
    import apus

    model = apus.Model(str(path))
    sizes = {"batch": 2, "length": 7, "past": 6, "total": 13}
    with model.session(dimensions={one.name: sizes[one.name] for one in model.dimensions if one.name in sizes}) as session:
        return list(session.run(inputs).values())


def check(op: str, inputs: Inputs, attributes: dict[str, Any], outputs: list[bool], folder: Path) -> float:
    source, target = folder / "case.onnx", folder / "case.apus"
    made = model(op, inputs, attributes, outputs)
    source.write_bytes(made.SerializeToString())
    fed = {info.name: inputs[info.name] for info in made.graph.input}
    wanted = onnx_runtime(source, fed)
    convert(source, target)
    found = run(target, fed)
    assert [one.shape for one in found] == [one.shape for one in wanted], [one.shape for one in found]
    return max(float(np.abs(a.astype(float) - b).max() / max(1e-6, np.abs(b).max())) for a, b in zip(found, wanted))


def main() -> int:
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        for op, inputs, attributes, outputs in CASES:
            case = f"{op} {', '.join(f'{k} {v.shape}' for k, v in inputs.items() if v is not None)} {attributes or ''}"
            try:
                difference = check(op, inputs, attributes, outputs, Path(name))
                assert difference < TOLERANCES.get(op, 2e-5), f"differs by {difference:.1e}"
            except Exception as error:  # noqa: BLE001
                failed += 1
                print(f"failed: {case}: {str(error)[:300]}")
    print(f"contributed operators: {len(CASES) - failed} of {len(CASES)} cases agree with ONNX Runtime")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
