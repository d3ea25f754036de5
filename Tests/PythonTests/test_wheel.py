"""The wheel carries the library and runs from a clean environment. Needs pip, venv and setuptools (or the network)."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "Bindings" / "python"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(PACKAGE)],
        capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode != 0 and "setuptools" in done.stderr and "No matching distribution" in done.stderr:
        pytest.skip("setuptools cannot be fetched here")
    assert done.returncode == 0, done.stderr
    (made,) = folder.iterdir()
    return made


def test_name_and_contents(wheel):
    assert wheel.name.startswith("apus-1.0.0-py3-none-linux_")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"apus/libapus.so", "apus/__init__.py", "apus/_abi.py", "apus/py.typed"} <= names
    assert {"LICENSE", "THIRD-PARTY-NOTICES"} <= {Path(name).name for name in names}


def test_it_runs_without_the_checkout(wheel, tmp_path, models):
    zipfile.ZipFile(wheel).extractall(tmp_path)
    code = (
        "import sys, apus, numpy as np\n"
        "assert apus.__file__.startswith(sys.argv[2])\n"
        "print(apus.Model(sys.argv[1]).session().run(np.zeros((1, 3), np.float32))[0].tolist())"
    )
    environment = {key: value for key, value in os.environ.items() if key != "APUS_LIBRARY"}
    environment["PYTHONPATH"] = str(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", code, str(models / "counter.apus"), str(tmp_path)],
        env=environment, capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert done.stdout.strip() == "[[1.0, 2.0, 3.0]]", done.stderr
