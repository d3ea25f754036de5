"""Builds the wheel, with build/libapus.so inside, into build/wheel; prints its path."""

import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
FOLDER = PACKAGE.parent.parent / "build" / "wheel"


def main() -> None:
    for old in FOLDER.glob("apus-*.whl"):
        old.unlink()
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(FOLDER), str(PACKAGE)]
    subprocess.run(command, check=True)
    (wheel,) = FOLDER.glob("apus-*.whl")
    print(wheel)


main()
