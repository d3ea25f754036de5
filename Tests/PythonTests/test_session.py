"""The package on tiny models: arrays in and out, with and without copies, states, dimensions, lifetimes."""

import gc
import os
from pathlib import Path

import apus
import numpy as np
import pytest
import reader
import tiny_models

ROWS = np.arange(6, dtype=np.float32).reshape(2, 3)
BIAS = np.array([1, 2, 3], np.float32)


@pytest.fixture
def model(counter):
    with apus.Model(counter) as opened:
        yield opened


@pytest.fixture
def session(model):
    with model.session() as made:
        yield made


def test_version():
    assert apus.version() == apus.__version__


def test_what_a_model_holds(model):
    assert [function.name for function in model.functions] == ["add", "negate"]
    (x,) = model.inputs
    assert str(x) == "x: f32 [batch, 3]"
    assert (x.dtype, x.shape, x.dimensions, x.byte_size) == (np.float32, (16, 3), ("batch", None), 192)
    assert (x.type, x.scale) == (apus.DType.F32, 0)
    assert [output.name for output in model.functions[1].outputs] == ["z"]
    assert model.dimensions == (apus.Dimension("batch", 1, 16),)
    assert model.metadata["author"] == "Möwe"
    assert model.labels("y") == model.labels(0) == ["red", "green", "blue"]
    assert model.labels("z") == []


def test_they_describe_themselves(model, session):
    assert repr(model) == "<apus.Model add(x: f32 [batch, 3]) -> y: f32 [batch, 3]; negate(x: f32 [batch, 3]) -> z: f32 [batch, 3]>"
    assert repr(session) == "<apus.Session of add, negate>"
    session.close()
    assert repr(session) == "<apus.Session of add, negate, closed>"


@pytest.mark.parametrize("kind", [str, Path])
def test_opening_a_path(models, kind):
    with apus.Model(kind(models / "counter.apus")) as model, model.session() as session:
        assert np.array_equal(session.run(ROWS)[0], ROWS + BIAS)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_opening_bytes(counter, kind):
    session = apus.Model(kind(counter)).session()
    gc.collect()
    assert np.array_equal(session.run(ROWS)[0], ROWS + BIAS)


def test_a_dict_gives_a_dict(session):
    outputs = session.run({"x": ROWS})
    assert list(outputs) == ["y"] and np.array_equal(outputs["y"], ROWS + BIAS)


def test_arrays_in_order_give_a_list(session):
    (y,) = session.run(ROWS.tolist())
    assert y.dtype == np.float32 and np.array_equal(y, ROWS + BIAS)


def test_arrays_of_any_strides(session):
    assert np.array_equal(session.run(ROWS[::-1])[0], ROWS[::-1] + BIAS)


def test_the_dimension_follows_the_arrays(session):
    for batch in (1, 16, 5):
        assert session.run({"x": np.ones((batch, 3), np.float32)})["y"].shape == (batch, 3)
    assert session.input_info("x").shape == session.output_info("y").shape == (5, 3)


def test_another_function(session):
    assert np.array_equal(session.run({"x": ROWS}, function="negate")["z"], -ROWS)
    assert np.array_equal(session.run(ROWS, function=1)[0], -ROWS)
    assert np.array_equal(session.run(ROWS, function=np.int64(1))[0], -ROWS)


def test_states(session):
    session.run(ROWS)
    saved = session.save_states()
    assert np.array_equal(session.run(ROWS)[0], ROWS + ROWS.sum(0) + BIAS)
    session.reset_states()
    assert np.array_equal(session.run(ROWS)[0], ROWS + BIAS)
    session.reset_states()
    session.load_states(saved)
    assert np.array_equal(session.run(ROWS)[0], ROWS + ROWS.sum(0) + BIAS)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_states_of_any_buffer(session, kind):
    session.run(ROWS)
    session.load_states(kind(session.save_states()))
    assert np.array_equal(session.run(ROWS)[0], ROWS + ROWS.sum(0) + BIAS)


