"""What is done to a model's file: quantised, its weights noised, one output scaled. Equal seeds, equal files."""

import pathlib
import tempfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

# Attributes of ai.onnx.ml's operators that hold trained numbers.
TRAINED = {"coefficients", "intercepts", "target_weights", "class_weights", "base_values"}
FLOATS = {TensorProto.FLOAT: np.float32, TensorProto.DOUBLE: np.float64, TensorProto.FLOAT16: np.float16}


def int8(data, per_channel=True):
    """The runtime's dynamic quantisation, as its documentation shows it; per channel, as for all but the oldest kernels."""
    with tempfile.TemporaryDirectory() as folder:
        before, after = pathlib.Path(folder, "before.onnx"), pathlib.Path(folder, "after.onnx")
        before.write_bytes(data)
        quantize_dynamic(before, after, weight_type=QuantType.QInt8, per_channel=per_channel)
        return after.read_bytes()


def noised(data, sigma, seed=7):
    """Normal noise on all trained numbers: `sigma` is its deviation as a share of each tensor's own."""
    model = onnx.load_from_string(data)
    random = np.random.default_rng(seed)

    def shaken(values):
        noise = random.normal(size=values.shape) * values.std() * sigma
        return (values + noise).astype(values.dtype)

    for weight in model.graph.initializer:
        if weight.data_type in FLOATS and np.prod(weight.dims) > 1:
            weight.CopyFrom(numpy_helper.from_array(shaken(numpy_helper.to_array(weight)), weight.name))
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.name in TRAINED and len(attribute.floats) > 1:
                values = shaken(np.array(attribute.floats, np.float32))
                del attribute.floats[:]
                attribute.floats.extend(values.tolist())
    return model.SerializeToString()


def scaled(data, output, by):
    """One output, multiplied."""
    return mapped(data, output, [("Mul", by)])


def flattened(data, output, share):
    """Probabilities of which only this share is left, the rest spread evenly over all classes."""
    graph = onnx.load_from_string(data).graph
    shape = next(value.type.tensor_type.shape for value in graph.output if value.name == output)
    return mapped(data, output, [("Mul", share), ("Add", (1 - share) / shape.dim[-1].dim_value)])


def mapped(data, output, steps):
    """One output with operators behind it, each with one number."""
    model = onnx.load_from_string(data)
    graph = model.graph
    last = f"{output}_before"
    for node in graph.node:
        for names in (node.input, node.output):
            for place, name in enumerate(names):
                if name == output:
                    names[place] = last
    kind = next(value.type.tensor_type.elem_type for value in graph.output if value.name == output)
    for place, (operator, number) in enumerate(steps):
        graph.initializer.append(helper.make_tensor(f"{output}_by_{place}", kind, [], [number]))
        after = output if place == len(steps) - 1 else f"{output}_after_{place}"
        graph.node.append(helper.make_node(operator, [last, f"{output}_by_{place}"], [after]))
        last = after
    return model.SerializeToString()
