"""Times Apus and its peers: see Benchmarks/README.md."""

from __future__ import annotations

import argparse
import os

from . import inference, integer, training
from .machine import measure_machine, package_versions
from .models import INFERENCE, TRAINING
from .pace import Pace, Probe
from .paths import BENCHMARKS
from .report import write
from .rounds import FULL, QUICK
from .runtimes import RUNTIMES, SWITCHES

# Not every thread count tells something of training: users train on all they have.
TRAINING_THREADS = [2]
# It compiles for up to a minute: left out of --quick unless it is named.
SLOW_TO_OPEN = {"pytorch-compile"}


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--task", choices=["inference", "integer", "training"], help="only one of these")
    parser.add_argument("--models", metavar="NAME,…", help=f"some of {', '.join([*INFERENCE, *TRAINING])}; "
                        "a name without its batch stands for all batches")
    parser.add_argument("--rivals", metavar="NAME,…", help=f"beside Apus: some of {', '.join(_rivals())}")
    parser.add_argument("--threads", metavar="N,…", default="1,2", help="for inference; 1,2 by default")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds, and no torch.compile unless named")
    parser.add_argument("--isa", choices=list(SWITCHES), help="keep to an instruction set all that have a switch for it; "
                        "the results go to files of their own")
    options = parser.parse_args()

    chosen = options.models.split(",") if options.models else None
    rivals = options.rivals.split(",") if options.rivals else _rivals(options.quick)
    for name in rivals:
        if name not in _rivals():
            parser.error(f"no rival '{name}', wanted some of {', '.join(_rivals())}")
    for name in chosen or []:
        if not _models(INFERENCE, [name]) and not _models(TRAINING, [name]):
            parser.error(f"no model '{name}', wanted some of {', '.join([*INFERENCE, *TRAINING])}")
    try:
        threads = sorted({int(count) for count in options.threads.split(",")})
    except ValueError:
        parser.error(f"--threads {options.threads}, wanted numbers such as 1,2")

    effort = QUICK if options.quick else FULL
    os.environ.update(SWITCHES.get(options.isa, {}))
    machine = measure_machine(sorted({*threads, *TRAINING_THREADS}), options.isa)
    pace = Pace(Probe())
    packages = package_versions()
    rows, omissions, text = [], [], ""
    for task, module, table, counts in (
        ("inference", inference, INFERENCE, threads), ("integer", integer, INFERENCE, threads),
        ("training", training, TRAINING, TRAINING_THREADS)
    ):
        if options.task in (None, task):
            known = training.RUNTIMES if task == "training" else list(RUNTIMES)
            names = [name for name in known if name == "apus" or name in rivals]
            for measured, left_out in module.run(_models(table, chosen), names, counts, effort, machine, pace):
                rows += measured
                omissions += left_out
                # After each model, so that a long run that is stopped has not run for nothing.
                text = write(BENCHMARKS, rows, omissions, machine, packages, "quick" if options.quick else "full",
                             options.isa)
    print(text)


def _models(table: dict, chosen: list[str] | None) -> list[str]:
    return [name for name in table if chosen is None or name in chosen or name.partition(" ")[0] in chosen]


def _rivals(quick: bool = False) -> list[str]:
    names = [name for name in [*RUNTIMES, *training.RUNTIMES] if name != "apus"]
    return [name for name in dict.fromkeys(names) if not (quick and name in SLOW_TO_OPEN)]


if __name__ == "__main__":
    main()