def test_a_fork_continues_on_its_own(session):
    session.run(ROWS)
    fork = session.fork(threads=2)
    assert np.array_equal(fork.run(ROWS)[0], ROWS + ROWS.sum(0) + BIAS)
    assert np.array_equal(fork.run(ROWS)[0], ROWS + 2 * ROWS.sum(0) + BIAS)
    assert np.array_equal(session.run(ROWS)[0], ROWS + ROWS.sum(0) + BIAS)
    fork.copy_states(session)
    assert np.array_equal(fork.run(ROWS)[0], ROWS + 2 * ROWS.sum(0) + BIAS)


def test_a_fork_has_the_sizes_of_its_source(session):
    session.set_dimension("batch", 5)
    fork = session.fork()
    assert fork.input("x").shape == (5, 3) and fork.output("y").shape == (5, 3)
    fork.set_dimension("batch", 7)
    assert session.input("x").shape == (5, 3)
    with pytest.raises(apus.Error, match="'batch' of 5, wanted 1 ... 4"):
        session.fork(dimensions={"batch": 4})


def test_a_state_by_name(model, session):
    (info,) = model.states
    session.run(ROWS)
    assert np.array_equal(session.state(info.name), ROWS.sum(0)) and session.state(0).shape == info.shape
    session.state(0)[:] = 0
    assert np.array_equal(session.run(ROWS)[0], ROWS + BIAS)
    with pytest.raises(apus.Error, match="no state"):
        session.state("no such state")


def test_views_are_the_sessions_memory(session):
    session.set_dimension("batch", 2)
    x, y = session.input("x"), session.output("y")
    assert x.shape == y.shape == (2, 3) and x.flags.writeable and not y.flags.writeable
    for factor in (1, 2):
        session.reset_states()
        x[:] = ROWS * factor
        session.execute()
        assert np.array_equal(y, ROWS * factor + BIAS)
    assert np.shares_memory(x, session.input(0)) and np.shares_memory(y, session.output(0))


def test_views_keep_the_memory_alive(counter):
    model = apus.Model(counter)
    session = model.session(dimensions={"batch": 2})
    x, y = session.input("x"), session.output("y")[1]
    x[:] = ROWS
    session.execute()
    session.close()
    model.close()
    del session, model
    gc.collect()
    others = [apus.Model(counter).session() for _ in range(8)]
    for other in others:
        other.input("x")[:] = -1
    assert np.array_equal(x, ROWS) and np.array_equal(y, ROWS[1] + BIAS)


def test_bound_arrays(session):
    session.set_dimension("batch", 2)
    x, y = ROWS.copy(), np.zeros((2, 3), np.float32)
    session.bind_input("x", x)
    session.bind_output("y", y)
    assert session.input("x") is x and session.output("y") is y
    session.execute()
    assert np.array_equal(y, ROWS + BIAS)
    session.reset_states()
    x *= 2
    session.execute()
    assert np.array_equal(y, 2 * ROWS + BIAS)
    session.bind_output("y", None)
    session.bind_input("x", None)
    session.reset_states()
    assert np.array_equal(session.run(ROWS)[0], ROWS + BIAS) and np.array_equal(y, 2 * ROWS + BIAS)


def test_a_bound_input_gives_way_to_a_given_one(session):
    session.set_dimension("batch", 2)
    mine = np.full((2, 3), 9, np.float32)
    session.bind_input("x", mine)
    assert np.array_equal(session.run({"x": ROWS})["y"], ROWS + BIAS) and (mine == 9).all()


def test_a_bound_input_gives_way_to_a_larger_one(session):
    session.set_dimension("batch", 1)
    session.bind_input("x", ROWS[:1].copy())
    assert np.array_equal(session.run({"x": ROWS})["y"], ROWS + BIAS)


