"""Every file that the tests, the demo and the releases wrote, recomputed by the second reader.

|found − wanted| ≤ 1e-4·|wanted| + 1e-5·scale, where scale is 1, or the largest finite |wanted| below 1000 if that is
more: sums that cancel are as uncertain as their terms. An operator case that states a larger tolerance has it. Results
that are not floats are equal.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import operators
import pytest
import tiny_models
from reader import BadFile, Model, SCHEMA

ROOT = Path(__file__).resolve().parents[2]
RTOL, ATOL = 1e-4, 1e-5

CASES = sorted((ROOT / "build" / "case-files").glob("*.apus"))
GOLDEN = sorted((ROOT / "Tests" / "Golden").rglob("*.apus"))
MODELS = sorted((ROOT / "build" / "models").rglob("*.apus")) + sorted((ROOT / "build" / "oracle").glob("*.apus"))


def differs(found: np.ndarray, wanted: np.ndarray, absolute: float = 0) -> str:
    """What is wrong with `found`, or nothing."""
    if found.shape != wanted.shape or found.dtype != wanted.dtype:
        return f"{found.dtype}{list(found.shape)}, wanted {wanted.dtype}{list(wanted.shape)}"
    if wanted.dtype not in operators.registry.FLOATS:
        same = found == wanted
    else:
        found, wanted = (operators.convert(x, np.dtype("<f8")) for x in (found, wanted))
        usual = np.abs(wanted[np.isfinite(wanted) & (np.abs(wanted) < 1000)])
        scale = max(1.0, usual.max(initial=0.0))
        with np.errstate(invalid="ignore"):
            near = np.abs(found - wanted) <= RTOL * np.abs(wanted) + max(ATOL * scale, absolute)
        same = near & np.isfinite(wanted) | (found == wanted) | (np.isnan(found) & np.isnan(wanted))
    if same.all():
        return ""
    place = tuple(np.argwhere(~same)[0])
    return f"element {[int(i) for i in place]} is {found[place]}, wanted {wanted[place]}; {(~same).sum()} differ"


def replay(path: Path, own_tolerance: bool = False) -> tuple[int, list[str]]:
    """The number of golden pairs of a file, and what is wrong with their outputs."""
    model, count, wrong = Model(path), 0, []
    for name, inputs, outputs, (_, absolute) in model.goldens():
        found, _ = model.run(name, inputs)
        count += 1
        for index, (f, w) in enumerate(zip(found, outputs)):
            if error := differs(f, w, absolute if own_tolerance else 0):
                wrong.append(f"{path.name}: {model.message.name}: {name}, output {index}: {error}")
    return count, wrong


def test_every_operator_case():
    assert CASES, "no build/case-files: run swift test --filter testCaseFilesAreWritten"
    seen: set[str] = set()
    wrong: list[str] = []
    for path in CASES:
        model = Model(path)
        seen |= {node.operator for function in model.message.functions for node in function.nodes}
        count, errors = replay(path, own_tolerance=True)
        assert count == 1, path.name
        wrong += errors
    assert not wrong, "\n".join(wrong[:20])
    table = {field.name for field in SCHEMA.messages["Node"].values() if field.choice}
    assert seen == table, f"operators without a case file: {sorted(table - seen)}"


def is_integer(node) -> bool:
    layer = getattr(node, node.operator)
    return node.operator in operators.registry.CODED or bool(getattr(layer, "dynamic", None) or getattr(layer, "weight_only", None))


def test_integer_operators_are_equal_to_the_bit():
    count = 0
    for path in CASES:
        model = Model(path)
        if not all(is_integer(node) for function in model.message.functions for node in function.nodes):
            continue
        for name, inputs, outputs, _ in model.goldens():
            found, _ = model.run(name, inputs)
            for f, w in zip(found, outputs):
                count += 1
                assert f.dtype == w.dtype and f.tobytes() == w.tobytes(), path.name
    assert count > 100


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_files_of_every_release(path):
    count, wrong = replay(path)
    assert count > 0 and not wrong, "\n".join(wrong)


def test_there_are_files_of_a_release():
    assert GOLDEN


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_models(path):
    """What the demo trained, and the networks of the model library: exported, in f16, and as training steps."""
    _, wrong = replay(path)
    assert not wrong, "\n".join(wrong)


def test_pairs_of_codes_are_among_them():
    quantized = [path for path in MODELS if path.stem == "mlp-int8"]
    assert quantized, "no build/oracle: run swift test --filter testOracleFilesAreWritten"
    assert all(golden.input_quantization for golden in Model(quantized[0]).message.goldens)


def test_there_are_models():
    assert len(MODELS) >= 15, "no build/oracle: run swift test --filter testOracleFilesAreWritten"


# ---- The files that tiny_models.py writes ---------------------------------------------------------------------------


def test_a_state_takes_its_new_value_after_the_run(counter):
    model, x = Model(counter), np.ones((2, 3), np.float32)
    (first,), states = model.run("add", [x])
    (second,), states = model.run("add", [x], states)
    np.testing.assert_array_equal(first, [[2, 3, 4]] * 2)
    np.testing.assert_array_equal(second, [[4, 5, 6]] * 2)
    np.testing.assert_array_equal(states[0], [4, 4, 4])


def test_weights_start_at_a_multiple_of_64(classifier):
    assert Model(classifier).weights_start % 64 == 0


def test_panels_are_unpacked(classifier):
    name, rows, columns, step, _ = tiny_models.CLASSIFIER[0]
    wanted = np.array(tiny_models.waves(rows * columns, step), np.float32).reshape(rows, columns)
    np.testing.assert_array_equal(Model(classifier).constants[0], wanted)


def test_every_changed_byte_of_the_header_is_found(counter):
    end = len(counter) - 64
    for offset in range(end):
        changed = bytearray(counter)
        changed[offset] ^= 16
        try:
            Model(bytes(changed))
        except (BadFile, KeyError, UnicodeDecodeError, struct.error):
            continue
        assert offset >= Model(counter).weights_start - 64, f"byte {offset}"


def test_a_changed_weight_is_found(counter):
    with pytest.raises(BadFile, match="weights hash"):
        Model(counter[:-1] + b"\1")


def test_weights_that_are_not_aligned_are_refused(counter):
    start, weights = Model._scan(counter)
    tail = tiny_models.varint(15 << 3 | 2) + tiny_models.varint(64) + counter[weights:]
    longer = bytes(weights - start - 4 + 1)
    with pytest.raises(BadFile, match="weights at byte"):
        Model(counter[:start] + tiny_models.field(14, longer) + tail)


def test_a_newer_major_is_refused():
    with pytest.raises(BadFile, match="newer"):
        Model(tiny_models.broken()["future-major"])


def test_checksum_is_crc_32():
    assert zlib.crc32(b"123456789") == 0xCBF43926
