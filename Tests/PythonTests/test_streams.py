"""A stream goes on in another process, with the bits it would have had in the first.

`swift test --filter testOracleFilesAreWritten` writes build/oracle/streams/stream.apus: a causal convolution, a GRU, an LSTM and
causal attention, with a step of 1 and of 4 elements.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT

MODEL = ROOT / "build" / "oracle" / "streams" / "stream.apus"
# Takes up a stream from the file of its states, if there is one, and leaves them there.
PROCESS = """
import sys
from pathlib import Path
import apus, numpy as np
model, states, x, y, threads = sys.argv[1:]
with apus.Model(model) as model, model.session(threads=int(threads)) as session:
    if Path(states).exists():
        session.load_states(Path(states).read_bytes())
    step = [function.name for function in model.functions].index("step")
    elements = np.load(x)
    np.save(y, np.concatenate([session.run(elements[None, t : t + 1], function=step)[0][0] for t in range(len(elements))]))
    Path(states).write_bytes(session.save_states())
"""


def run(folder: Path, stream: str, elements: np.ndarray, threads: int) -> np.ndarray:
    """What a process of its own makes of the next elements of a stream."""
    x, y = folder / "x.npy", folder / "y.npy"
    np.save(x, elements)
    environment = os.environ | {"PYTHONPATH": str(ROOT / "Bindings" / "python")}
    command = [sys.executable, "-c", PROCESS, MODEL, folder / stream, x, y, str(threads)]
    subprocess.run([str(part) for part in command], env=environment, check=True)
    return np.load(y)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_stream_goes_on_in_another_process(tmp_path: Path, threads: int) -> None:
    assert MODEL.exists(), f"no {MODEL.name}: run swift test --filter testOracleFilesAreWritten"
    elements = np.random.default_rng(1).standard_normal((12, 6)).astype(np.float32)
    whole = run(tmp_path, "whole", elements, threads)
    parts = [run(tmp_path, "parts", part, threads) for part in (elements[:5], elements[5:6], elements[6:])]
    assert np.concatenate(parts).tobytes() == whole.tobytes()
    assert (tmp_path / "parts").read_bytes() == (tmp_path / "whole").read_bytes()
    assert run(tmp_path, "afresh", elements[5:], threads).tobytes() != whole[5:].tobytes()