def test_bound_arrays_at_smaller_dimensions(session):
    session.set_dimension("batch", 2)
    x, y = ROWS.copy(), np.zeros((2, 3), np.float32)
    session.bind_input("x", x)
    session.bind_output("y", y)
    session.set_dimension("batch", 1)
    assert session.input("x").shape == session.output("y").shape == (1, 3)
    assert np.shares_memory(session.input("x"), x) and np.shares_memory(session.output("y"), y)
    result = session.run({})["y"]
    assert np.array_equal(result, ROWS[:1] + BIAS) and np.array_equal(y[0], result[0]) and not y[1].any()


def test_bound_arrays_are_kept(session):
    session.set_dimension("batch", 16)
    session.bind_input("x", np.full((16, 3), 4, np.float32))
    gc.collect()
    assert np.array_equal(session.run({})["y"], 4 + np.broadcast_to(BIAS, (16, 3)))


def test_sessions_outlive_their_model(counter):
    with apus.Model(counter) as model:
        session = model.session()
    assert np.array_equal(session.run(ROWS)[0], ROWS + BIAS)
    with pytest.raises(apus.Error, match="closed"):
        model.session()


def test_smaller_limits_need_less_memory(model):
    assert model.memory_size(dimensions={"batch": 1}) < model.memory_size()
    with model.session(dimensions={"batch": 2}) as session:
        assert np.array_equal(session.run(ROWS)[0], ROWS + BIAS)
        with pytest.raises(apus.Error) as caught:
            session.run(np.zeros((3, 3), np.float32))
        assert caught.value.status == apus.Status.BAD_SHAPE


def test_the_callers_memory(model):
    memory = apus.aligned_empty(model.memory_size())
    assert memory.ctypes.data % 64 == 0
    with model.session(memory=memory) as session:
        assert np.shares_memory(session.input("x"), memory)
        assert np.array_equal(session.run(ROWS)[0], ROWS + BIAS)
    with pytest.raises(apus.Error) as caught:
        model.session(memory=memory[:-1])
    assert caught.value.status == apus.Status.OUT_OF_MEMORY


@pytest.mark.parametrize("threads", [2, 16])
def test_a_forked_process_has_the_session_but_not_its_threads(model, threads):
    session = model.session(threads=threads)
    session.run(ROWS)
    child = os.fork()
    if child == 0:
        session.reset_states()
        same = np.array_equal(session.run(ROWS)[0], ROWS + BIAS)
        session.close()
        os._exit(0 if same else 1)
    assert os.waitpid(child, 0)[1] == 0
    session.reset_states()
    assert np.array_equal(session.run(ROWS)[0], ROWS + BIAS)


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_threads_give_the_same_bytes(model, threads):
    x = np.random.default_rng(1).standard_normal((16, 3)).astype(np.float32)
    assert model.session(threads=threads).run(x)[0].tobytes() == model.session().run(x)[0].tobytes()


def test_profile(model):
    with model.session(profile=True) as session:
        session.run(ROWS)
        session.run(ROWS)
        steps = session.profile()
        assert [step.runs for step in steps] == [2] * len(steps)
        assert {"remember", "shift", "sum", "count"} >= {step.node for step in steps} and steps
    assert model.session().profile() == []


def classify(x):
    """The classifier of tiny_models.py in double precision."""
    for _, rows, columns, step, activation in tiny_models.CLASSIFIER:
        weight = np.array(tiny_models.waves(rows * columns, step)).reshape(rows, columns)
        x = x.astype(np.float64) @ weight + tiny_models.waves(columns, 2 * step)
        x = np.maximum(x, 0) if activation else x
    exponents = np.exp(x - x.max(1, keepdims=True))
    return x, exponents / exponents.sum(1, keepdims=True)


def test_a_classifier_agrees_with_numpy(classifier):
    x = np.random.default_rng(2).standard_normal((7, 64)).astype(np.float32)
    with apus.Model(classifier) as model, model.session() as session:
        outputs = session.run({"x": x})
        logits, probabilities = classify(x)
        assert np.allclose(outputs["logits"], logits, rtol=1e-5, atol=1e-4)
        assert np.allclose(outputs["probabilities"], probabilities, rtol=1e-4, atol=1e-6)
        assert model.labels("logits")[7] == "seven"
        alone = [session.run(row[None])[0][0] for row in x]
        assert np.array_equal(outputs["logits"], alone)


