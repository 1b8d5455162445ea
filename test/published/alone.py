"""The runtime run alone: makes inputs that a model takes, and the answers to hold the gateway's against."""

import numpy as np
import onnxruntime

DTYPES = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(int8)": np.int8,
    "tensor(uint8)": np.uint8,
    "tensor(bool)": np.bool_,
    "tensor(string)": np.object_,
}
# Of a free dimension of which the catalogue says nothing: the rows of a request, as a rule.
ROWS = (1, 2, 3)
WORDS = np.array([b"red", b"green", b"blue", "grün".encode(), b""], dtype=np.object_)
# Of the largest value of an answer.
TOLERANCE = 1e-3


class Alone:
    """One model in a session of its own, which runs one request at a time."""

    def __init__(self, model, file):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 4
        self.model = model
        self.session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])

    def request(self, random, is_usual):
        """Inputs by name. The usual ones have the first size of every dimension but the rows."""
        chosen = {}
        return {spec.name: self._values(spec, self._shape(spec, chosen, random, is_usual), random)
                for spec in self.session.get_inputs()}

    def answer(self, inputs):
        """Outputs by name; maps and sequences as the runtime gives them."""
        fed = {name: as_fed(value) for name, value in inputs.items()}
        names = [spec.name for spec in self.session.get_outputs()]
        return dict(zip(names, self.session.run(names, fed)))

    def _shape(self, spec, chosen, random, is_usual):
        dimensions = self.model.shapes.get(spec.name, spec.shape)
        return [self._size(dimension, chosen, random, is_usual) for dimension in dimensions]

    def _size(self, dimension, chosen, random, is_usual):
        if isinstance(dimension, int):
            return dimension
        # The file's nameless dimensions, and those that each conversion numbers anew, are rows.
        sizes = self.model.sizes.get(dimension)
        if dimension not in chosen:
            free = ROWS if sizes is None else sizes
            chosen[dimension] = sizes[0] if is_usual and sizes else int(random.choice(free))
        return chosen[dimension]

    def _values(self, spec, shape, random):
        dtype = DTYPES[spec.type]
        form = self.model.values.get(spec.name)
        if dtype is np.object_:
            return random.choice(WORDS, size=shape)
        if isinstance(form, tuple):
            return random.integers(*form, size=shape).astype(dtype)
        if isinstance(form, (int, float)):
            return np.full(shape, form, dtype)
        if form == "unit":
            return random.random(size=shape).astype(dtype)
        if dtype is np.bool_:
            return random.random(size=shape) < 0.5
        if np.issubdtype(dtype, np.integer):
            return random.integers(0, 3, size=shape).astype(dtype)
        # Each request has a scale of its own, so that rows of another are noticed in sums and scales, too.
        return (random.normal(size=shape) * 10 ** random.uniform(-1, 0.5)).astype(dtype)


def as_fed(value):
    if value.dtype != np.object_:
        return value
    return np.vectorize(lambda each: each.decode(), otypes=[np.object_])(value)


def difference(expected, found):
    """None where the answer is the one of the runtime alone; else what differs."""
    missing = [name for name in expected if found.get(name) is None and is_tensor(expected[name])]
    if missing:
        return f"no output {missing[0]}"
    for name, lone in expected.items():
        why = difference_of(lone, found[name]) if is_tensor(lone) else None
        if why is not None:
            return f"{name}: {why}"
    return None


def is_tensor(value):
    return isinstance(value, np.ndarray)


def difference_of(lone, given):
    if list(lone.shape) != list(given.shape):
        return f"expected shape {list(lone.shape)}, found {list(given.shape)}"
    if lone.dtype == np.object_:
        texts = [each.decode() if isinstance(each, bytes) else each for each in given.ravel()]
        return None if texts == list(lone.ravel()) else f"expected {lone.ravel()[:3]}, found {texts[:3]}"
    if lone.dtype != given.dtype:
        return f"expected {lone.dtype}, found {given.dtype}"
    if not np.issubdtype(lone.dtype, np.floating):
        return None if np.array_equal(lone, given) else "integers differ"
    if not np.array_equal(np.isfinite(lone), np.isfinite(given)):
        return "other values are not finite"
    finite = np.isfinite(lone)
    apart = np.abs(lone[finite].astype(np.float64) - given[finite].astype(np.float64)).max(initial=0)
    largest = np.abs(lone[finite].astype(np.float64)).max(initial=0)
    return None if apart <= TOLERANCE * largest else f"off by {apart:.3g} where the largest value is {largest:.3g}"
