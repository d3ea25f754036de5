"""The benchmark's own parts: that networks are those of the literature, and that figures are what they are called."""

from __future__ import annotations

import json
import sys

import pytest
from reader import ROOT

sys.path.insert(0, str(ROOT / "Benchmarks"))

from bench.machine import Machine
from bench.models import INFERENCE, TRAINING, cifar_resnet
from bench.network import Network
from bench.pace import Pace
from bench.products import line, products
from bench.report import Omission, Row, write
from bench.rounds import Effort, measure
from bench.workers import Failed

# Trained parameters as published (torchvision's models, the tables of ModelLibrary, MiniLM without its pooler), and
# multiply-adds of products in millions where they are.
PUBLISHED = {
    "mlp-10-64-64-1": (4_929, None),
    "mlp-784-1024-1024-10": (1_863_690, None),
    "mnist-cnn": (225_034, None),
    "cifar-cnn": (122_570, None),
    "resnet18": (11_689_512, 1_814),
    "resnet50": (25_557_032, 4_089),
    "vgg16": (138_357_544, 15_470),
    "mobilenet_v2": (3_504_872, 301),
    "efficientnet_b0": (5_288_548, 386),
    "vit_b_16": (86_567_656, None),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_networks_are_the_published_ones(name: str) -> None:
    net = INFERENCE[name]()
    parameters, millions = PUBLISHED[name]
    assert net.trainable == parameters
    if millions:
        assert net.operations / 2e6 == pytest.approx(millions, rel=0.01)


def test_cifar_resnet_has_the_layers_of_the_library() -> None:
    net = cifar_resnet()
    assert sum(node.op in ("conv", "dense") for node in net.nodes) == 6 * 2 + 2 + 2
    assert all(training.build().trainable > 0 for training in TRAINING.values())


def test_weights_are_drawn_by_name_and_fit() -> None:
    net = INFERENCE["mnist-cnn"]()
    weights = net.weights()
    assert [{key: value.shape for key, value in drawn.items()} for drawn in weights] == [node.weights for node in net.nodes]
    again = INFERENCE["mnist-cnn"]().weights()
    assert all((again[i][key] == value).all() for i, drawn in enumerate(weights) for key, value in drawn.items())
    assert net.sample(2).shape == (2, 28, 28, 1)


class Pretended:
    """A runtime whose calls take `microseconds`, by the clock it keeps itself."""

    open_ms = first_ms = 1.0

    def __init__(self, name: str, microseconds: float, order: list[str], fails_after: int = 1 << 30) -> None:
        self.name, self.microseconds, self.order, self.left = name, microseconds, order, fails_after

    def time(self, blocks: int, calls: int) -> list[float]:
        self.left -= 1
        if self.left < 0:
            raise Failed("it broke")
        self.order.append(self.name)
        return [self.microseconds * (1 + i % 3) for i in range(blocks)]

    def pin(self, processors: list[int]) -> None:
        self.order.append(f"{self.name} on {processors}")

    def memory(self) -> float:
        return 1.0

    def close(self) -> None:
        pass


def test_rounds_turn_and_failures_are_named() -> None:
    order: list[str] = []
    workers = [Pretended("a", 50, order), Pretended("b", 200, order), Pretended("c", 10, order, fails_after=5)]
    effort = Effort(rounds=3, seconds=0.003, warm_up=0.001, patience=0)
    times, failures = measure(workers, 1, effort, Pace(lambda: {0: 100, 1: 90}))
    pins = [step for step in order if " on " in step]
    assert pins == [f"{name} on [1]" for name in ("a", "b", "c", "b", "c", "a", "a", "b")]
    # Each once more, untimed, where it moved to.
    assert order[9:12] == ["a on [1]", "a", "a"]
    assert failures == {"c": "it broke"} and set(times) == {"a", "b"}
    assert times["a"].median == 100 and times["b"].p10 == 200 and times["b"].p90 == 600


def test_disturbed_slots_are_timed_again() -> None:
    # The pace before and after each slot, once twenty were asked for.
    paces = iter([100] * 20 + [150, 100, 130, 100, 105, 100, 200])
    pace = Pace(lambda: {0: next(paces)})
    pace.begin(1, patience=60)
    runs: list[list[int]] = []

    def run(processors: list[int]) -> list[float]:
        runs.append(processors)
        return [float(len(runs))]

    # It waits while the processor is slow, and times again what turned out to be.
    assert pace.slot(run) == [2.0] and runs == [[0], [0]]
    assert (pace.slots, pace.disturbed) == (1, 0)
    pace.begin(1, patience=0)
    assert pace.slot(run) == [3.0]
    assert (pace.slots, pace.disturbed) == (1, 1)


def test_the_bound_is_the_slower_of_arithmetic_and_memory() -> None:
    levels = {"L1": (1000, 100), "L2": (10_000, 50), "L3": (100_000, 20), "DRAM": (0, 10)}
    peak = {"fma": 100.0, "memory": {name: {"bytes": size, "gb_per_s": rate} for name, (size, rate) in levels.items()}}
    machine = Machine("a processor", {1: peak})
    assert machine.bound_us(1_000_000, 1000, 1) == pytest.approx(10)
    assert machine.bound_us(1000, 1_000_000, 1) == pytest.approx(100)
    net = Network("embedding", (4,), integer_below=10)
    net.output = net.mean_token(net.dense(net.embedding(net.input, 10_000, 8), 8))
    # The table is not read as a whole: 72 weights of the dense layer, 512 operations.
    assert machine.inference_bound_us(net, 1) == pytest.approx(max(512 / 100, 4 * 72 / 100) * 1e-3)


def test_products_of_the_networks_and_their_share_of_the_peak() -> None:
    found = products(["mlp-784-1024-1024-10", "resnet50", "mobilenet_v2"])
    assert found[1, 1024, 1024] == ["mlp-784-1024-1024-10"]
    assert found[56 * 56, 64, 256] == ["resnet50"]  # 1 x 1 of stride 1
    assert (28 * 28, 256, 512) not in found  # of stride 2: no product of rows
    assert (56 * 56, 9, 96) not in found and found[56 * 56, 24, 144] == ["mobilenet_v2"]
    levels = {"L1": (1000, 100), "L2": (10_000, 50), "L3": (100_000, 20), "DRAM": (0, 10)}
    peak = {"fma": 100.0, "memory": {name: {"bytes": size, "gb_per_s": rate} for name, (size, rate) in levels.items()}}
    machine = Machine("a processor", {1: peak})
    # 2000 operations in 0.1 µs are 20 GFLOP/s; 4000 bytes in it, 40 GB/s of the second level.
    assert line(machine, (1, 100, 10), [0.1, 0.2, 0.3, 4], ["m"]) == (
        "| 1 × 100 × 10 | 0.10 | 20.0 | 20 % | 40 GB/s, 80 % of L2 | 0.20 | 0.30 | 4.00 | m |")
    assert line(machine, (4, 100, 10), [0.1, 0.2, 0.3, 4], ["m"]).split(" | ")[3:5] == ["80 %", ""]


def test_results(tmp_path) -> None:
    peak = {"threads": 1, "isa": "avx2", "fma": 100.0, "int8": None,
            "memory": {name: {"bytes": 1, "gb_per_s": 10.0} for name in ("L1", "L2", "L3", "DRAM")}}
    rows = [Row("inference", "m", "f32", 1, name, median, median, median, 1, 2, 3, 4, 0.5)
            for name, median in (("apus", 2.0), ("fast", 5.0), ("slow", 9.0))]
    text = write(tmp_path, rows, [Omission("inference", "n", "apus", "because")], Machine("p", {1: peak}), {"x": "1"}, "quick")
    assert "| m | 2 | 2 … 2 | **2.50** | 4 | 50 % | **5** | 9 |" in text
    assert "- inference, n, f32, apus: because" in text
    assert (tmp_path / "results.md").read_text() == text
    read = json.loads((tmp_path / "results.json").read_text())["rows"]
    assert read[0]["runtime"] == "apus" and read[0]["median_us"] == 2.0 and read[0]["open_ms"] == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["results.json", "results.md"]
    integer = [Row("inference", "m", "int8", 1, name, median, median, median, 1, 2, 3, 4, 0.5)
               for name, median in (("apus", 0.5), ("fast", 1.0))]
    omission = Omission("inference", "m", "slow", "because", "int8")
    text = write(tmp_path, integer, [omission], Machine("p", {1: peak}), {"x": "1"}, "quick")
    assert "| m | 2 | 2 … 2 | **2.50** | 4 | 50 % | **5** | 9 |" in text, "the rows of f32 stay"
    assert "| m | 0.5 | 0.5 … 0.5 | **2.00** | 4 | 50 % | 4.00 | **1** |" in text, "with the ratio to f32"
    assert "- inference, m, int8, slow: because" in text
    text = write(tmp_path, rows, [], Machine("p", {1: peak}), {"x": "1"}, "quick", "avx2")
    assert "`APUS_ISA=avx2`" in text and "for lack of a switch: onnxruntime" in text
    assert (tmp_path / "results-avx2.md").read_text() == text != (tmp_path / "results.md").read_text()
