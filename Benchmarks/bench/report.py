"""The results as rows, as Markdown and as JSON."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from .machine import Machine
from .runtimes import SWITCHES, WITHOUT_SWITCH


@dataclass
class Row:
    task: str  # inference or training
    model: str
    type: str  # f32, int8, w8 or w4
    threads: int
    runtime: str
    median_us: float
    p10_us: float
    p90_us: float
    peak_rss_mb: float
    open_ms: float
    first_ms: float
    gflops: float
    # The least time of this work on this machine (machine.py) over the median.
    share_of_peak: float


@dataclass
class Omission:
    task: str
    model: str
    runtime: str
    reason: str
    type: str = "f32"


def write(folder: Path, rows: list[Row], omissions: list[Omission], machine: Machine, packages: dict[str, str],
          effort: str, isa: str | None = None) -> str:
    """Writes results.json and results.md, or those of an instruction set; returns the latter. Models that this run does not time keep their rows, where
    these were measured with the same effort on the same processor."""
    result = {
        "date": date.today().isoformat(), "effort": effort, "isa": isa, "machine": machine.report(), "packages": packages,
        "rows": [{key: round(value, 4) if isinstance(value, float) else value for key, value in asdict(row).items()}
                 for row in rows],
        "omissions": [asdict(omission) for omission in omissions],
    }
    path = folder / (f"results-{isa}.json" if isa else "results.json")
    _keep_others(path, result)
    text = markdown(result)
    _replace(path, json.dumps(result, indent=1) + "\n")
    _replace(path.with_suffix(".md"), text)
    return text


def _keep_others(path: Path, result: dict) -> None:
    if not path.exists():
        return
    old = json.loads(path.read_text())
    if old["effort"] != result["effort"] or old["machine"]["processor"] != result["machine"]["processor"]:
        return
    def key(row: dict) -> tuple[str, str, str]:
        return row["task"], row["model"], row.get("type", "f32")

    timed = {key(row) for row in result["rows"] + result["omissions"]}
    for part in ("rows", "omissions"):
        result[part] += [row for row in old[part] if key(row) not in timed]


def markdown(result: dict) -> str:
    parts = [
        "# Apus and its peers\n",
        f"{result['date']}, {result['effort']}; {result['machine']['processor']}. Times are medians of interleaved "
        "rounds, in microseconds, with the 10th and 90th percentile of Apus. *Ratio*: the fastest rival's median over "
        "Apus's. *Peak*: the least time in which this machine could do the multiply-adds or read the weights, over "
        "Apus's median.\n",
        *_switches(result.get("isa")),
        _peaks(result["machine"]["peaks"]),
        "Packages: " + ", ".join(f"{name} {version}" for name, version in result["packages"].items()) + ".\n",
    ]
    for task, title in (("inference", "Inference, one sample"), ("training", "Training, one step with Adam")):
        rows = [row for row in result["rows"] if row["task"] == task]
        for kind in sorted({row["type"] for row in rows}, key=lambda kind: (kind != "f32", kind)):
            for threads in sorted({row["threads"] for row in rows}):
                chosen = [row for row in rows if row["threads"] == threads and row["type"] == kind]
                parts.append(f"## {title}, {kind}, {threads} thread{'s' if threads > 1 else ''}\n")
                parts.append(_times(chosen, _apus_times(rows, threads) if kind != "f32" else {}))
        if rows := [row for row in rows if row["type"] == "f32"]:
            parts.append(f"## {title}: memory and opening\n")
            parts.append("Each cell: peak resident MB that the runtime adds · ms to open · ms to the first result; "
                         f"{min(row['threads'] for row in rows)} thread(s).\n")
            parts.append(_memory(rows))
    if result["omissions"]:
        parts.append("## Left out\n")
        parts.append("".join(f"- {o['task']}, {o['model']}, {o.get('type', 'f32')}, {o['runtime']}: {o['reason']}\n" for o in result["omissions"]))
    return "\n".join(parts)


def _switches(isa: str | None) -> list[str]:
    if not isa:
        return []
    variables = ", ".join(f"`{name}={value}`" for name, value in SWITCHES[isa].items())
    return [f"Kept to {isa} by {variables}. Not kept to it, for lack of a switch: {', '.join(WITHOUT_SWITCH)}.\n"]


def _peaks(peaks: list[dict]) -> str:
    table = [["threads", "instructions", "f32 GFLOP/s", "int8 GOP/s"] + [f"{name} GB/s" for name in peaks[0]["memory"]]]
    for peak in peaks:
        table.append([str(peak["threads"]), peak["isa"], _digits(peak["fma"]), _digits(peak["int8"])]
                     + [_digits(level["gb_per_s"]) for level in peak["memory"].values()])
    return _table(table)


def _apus_times(rows: list[dict], threads: int) -> dict[str, float]:
    """Of Apus in f32, by model."""
    return {row["model"]: row["median_us"] for row in rows
            if row["runtime"] == "apus" and row["type"] == "f32" and row["threads"] == threads}


def _times(rows: list[dict], in_f32: dict[str, float]) -> str:
    """With how much faster than Apus in f32, where there are such times."""
    rivals = _ordered({row["runtime"] for row in rows} - {"apus"})
    table = [["model", "Apus", "p10 … p90", "ratio", "GFLOP/s", "peak", *(["f32 / this"] if in_f32 else []), *rivals]]
    for model, runtimes in _by_model(rows).items():
        apus = runtimes.get("apus")
        times = {name: row["median_us"] for name, row in runtimes.items() if name != "apus"}
        best = min(times.values(), default=None)
        cells = [model, "", "", "", "", ""] + ([""] if in_f32 else [])
        if apus:
            cells = [model, _digits(apus["median_us"]), f"{_digits(apus['p10_us'])} … {_digits(apus['p90_us'])}",
                     f"**{best / apus['median_us']:.2f}**" if best else "", _digits(apus["gflops"]),
                     f"{100 * apus['share_of_peak']:.0f} %"]
            if in_f32:
                cells.append(f"{in_f32[model] / apus['median_us']:.2f}" if model in in_f32 else "")
        table.append(cells + [("**%s**" if times.get(name) == best else "%s") % _digits(times.get(name)) for name in rivals])
    return _table(table)


def _memory(rows: list[dict]) -> str:
    threads = min(row["threads"] for row in rows)
    rows = [row for row in rows if row["threads"] == threads]
    names = _ordered({row["runtime"] for row in rows})
    table = [["model", *names]]
    for model, runtimes in _by_model(rows).items():
        cells = []
        for name in names:
            row = runtimes.get(name)
            cells.append(" · ".join(_digits(row[key]) for key in ("peak_rss_mb", "open_ms", "first_ms")) if row else "")
        table.append([model, *cells])
    return _table(table)


def _by_model(rows: list[dict]) -> dict[str, dict[str, dict]]:
    models: dict[str, dict[str, dict]] = {}
    for row in rows:
        models.setdefault(row["model"], {})[row["runtime"]] = row
    return models


def _ordered(names: set[str]) -> list[str]:
    return sorted(names, key=lambda name: (name != "apus", name))


def _table(rows: list[list[str]]) -> str:
    head, *body = (f"| {' | '.join(row)} |\n" for row in rows)
    return head + "|" + "---|" * len(rows[0]) + "\n" + "".join(body)


def _digits(value: float | None) -> str:
    """Three significant digits."""
    if value is None:
        return ""
    if value >= 1000:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{value:.3g}"


def _replace(path: Path, text: str) -> None:
    temporary = path.with_name(path.name + ".new")
    with open(temporary, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
