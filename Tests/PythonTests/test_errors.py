"""Every refusal has the right status and names the tensor, what was found and what was wanted."""

import pickle
import re
import threading

import apus
import numpy as np
import pytest
import tiny_models
from apus import DType, Status
from apus._session import _typed
from apus._types import _NUMPY as NUMPY

ROWS = np.zeros((2, 3), np.float32)


@pytest.fixture
def model(counter):
    with apus.Model(counter) as opened:
        yield opened


@pytest.fixture
def session(model):
    with model.session() as made:
        yield made


def refused(status, pattern, call, *arguments, **options):
    with pytest.raises(apus.Error) as caught:
        call(*arguments, **options)
    message = str(caught.value)
    assert caught.value.status == status, message
    assert re.search(pattern, message) and "\n" not in message, message


@pytest.mark.parametrize(
    ("array", "status", "pattern"),
    [
        (ROWS[0], Status.BAD_SHAPE, r"'x'.*\(3,\).*\[batch, 3\]"),
        (np.zeros((2, 4), np.float32), Status.BAD_SHAPE, r"'x'.*\(2, 4\).*\[batch, 3\]"),
        (np.zeros((17, 3), np.float32), Status.BAD_SHAPE, r"batch.*17.*16"),
        (np.zeros((0, 3), np.float32), Status.BAD_SHAPE, r"batch.*0"),
        (ROWS.astype(np.float64), Status.INVALID_ARGUMENT, r"'x'.*float64 found, float32 wanted"),
        (ROWS.astype(">f4"), Status.INVALID_ARGUMENT, r"'x'.*>f4 found"),
        (ROWS.astype(np.int32), Status.INVALID_ARGUMENT, r"'x'.*int32 found, float32 wanted"),
    ],
)  # fmt: skip
def test_arrays_that_do_not_fit(session, array, status, pattern):
    refused(status, pattern, session.run, {"x": array})
    refused(status, pattern, session.run, array)


def test_names(session):
    refused(Status.INVALID_ARGUMENT, r"no input 'w'.*'x'", session.run, {"w": ROWS})
    refused(Status.INVALID_ARGUMENT, r"no output 'x'.*'y'", session.output, "x")
    refused(Status.INVALID_ARGUMENT, r"no input 1\b", session.input, 1)
    refused(Status.INVALID_ARGUMENT, r"no input -1\b", session.input, -1)
    refused(Status.INVALID_ARGUMENT, r"no function 'f'.*'add', 'negate'", session.run, ROWS, function="f")
    refused(Status.INVALID_ARGUMENT, r"height", session.set_dimension, "height", 1)
    refused(Status.INVALID_ARGUMENT, r"NUL", session.set_dimension, "batch\0", 1)


def test_integers_beyond_those_of_c(model, session):
    refused(Status.INVALID_ARGUMENT, r"'batch' of 18446744073709551618", session.set_dimension, "batch", 2**64 + 2)
    refused(Status.INVALID_ARGUMENT, r"'batch' of -18446744073709551615", model.session, dimensions={"batch": 1 - 2**64})
    refused(Status.INVALID_ARGUMENT, r"threads of 4294967297", model.session, threads=2**32 + 1)


def test_counts(session):
    refused(Status.INVALID_ARGUMENT, r"2 inputs found, 1 wanted: x: f32 \[batch, 3\]", session.run, ROWS, ROWS)
    refused(Status.INVALID_ARGUMENT, r"0 inputs found", session.run)


def test_run_before_inputs(session):
    refused(Status.NOT_READY, r"x", session.execute)
    refused(Status.NOT_READY, r"x", session.run, {})


def test_binding(session):
    session.set_dimension("batch", 2)
    refused(Status.BAD_SHAPE, r"'x'.*\(1, 3\) found, \(2, 3\) wanted", session.bind_input, "x", ROWS[:1])
    refused(Status.INVALID_ARGUMENT, r"'x'.*float64 found", session.bind_input, "x", ROWS.astype(np.float64))
    refused(Status.INVALID_ARGUMENT, r"'x'.*contiguous", session.bind_input, "x", np.zeros((3, 2), np.float32).T)
    fixed = ROWS.copy()
    fixed.flags.writeable = False
    refused(Status.INVALID_ARGUMENT, r"output 'y'.*writable", session.bind_output, "y", fixed)
    session.bind_input("x", fixed)
    refused(Status.INVALID_ARGUMENT, r"'x'.*list found", session.bind_input, "x", ROWS.tolist())


def test_states_of_another_size(session):
    refused(Status.BAD_SHAPE, r"\d", session.load_states, session.save_states() + b"\0")
    refused(Status.BAD_SHAPE, r"\d", session.load_states, b"")
    with pytest.raises(TypeError):
        session.load_states("text")


def test_options(model):
    refused(Status.INVALID_ARGUMENT, r"\b0 threads", model.session, threads=0)
    refused(Status.INVALID_ARGUMENT, r"height", model.session, dimensions={"height": 1})
    refused(Status.BAD_SHAPE, r"batch.*17", model.session, dimensions={"batch": 17})
    memory = apus.aligned_empty(model.memory_size() + 64)
    refused(Status.INVALID_ARGUMENT, r"64", model.session, memory=memory[8:])
    refused(Status.INVALID_ARGUMENT, r"contiguous", model.session, memory=memory[::2])
    refused(Status.INVALID_ARGUMENT, r"contiguous", model.session, memory=bytearray(memory))


