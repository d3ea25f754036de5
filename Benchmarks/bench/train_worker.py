"""Times training steps of a framework called from Python; the protocol is that of harness.c.

    python -m bench.train_worker FRAMEWORK ROW THREADS

Each framework gets one batch, trains on it again and again, and leaves out all that a step does not need (metrics,
callbacks, the input pipeline).
"""

from __future__ import annotations

import os
import sys
import time
from typing import Callable

import numpy as np

from .models import TRAINING
from .network import Network
from .protocol import serve, status

Step = Callable[[], object]


def targets(net: Network, batch: int) -> np.ndarray:
    """Classes, of each token where the output has tokens, or numbers where the network has one output."""
    random = np.random.default_rng(7)
    if net.output_size == 1:
        return random.standard_normal((batch, 1), np.float32)
    return random.integers(0, net.classes, (batch, *net.shape(net.output)[:-1]))


def pytorch(net: Network, batch: int, threads: int, compiled: bool = False) -> tuple[Step, int]:
    import torch
    from torch.nn import functional as F

    from .torch_network import TorchNetwork, parameter_count, torch_input

    torch.set_num_threads(threads)
    module = TorchNetwork(net, weighted=False).train()
    x, y = torch_input(net, net.sample(batch)), torch.from_numpy(targets(net, batch))
    if x.ndim == 4:
        x, module = x.to(memory_format=torch.channels_last), module.to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(module.parameters(), lr=1e-3, fused=True)
    forward = torch.compile(module) if compiled else module

    def step() -> torch.Tensor:
        optimizer.zero_grad(set_to_none=True)
        prediction = forward(x)
        loss = F.mse_loss(prediction, y) if net.output_size == 1 else F.cross_entropy(prediction.flatten(0, -2), y.flatten())
        loss.backward()
        optimizer.step()
        return loss

    return step, parameter_count(module)


def keras(net: Network, batch: int, threads: int, jit: bool = False) -> tuple[Step, int]:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras
    import tensorflow as tf

    from .keras_network import keras_network

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    model = keras_network(net, batch, weighted=False)
    x, y = tf.constant(net.sample(batch)), tf.constant(targets(net, batch))
    loss_function = (keras.losses.MeanSquaredError() if net.output_size == 1
                     else keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    optimizer = keras.optimizers.Adam(1e-3)
    optimizer.build(model.trainable_variables)

    @tf.function(jit_compile=jit)
    def train(x, y):
        with tf.GradientTape() as tape:
            loss = loss_function(y, model(x, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        return loss

    train = train.get_concrete_function(x, y)
    return lambda: train(x, y), int(sum(np.prod(v.shape) for v in model.trainable_variables))


FRAMEWORKS: dict[str, Callable[[Network, int, int], tuple[Step, int]]] = {
    "pytorch": pytorch,
    "pytorch-compile": lambda *arguments: pytorch(*arguments, compiled=True),
    "keras": keras,
    "keras-jit": lambda *arguments: keras(*arguments, jit=True),
}


def main() -> None:
    framework, row, threads = sys.argv[1:]
    training = TRAINING[row]
    base = status("VmRSS")
    began = time.perf_counter()
    step, parameters = FRAMEWORKS[framework](training.build(), training.batch, int(threads))
    opened = time.perf_counter()
    before = float(step())
    first = time.perf_counter()
    for _ in range(20):
        after = float(step())
    if not after < before:
        raise SystemExit(f"{framework}: the loss went from {before} to {after} in 20 steps on one batch")
    serve(base, step, {"open_us": (opened - began) * 1e6, "first_us": (first - began) * 1e6, "parameters": parameters})


if __name__ == "__main__":
    main()
