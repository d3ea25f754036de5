"""Writes the digits of scikit-learn's load_digits as IDX files: python3 make.py (needs scikit-learn)."""
import gzip
import struct

import numpy as np
from sklearn.datasets import load_digits

digits = load_digits()
order = np.random.default_rng(0).permutation(len(digits.target))
images = digits.images.astype(np.uint8)[order]
labels = digits.target.astype(np.uint8)[order]


def write(path, array):
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 0x08, array.ndim, *array.shape)
    with open(path, "wb") as file:
        file.write(gzip.compress(header + array.tobytes(), mtime=0))


for name, part in ("train", slice(1437)), ("test", slice(1437, None)):
    write(f"{name}-images-idx3-ubyte.gz", images[part])
    write(f"{name}-labels-idx1-ubyte.gz", labels[part])
    print(name, len(labels[part]), np.bincount(labels[part]), images[part].sum())