def test_an_error_is_pickled_whole():
    error = pickle.loads(pickle.dumps(apus.Error(Status.BAD_SHAPE, "a message")))
    assert isinstance(error, apus.Error) and (error.status, str(error)) == (Status.BAD_SHAPE, "a message")


def test_closed(model):
    session = model.session()
    session.close()
    session.close()
    refused(Status.INVALID_ARGUMENT, "closed", session.run, ROWS)
    refused(Status.INVALID_ARGUMENT, "closed", session.input, "x")


def in_a_thread(*calls):
    """Makes each call in a thread of its own until one is refused; returns the threads and what they raised."""
    raised = []

    def repeat(call):
        with pytest.raises(apus.Error) as caught:
            while True:
                call()
        raised.append(caught.value)

    threads = [threading.Thread(target=repeat, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    return threads, raised


def test_a_session_that_another_thread_uses(session):
    with session._open():
        calls = (lambda: session.run(ROWS), session.save_states, lambda: session.input("x"), session.fork)
        threads, raised = in_a_thread(*calls)
        for thread in threads:
            thread.join()
    assert len(raised) == 4
    assert all(one.status == Status.INVALID_ARGUMENT and "another thread" in str(one) for one in raised)
    session.run(ROWS)


def test_closing_while_another_thread_runs(classifier):
    model = apus.Model(classifier)
    for again in range(100):
        session = model.session(threads=1 + again % 2)
        threads, raised = in_a_thread(lambda: session.run(np.zeros((32, 64), np.float32)))
        threading.Event().wait(0.001)
        session.close()
        threads[0].join()
        assert "closed" in str(raised[0])


def test_files(tmp_path, counter):
    refused(Status.IO_ERROR, r"missing\.apus", apus.Model, tmp_path / "missing.apus")
    refused(Status.IO_ERROR, r".", apus.Model, tmp_path)
    refused(Status.INVALID_ARGUMENT, r"NUL", apus.Model, "digits.apus\0.txt")
    picture = tmp_path / "picture.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64))
    refused(Status.BAD_FILE, r"picture\.png", apus.Model, picture)
    refused(Status.BAD_FILE, r".", apus.Model, b"")
    refused(Status.BAD_FILE, r".", apus.Model, counter[:-1])
    flipped = bytearray(counter)
    flipped[40] ^= 1
    refused(Status.BAD_FILE, r"checksum", apus.Model, flipped)


@pytest.mark.parametrize("name", tiny_models.broken())
def test_broken_files(name, tmp_path):
    path = tmp_path / f"{name}.apus"
    path.write_bytes(tiny_models.broken()[name])
    status = Status.UNSUPPORTED if name.startswith("future-") else Status.BAD_FILE
    refused(status, re.escape(path.name), apus.Model, path)
    refused(status, r".", apus.Model, path.read_bytes())


def test_a_missing_library_is_named(tmp_path):
    import os
    import subprocess
    import sys

    code = "import apus; apus.version()"
    environment = {**os.environ, "APUS_LIBRARY": str(tmp_path / "libnothing.so"), "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.returncode != 0 and "libnothing.so" in done.stderr and "APUS_LIBRARY" in done.stderr


def converted(kind, values):
    info = apus.TensorInfo("x", kind, np.dtype(NUMPY[kind]), (2,), (None,), 8, 0, 0)
    return _typed(info, values)


@pytest.mark.parametrize("kind", [DType.F32, DType.F16, DType.I64, DType.U8, DType.BOOL])
def test_lists_become_the_type(kind):
    values = [True, False] if kind == DType.BOOL else [1, 2]
    array = converted(kind, values)
    assert array.dtype == NUMPY[kind] and array.tolist() == values


@pytest.mark.parametrize(
    "kind, values, found",
    [
        (DType.I32, [1.7, 2], "float64"), (DType.U8, ["1", "2"], "<U1"), (DType.BOOL, [1, 0], "int64"), (DType.F32, [1j, 2], "complex128"),
        (DType.I8, [1, 300], "int64 of 1 to 300"), (DType.U8, [-1, 2], "int64 of -1 to 2"),
        (DType.BF16, [1.5, 2], "list"), (DType.I4, [1, 2], "list"),
    ],
)  # fmt: skip
def test_lists_that_would_lose_something(kind, values, found):
    refused(Status.INVALID_ARGUMENT, rf"'x': dtype {found} found, .*{np.dtype(NUMPY[kind])}.* wanted", converted, kind, values)


@pytest.mark.parametrize("letter", ["x", "ž", "→", "\U0001f40e"])
def test_a_long_message_loses_its_middle(letter):
    with pytest.raises(apus.Error) as caught:
        apus.Model("missing")
    end = str(caught.value).removeprefix("missing")
    for shift in range(4):
        path = "y" * shift + "/".join([letter * 50] * 12)
        with pytest.raises(apus.Error) as caught:
            apus.Model(path)
        first, _, last = str(caught.value).partition("...")
        assert path.startswith(first) and (path + end).endswith(last) and last.endswith(end)
        assert 500 <= len(str(caught.value).encode()) <= 507
