#!/bin/sh
# Sentence embeddings, BERT and GPT-2 against transformers and tokenizers (Tests/TransformerTests), in an environment of
# its own.
set -eu
cd "$(dirname "$0")/.."
venv=build/minilm-venv
[ -x $venv/bin/python ] || python3 -m venv $venv
$venv/bin/python -m pip install --quiet --disable-pip-version-check -r Tests/TransformerTests/requirements.txt
swift build -c release --product convert-model
swift build -c release --product apus
swift build -c release --product example-fine-tuning
$venv/bin/python -m pytest -q -s Tests/TransformerTests "$@"
