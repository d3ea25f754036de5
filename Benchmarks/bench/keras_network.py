"""A described network as a Keras model. Images are channels-last, as TensorFlow has them."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers

from .network import Network, Node


def keras_network(net: Network, batch: int | None, weighted: bool = True) -> keras.Model:
    """weighted: with the network's own weights instead of Keras's initial ones."""
    x = keras.Input(net.input_shape, batch_size=batch, dtype="int32" if net.integer_below else "float32")
    values = {0: x}
    weighted_layers: list[tuple[keras.Layer, Node]] = []
    for node in net.nodes[1:]:
        inputs = [values[i] for i in node.inputs]
        if node.op == "tied":
            embedding = next(layer for layer, other in weighted_layers if other.index == node.attributes["embedding"])
            values[node.index] = Tied(embedding)(*inputs)
        elif node.weights:
            layer, inputs = _layer(net, node, inputs)
            values[node.index] = layer(*inputs)
            weighted_layers.append((layer, node))
        else:
            values[node.index] = _apply(net, node, *inputs)
    model = keras.Model(x, values[net.output])
    if weighted:
        drawn = net.weights()
        for layer, node in weighted_layers:
            layer.set_weights(list(_keras_weights(node, drawn[node.index]).values()))
    return model


class Table(layers.Layer):
    """A learned tensor: added to each sample, or put before its tokens."""

    def __init__(self, shape: tuple[int, ...], prepended: bool) -> None:
        super().__init__()
        self.prepended = prepended
        self.table = self.add_weight(shape=(1, *shape), name="table")

    def call(self, x):
        if not self.prepended:
            return x + self.table
        first = keras.ops.broadcast_to(self.table, (x.shape[0], *self.table.shape[1:]))
        return keras.ops.concatenate([first, keras.ops.reshape(x, (x.shape[0], -1, x.shape[-1]))], 1)


class Tied(layers.Layer):
    """A product with the table of an embedding."""

    def __init__(self, embedding: layers.Embedding) -> None:
        super().__init__()
        self.embedding = embedding

    def call(self, x):
        return keras.ops.matmul(x, keras.ops.transpose(self.embedding.embeddings))


def _layer(net: Network, node: Node, inputs: list) -> tuple[keras.Layer, list]:
    a, bias = node.attributes, "bias" in node.weights
    match node.op:
        case "conv":
            padding = "valid"
            if a["padding"] and a["stride"] == 1 and 2 * a["padding"] == a["kernel"] - 1:
                padding = "same"
            elif a["padding"]:
                inputs = [layers.ZeroPadding2D(a["padding"])(inputs[0])]
            options = {"strides": a["stride"], "padding": padding, "use_bias": bias}
            if a["groups"] > 1 and a["groups"] == net.shape(node.inputs[0])[-1] == node.shape[-1]:
                return layers.DepthwiseConv2D(a["kernel"], **options), inputs
            return layers.Conv2D(node.shape[-1], a["kernel"], groups=a["groups"], **options), inputs
        case "dense":
            return layers.Dense(node.shape[-1], use_bias=bias), inputs
        case "batch_norm":
            return layers.BatchNormalization(momentum=0.9, epsilon=a["epsilon"]), inputs
        case "layer_norm":
            return layers.LayerNormalization(epsilon=a["epsilon"]), inputs
        case "embedding":
            return layers.Embedding(*node.weights["table"]), inputs
        case "recurrent":
            kind = {"gru": layers.GRU, "lstm": layers.LSTM}[a["cell"]]
            return kind(a["units"], return_sequences=a["sequences"], dropout=a["dropout"]), inputs
        case "positions":
            return Table(node.shape, False), inputs
        case "tokens":
            return Table((1, node.shape[-1]), True), inputs
    raise ValueError(f"no Keras layer for '{node.op}'")


def _apply(net: Network, node: Node, x, *others):
    a = node.attributes
    match node.op:
        case "activation":
            if a["function"].startswith("gelu"):
                return keras.activations.gelu(x, approximate=a["function"] == "gelu_tanh")
            return keras.activations.get(a["function"])(x)
        case "max_pool":
            if a["padding"]:
                x = layers.ZeroPadding2D(a["padding"])(x)
            return layers.MaxPooling2D(a["size"], a["stride"])(x)
        case "global_avg_pool":
            return layers.GlobalAveragePooling2D(keepdims=a["keep"])(x)
        case "flatten":
            return layers.Flatten()(x)
        case "add":
            return layers.Add()([x, others[0]])
        case "scale":
            return layers.Multiply()([x, others[0]])
        case "first_token":
            return x[:, 0]
        case "mean_token":
            return keras.ops.mean(x, 1)
        case "attention":
            tokens, width = node.shape
            heads, depth = a["heads"], width // a["heads"]
            q, k, v = (keras.ops.transpose(keras.ops.reshape(t, (-1, tokens, heads, depth)), (0, 2, 1, 3))
                       for t in (x, *others))
            scores = keras.ops.matmul(q, keras.ops.transpose(k, (0, 1, 3, 2))) * depth**-0.5
            if a["causal"]:
                scores += keras.ops.triu(keras.ops.full((tokens, tokens), -1e9), 1)
            scores = keras.ops.softmax(scores)
            return keras.ops.reshape(keras.ops.transpose(keras.ops.matmul(scores, v), (0, 2, 1, 3)), (-1, tokens, width))
    raise ValueError(f"no Keras layer for '{node.op}'")


def _keras_weights(node: Node, weights: dict) -> dict:
    if node.op == "conv" and node.attributes["groups"] > 1:
        return weights | {"kernel": weights["kernel"].transpose(0, 1, 3, 2)}
    if node.op == "recurrent":
        if node.attributes["cell"] == "lstm":
            return weights
        # Keras's gates are z, r, h, and each has two biases.
        gated = {name: x.reshape(*x.shape[:-1], -1, node.attributes["units"])[..., [1, 0, 2], :].reshape(x.shape)
                 for name, x in weights.items() if name != "recurrent_bias"}
        inner = np.concatenate([np.zeros(2 * node.attributes["units"], np.float32), weights["recurrent_bias"]])
        return gated | {"bias": np.stack([gated["bias"], inner])}
    if node.op in ("positions", "tokens"):
        (values,) = weights.values()
        return {"table": values.reshape(1, -1, values.shape[-1])}
    return weights
