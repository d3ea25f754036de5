"""Checkpoints that `save_pretrained` writes of small random networks: every output against `transformers`."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, Optional

import apus
import numpy as np
import pytest
import torch
from conftest import ROOT, convert
from transformers import (
    BertConfig, BertForMaskedLM, BertModel, DistilBertConfig, DistilBertModel, GPT2Config, GPT2LMHeadModel, GPT2Model,
)  # fmt: skip

VOCABULARY, POSITIONS = 97, 40


def bert(**changes: Any) -> BertConfig:
    return BertConfig(
        vocab_size=VOCABULARY, max_position_embeddings=POSITIONS, hidden_size=48, num_hidden_layers=2,
        num_attention_heads=4, intermediate_size=80, **changes,
    )  # fmt: skip


def gpt2(**changes: Any) -> GPT2Config:
    return GPT2Config(
        vocab_size=VOCABULARY, n_positions=POSITIONS, n_embd=48, n_layer=2, n_head=4, bos_token_id=0, eos_token_id=0,
        **changes,
    )  # fmt: skip


DISTILBERT = DistilBertConfig(
    vocab_size=VOCABULARY, max_position_embeddings=POSITIONS, dim=48, n_layers=2, n_heads=4, hidden_dim=80
)

# The network, and what transformers calls the part of it that is converted.
CASES: dict[str, tuple[Any, Optional[str]]] = {
    "bert": (lambda: BertModel(bert()), None),
    "bert-without-pooler": (lambda: BertModel(bert(), add_pooling_layer=False), None),
    "bert-with-head": (lambda: BertForMaskedLM(bert(hidden_act="gelu_new", layer_norm_eps=1e-5)), "bert"),
    "bert-relu": (lambda: BertModel(bert(hidden_act="relu", type_vocab_size=3)), None),
    "distilbert": (lambda: DistilBertModel(DISTILBERT), None),
    "gpt2": (lambda: GPT2LMHeadModel(gpt2()), None),
    "gpt2-untied": (lambda: GPT2LMHeadModel(gpt2(tie_word_embeddings=False, n_inner=100)), None),
    "gpt2-scaled": (lambda: GPT2LMHeadModel(gpt2(scale_attn_by_inverse_layer_idx=True, activation_function="gelu")), None),
}


def network(name: str) -> torch.nn.Module:
    """A network whose every parameter is random: norms and biases are not at their beginnings of 1 and 0."""
    torch.manual_seed(list(CASES).index(name))
    model = CASES[name][0]().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model


def check(name: str, folder: Path, model: torch.nn.Module) -> None:
    part = getattr(model, CASES[name][1]) if CASES[name][1] else model
    with apus.Model(convert(folder, folder.with_suffix(".apus"), "--dim", f"tokens=1:{POSITIONS}")) as file, file.session() as session:
        wants_types = "token_type_ids" in [info.name for info in file.inputs]
        for batch, tokens in ((1, 1), (2, 7), (3, POSITIONS)):
            random = np.random.default_rng(batch)
            inputs = {"input_ids": random.integers(0, VOCABULARY, (batch, tokens))}
            inputs["attention_mask"] = np.ones_like(inputs["input_ids"])
            for row in range(1, batch):
                inputs["attention_mask"][row, tokens - 2 * row :] = 0
            if wants_types:
                inputs["token_type_ids"] = random.integers(0, part.config.type_vocab_size, (batch, tokens))
            with torch.no_grad():
                wanted = part(**{key: torch.tensor(value) for key, value in inputs.items()})
            for output, found in session.run(inputs).items():
                expected = wanted[output].float().numpy()
                # What is computed at padding means nothing.
                present = inputs["attention_mask"].astype(bool) if found.ndim == 3 else slice(None)
                np.testing.assert_allclose(
                    found[present], expected[present], rtol=1e-4, atol=1e-5 * np.abs(expected).max(), err_msg=output
                )


@pytest.mark.parametrize("name", CASES)
def test_outputs(name: str, tmp_path: Path) -> None:
    model = network(name)
    model.save_pretrained(tmp_path / name)
    check(name, tmp_path / name, model)


@pytest.mark.parametrize("name", ["bert", "gpt2"])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_narrow_weights(name: str, dtype: torch.dtype, tmp_path: Path) -> None:
    model = network(name).to(dtype)
    model.save_pretrained(tmp_path / name)
    check(name, tmp_path / name, model.float())


def test_several_files(tmp_path: Path) -> None:
    model = network("gpt2")
    model.save_pretrained(tmp_path / "gpt2", max_shard_size="20KB")
    assert len(list((tmp_path / "gpt2").glob("*.safetensors"))) > 3
    check("gpt2", tmp_path / "gpt2", model)


def test_a_model_without_its_head(tmp_path: Path) -> None:
    """A GPT-2 saved without the head, whose table is the head's by the config."""
    model = network("gpt2")
    assert isinstance(model.transformer, GPT2Model)
    model.transformer.save_pretrained(tmp_path / "gpt2")
    check("gpt2", tmp_path / "gpt2", model)


