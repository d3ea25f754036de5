"""The training benchmark: one step of Adam on one batch, in interleaved rounds."""

from __future__ import annotations

import sys
from typing import Iterator

from .machine import Machine
from .models import TRAINING, Training
from .network import Network
from .pace import Pace
from .report import Omission, Row
from .rounds import Effort, measure
from .train_worker import FRAMEWORKS
from .workers import ApusTraining, Failed, Timed, Worker, python_module

RUNTIMES = ["apus", *FRAMEWORKS]


def run(models: list[str], runtimes: list[str], threads: list[int], effort: Effort,
        machine: Machine, pace: Pace) -> Iterator[tuple[list[Row], list[Omission]]]:
    """Yields what each model gave as soon as it is measured."""
    for model in models:
        rows: list[Row] = []
        omissions: list[Omission] = []
        training = TRAINING[model]
        net = training.build()
        for count in threads:
            workers: list[Timed] = []
            for name in runtimes:
                _progress(f"training {model}, {count} thread(s): {name} opens")
                try:
                    workers.append(_start(name, model, training, net, count))
                except Failed as error:
                    omissions.append(Omission("training", model, name, str(error)))
                    _progress(f"{model}: {name} is left out: {error}")
            _progress(f"training {model}, {count} thread(s): rounds")
            times, failures = measure(workers, count, effort, pace)
            omissions += [Omission("training", model, name, reason) for name, reason in failures.items()]
            operations = 3 * net.operations * training.batch
            bound = machine.training_bound_us(net, training.batch, count)
            for worker in workers:
                if worker.name in times:
                    t = times[worker.name]
                    rows.append(Row(
                        "training", model, "f32", count, worker.name, t.median, t.p10, t.p90, worker.memory(),
                        worker.open_ms, worker.first_ms, operations / t.median * 1e-3, bound / t.median))
                worker.close()
        yield rows, omissions


def _start(name: str, model: str, training: Training, net: Network, threads: int) -> Timed:
    """A worker that trains a network of as many parameters as the table's."""
    worker = (ApusTraining(training, net, threads) if name == "apus"
              else Worker(name, python_module("train_worker", name, model, threads), threads))
    found = worker.first["parameters"]
    wanted = net.trainable + net.spare(name)
    if found != wanted:
        worker.close()
        raise Failed(f"{found} parameters, wanted {wanted}")
    return worker


def _progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
