"""search.py index MODEL TEXTS INDEX          embeds every line of a text: INDEX becomes its vectors, f32 [lines, width]
search.py query MODEL TEXTS INDEX QUERY…   prints the five lines nearest to each query, with their cosines"""

import sys

import apus
import numpy as np
from apus.wordpiece import WordPiece

BATCH, HITS = 16, 5


def embed(path, texts):
    """Vectors of length 1, in the order of the texts. Texts of about one length are computed together."""
    order = sorted(range(len(texts)), key=lambda line: len(texts[line].encode()))
    with apus.Model(path) as model, model.session(threads=2, dimensions={"batch": BATCH}) as session:
        tokenizer = WordPiece.of(model.metadata)
        vectors = np.empty((len(texts), model.outputs[0].shape[1]), np.float32)
        for start in range(0, len(texts), BATCH):
            lines = order[start : start + BATCH]
            outputs = session.run(tokenizer.batch([texts[line] for line in lines]))
            vectors[lines] = outputs["sentence_embedding"]
            print(f"\r{start + len(lines)} of {len(texts)} texts", end="", file=sys.stderr)
    print(file=sys.stderr)
    return vectors


def main(command, model, texts, index, *queries):
    lines = open(texts, encoding="utf-8", newline="\n").read().removesuffix("\n").split("\n")
    if command == "index":
        return embed(model, lines).tofile(index)
    vectors = np.fromfile(index, np.float32).reshape(len(lines), -1)
    for query, cosines in zip(queries, embed(model, queries) @ vectors.T):
        print(query)
        for line in np.argsort(-cosines, kind="stable")[:HITS]:
            print(f"  {cosines[line]:.3f}  {lines[line]}")


if len(sys.argv) < 5 or sys.argv[1] not in ("index", "query"):
    sys.exit(__doc__)
main(*sys.argv[1:])