@pytest.mark.parametrize("cache, bytes_each, near", [("f32", 4, 1e-5), ("f16", 2, 2e-3), ("bf16", 2, 2e-2), ("int8", 1, 2e-2)])
def test_streams(cache: str, bytes_each: int, near: float, tmp_path: Path) -> None:
    """A GPT-2 read token by token after a prompt, its keys and values kept in fewer bytes: the logits of the whole sequence."""
    model = network("gpt2")
    model.save_pretrained(tmp_path / "gpt2")
    tokens = np.random.default_rng(0).integers(0, VOCABULARY, (1, POSITIONS), np.int32)
    with torch.no_grad():
        wanted = model(torch.tensor(tokens, dtype=torch.int64)).logits.numpy()
    output = convert(tmp_path / "gpt2", tmp_path / "gpt2.apus", "--steps", "1,16", "--cache", cache)
    with apus.Model(output) as file, file.session() as session:
        caches = [state for state in file.states if len(state.shape) == 5]
        assert len(caches) == 4 and all(state.dtype.itemsize == bytes_each for state in caches)
        found = [session.run(tokens[:, :16], function="step_16")[0]]
        found += [session.run(tokens[:, time : time + 1], function="step")[0] for time in range(16, POSITIONS)]
    difference = np.abs(np.concatenate(found, 1) - wanted).max() / np.abs(wanted).max()
    assert difference < near, difference
    assert cache == "f32" or difference > 1e-6, "as if nothing were narrow"


@pytest.mark.parametrize(
    "change, complaint",
    [
        ({"model_type": "llama"}, "model_type 'llama', wanted one of bert, distilbert, gpt2"),
        ({"hidden_act": "xielu"}, "hidden_act 'xielu', wanted one of gelu"),
        ({"num_attention_heads": 5}, "num_attention_heads 5, wanted a divisor of the width 48"),
        ({"hidden_size": "wide"}, "'hiddenSize': not of type Int"),
        ({"hidden_size": -4}, "hidden_size -4, wanted 1"),
        ({"intermediate_size": 81}, "intermediate.dense.weight' [80, 48], wanted [81, 48]"),
        ({"num_hidden_layers": 3}, "no tensor 'encoder.layer.2.attention.self.query.weight'"),
        ({"position_embedding_type": "relative_key"}, "position_embedding_type 'relative_key', wanted absolute"),
    ],
)
def test_what_is_refused(change: dict[str, Any], complaint: str, tmp_path: Path) -> None:
    network("bert").save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text()) | change
    (tmp_path / "config.json").write_text(json.dumps(config))
    output = tmp_path / "out.apus"
    command = [str(ROOT / ".build/release/convert-model"), str(tmp_path), "-o", str(output)]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 2 and not output.exists()
    assert run.stderr.count("\n") == 1 and complaint in run.stderr, run.stderr
