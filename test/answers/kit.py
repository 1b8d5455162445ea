"""Lays out one model of the exam: its files, its requests, what is right, and the changes that are tried on it."""

import json
import pathlib

import numpy as np

DTYPES = {"float32": "FP32", "int64": "INT64", "uint8": "UINT8", "float64": "FP64"}


class Exam:
    """A folder with `manifest.json`, the ONNX files and one file of raw little-endian rows per set of inputs and input."""

    def __init__(self, root, name, **about):
        self.folder = pathlib.Path(root, name)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.manifest = {"name": name, **about, "inputs": [], "sets": [], "changes": []}

    def save(self, name, model):
        """A version, as bytes or as an ONNX model; returns its file's name."""
        data = model if isinstance(model, bytes) else model.SerializeToString()
        (self.folder / f"{name}.onnx").write_bytes(data)
        return f"{name}.onnx"

    def requests(self, name, **inputs):
        """One set of inputs by name, one request per entry of the first dimension."""
        specs = []
        for place, (tensor, values) in enumerate(inputs.items()):
            rows = np.ascontiguousarray(values)
            specs.append({"name": tensor, "dtype": DTYPES[rows.dtype.name], "shape": [1, *rows.shape[1:]]})
            (self.folder / f"{name}.{place}.bin").write_bytes(rows.tobytes())
            self.manifest["requests"] = len(rows)
        self.manifest["inputs"] = specs
        self.manifest["sets"].append(name)

    def truth(self, values, attribute=None, groups=None):
        """The labels of all requests, and a slice attribute."""
        self.manifest["truth"] = [plain(value) for value in values]
        if attribute is not None:
            self.manifest["attribute"] = {"name": attribute, "values": [str(group) for group in groups]}

    def change(self, name, expected, **more):
        """`expected`: promoted or rolledBack. `file`, `set`, `threads`, `optimisation`, `intent`: where they are not stable's."""
        self.manifest["changes"].append({"name": name, "expected": expected, **more})

    def write(self):
        text = json.dumps(self.manifest, indent=1)
        (self.folder / "manifest.json").write_text(f"{text}\n")


def plain(value):
    return value.item() if isinstance(value, np.generic) else value
