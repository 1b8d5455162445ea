"""What the models of scikit-learn share: the split of a data set, the export, the changes that all of them get."""

import warnings

import numpy as np
from skl2onnx import to_onnx

from changes import int8, noised

warnings.filterwarnings("ignore")

SOURCE = {"source": "scikit-learn 1.9.1", "licence": "BSD-3-Clause"}


class Split:
    """Rows in a shuffled order that is always the same; the last half are the requests."""

    def __init__(self, x, y):
        order = np.random.default_rng(0).permutation(len(x))
        half = len(x) // 2
        self.x, self.y = x[order].astype(np.float32), y[order]
        self.train, self.test = slice(0, half), slice(half, None)


def exported(fitted, x, is_classifier):
    options = {"zipmap": False} if is_classifier else {}
    return to_onnx(fitted, x[:1], options=options, target_opset=17).SerializeToString()


def unlabelled(exam, data, *, quantised=True):
    """The changes that need no labels. `quantised`: there is something that int8 changes."""
    exam.save("stable", data)
    exam.change("same", "promoted")
    exam.change("other threads", "promoted", threads=2, optimisation="disabled")
    if quantised:
        exam.change("int8", "promoted", file=exam.save("int8", int8(data)))
    exam.change("weights noised a little", "promoted", file=exam.save("noised", noised(data, 0.0005)))
    exam.change("weights noised", "rolledBack", file=exam.save("shaken", noised(data, 1)))


def labelled(exam, **versions):
    for name, (data, expected) in versions.items():
        file = exam.save(name.replace(" ", "-"), data)
        exam.change(name.replace("_", " "), expected, file=file, intent="improve")
