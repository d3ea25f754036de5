"""Converts models that PyTorch exports and compares Apus with ONNX Runtime; see README.md.

    run.py [--models a,b] [--exporters legacy,dynamo] [--json FILE] [--write]
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from importlib.metadata import version
from pathlib import Path
from typing import Optional

from compare import Result, check
from export import EXPORTERS
from models import MODELS

HERE = Path(__file__).parent

# Heading and content of each column of the table; a colon aligns numbers to the right, as in Markdown.
COLUMNS: tuple[tuple[str, str, Callable[[Result], object]], ...] = (
    ("model", "---", lambda r: r.model),
    ("exporter", "---", lambda r: r.exporter),
    ("dimensions", "---", lambda r: r.dimensions),
    ("opset", "---:", lambda r: r.opset),
    ("nodes in ONNX", "---:", lambda r: r.onnx_nodes),
    ("in .apus", "---:", lambda r: r.apus_nodes),
    ("seconds", "---:", lambda r: r.seconds),
    ("peak MB", "---:", lambda r: r.peak_mb),
    ("file MB", "---:", lambda r: r.file_mb),
    ("error / tolerance", "---:", lambda r: r.error),
    ("agrees", "---", lambda r: r.reason.replace("|", "/") or f"yes, {r.library}"),
)
HEADINGS = [heading for heading, _, _ in COLUMNS]


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3g}" if value < 100 else f"{value:.0f}"
    return "" if value is None else str(value)


def _rows(results: Sequence[Result]) -> list[list[str]]:
    return [[_cell(content(one)) for _, _, content in COLUMNS] for one in results]


def _markdown(results: Sequence[Result]) -> str:
    agreeing = sum(one.agrees for one in results)
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "torchvision", "transformers", "onnxruntime"))
    lines = [
        "# Models exported by PyTorch", "",
        f"Written by `scripts/test-models.sh --write`: {agreeing} of {len(results)} agree. {packages}, Python "
        f"{platform.python_version()}.", "",
        "Dimensions: with fixed sizes, or the bounds of symbolic ones, which are then run at three sizes. Seconds and peak",
        "are those of the process of `convert-model`; the error is the largest, relative to its tolerance.", "",
        "| " + " | ".join(HEADINGS) + " |",
        "|" + "|".join(align for _, align, _ in COLUMNS) + "|",
    ]  # fmt: skip
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in _rows(results)]) + "\n"


def _text(results: Sequence[Result]) -> str:
    rows = [HEADINGS, *_rows(results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS) - 1)]
    return "\n".join("  ".join([*(cell.ljust(width) for cell, width in zip(row, widths)), row[-1]]) for row in rows)


def _isolated(name: str, exporter: str, symbolic: bool) -> Result:
    """The case in a process of its own, forked from one that has the packages loaded and nothing else."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["export", "onnx", "onnxruntime", "onnxscript"])
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        try:
            return pool.submit(check, name, exporter, symbolic).result()
        except BrokenProcessPool:
            return Result(name, exporter, "symbolic" if symbolic else "fixed", reason="the process crashed")


def _choice(text: Optional[str], known: Sequence[str], what: str) -> list[str]:
    chosen = text.split(",") if text else list(known)
    for one in chosen:
        if one not in known:
            sys.exit(f"run.py: no {what} '{one}', wanted some of: {', '.join(known)}")
    return chosen


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", metavar="NAMES", help="some of the models, with commas between")
    parser.add_argument("--exporters", metavar="NAMES", help="legacy, dynamo or both")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the table as JSON")
    parser.add_argument("--write", action="store_true", help="write Results.md")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    options = parser.parse_args()
    models = _choice(options.models, [row.name for row in MODELS], "model")
    exporters = _choice(options.exporters, EXPORTERS, "exporter")

    results: list[Result] = []
    for row in (row for row in MODELS if row.name in models):
        for exporter in exporters:
            for symbolic in (False, True) if row.axes else (False,):
                results.append(_isolated(row.name, exporter, symbolic))
                if not options.quiet:
                    print("  ".join(cell for cell in _rows(results[-1:])[0] if cell), file=sys.stderr, flush=True)
    print(_text(results))
    if options.json:
        _write(options.json, json.dumps([one.as_json() for one in results], indent=2) + "\n")
    if options.write:
        _write(HERE / "Results.md", _markdown(results))
    failed = sum(not one.agrees for one in results)
    print(f"{len(results) - failed} of {len(results)} agree")
    return 1 if failed else 0


def _write(path: Path, text: str) -> None:
    part = path.with_name(path.name + ".part")
    with part.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


if __name__ == "__main__":
    sys.exit(main())
