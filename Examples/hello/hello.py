"""hello MODEL IMAGE: prints the label and the logits of one image (raw little-endian f32)."""

import sys

import apus
import numpy as np


def main() -> None:
    if len(sys.argv) != 3:
        print("usage: hello MODEL IMAGE", file=sys.stderr)
        sys.exit(2)
    with apus.Model(sys.argv[1]) as model, model.session(dimensions={"batch": 1}) as session:
        shape = session.input_info(0).shape
        logits = session.run(np.fromfile(sys.argv[2], np.float32).reshape(shape))[0][0]
        labels = dict(enumerate(model.labels("logits")))
        print("label", labels.get(int(logits.argmax()), "?"))
        print("logits", *(f"{logit:.9g}" for logit in logits))


try:
    main()
except (apus.Error, OSError, ValueError) as error:
    sys.exit(f"hello: {error}")
