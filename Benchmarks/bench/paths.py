"""Where things lie."""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BENCHMARKS = ROOT / "Benchmarks"
BUILD = ROOT / "build" / "bench"
LIBAPUS = ROOT / "build" / "libapus.so"
# The tools of this repository, or those of another build.
TOOLS = Path(os.environ.get("APUS_TOOLS", ROOT / ".build" / "release"))
SITE = Path(sysconfig.get_paths()["purelib"])


def package_file(pattern: str) -> Path:
    """The one file of an installed package that a pattern names."""
    found = sorted(SITE.glob(pattern))
    if not found:
        raise FileNotFoundError(f"{SITE}/{pattern}: not installed")
    return found[0]