@pytest.mark.parametrize("threads", [2, 3, 7])
def test_a_classifier_on_threads(classifier, threads):
    x = np.random.default_rng(3).standard_normal((32, 64)).astype(np.float32)
    model = apus.Model(classifier)
    for got, wanted in zip(model.session(threads=threads).run(x), model.session().run(x)):
        assert got.tobytes() == wanted.tobytes()


ALL = ["f32", "f64", "f16", "bf16", "i8", "u8", "i16", "u16", "i32", "i64", "bool"]


def test_codes_go_in_and_out():
    """A quantized layer through the C interface, and in the second reader: the same codes as by hand."""
    x = np.random.default_rng(1).integers(-128, 128, (16, tiny_models.CODES["inputs"]), np.int8)
    w, c, m = (np.array(part) for part in tiny_models.code_weights())
    acc = (c + (x.astype(np.int64) + 128) @ w).astype(np.int32)
    zero = tiny_models.CODES["y"][1]
    wanted = (np.rint(np.clip(acc.astype(np.float32) * m.astype(np.float32), 0, 127 - zero)) + zero).astype(np.int8)
    assert len(np.unique(wanted)) > 50 and (wanted == 127).any() and (wanted == zero).any()
    with apus.Model(tiny_models.codes()) as model, model.session() as session:
        (given,), (made,) = model.inputs, model.outputs
        assert (given.type, given.scale, given.zero_point) == (apus.DType.I8, np.float32(0.05), 3)
        assert (made.type, made.scale, made.zero_point) == (apus.DType.I8, 0.25, -7)
        np.testing.assert_array_equal(session.run(x)[0], wanted)
        np.testing.assert_array_equal(session.run(x[:5])[0], wanted[:5])
    (found,), _ = reader.Model(tiny_models.codes()).run("predict", [x])
    np.testing.assert_array_equal(found, wanted)


def test_a_stream_in_steps_and_in_chunks():
    """A GRU and attention to keys and values in codes, beyond what they look back on: one bit pattern, near the second reader's."""
    x = np.random.default_rng(2).standard_normal((1, 24, 48), np.float32)
    file = tiny_models.stream()
    with apus.Model(file) as model:
        found = {}
        for name, count in (("step", 1), ("step_4", 4)):
            with model.session() as session:
                parts = [session.run(part, function=name)[0] for part in np.split(x, 24 // count, 1)]
                found[name] = np.concatenate(parts, 1)
        assert found["step"].tobytes() == found["step_4"].tobytes()
    second, states = reader.Model(file), None
    for time in range(24):
        (wanted,), states = second.run("step", [x[:, time : time + 1]], states)
        np.testing.assert_allclose(found["step"][:, time : time + 1], wanted, rtol=1e-4, atol=1e-5)


def test_every_type_goes_in_and_out(casts):
    values = np.array([0, 1, 1, 0], np.float32)
    with apus.Model(casts) as model, model.session() as session:
        bits = {"bf16": (values.view(np.uint32) >> 16).astype(np.uint16)}
        arrays = {info.name: bits.get(info.name, values.astype(info.dtype)) for info in model.inputs}
        outputs = session.run(arrays)
        for name in ALL:
            assert np.array_equal(outputs["from " + name], values), name
            written = outputs["to " + name]
            assert written.dtype == arrays[name].dtype and np.array_equal(written, arrays[name]), name


def test_arithmetic_on_f64_is_refused_by_name():
    """The inference library leaves it out."""
    kind = tiny_models.type_of(tiny_models.F64, [4])
    negate = tiny_models.input_("x", kind) + tiny_models.node("negate", tiny_models.NEG, [0])
    function = tiny_models.field(1, "predict") + negate + tiny_models.output("y", 1, kind)
    data = tiny_models.model("doubles", tiny_models.field(8, function))
    with apus.Model(data) as model, pytest.raises(apus.Error, match="'negate'.*f64 needs libapus-training"):
        model.session()
