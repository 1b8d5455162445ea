"""The classifiers that ship, on the test images that they ship with."""

import csv
import gzip
import pathlib

import numpy as np

from changes import int8, noised
from kit import Exam

MODELS = pathlib.Path(__file__).parents[2] / "models"
IMAGES = 2_500


def fashion(root):
    place = MODELS / "_fashion-mnist"
    with gzip.open(place / "t10k-images-idx3-ubyte.gz") as file:
        pixels = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 1, 28, 28)[:IMAGES]
    with gzip.open(place / "t10k-labels-idx1-ubyte.gz") as file:
        right = np.frombuffer(file.read(), np.uint8, offset=8)[:IMAGES].astype(int)
    with open(place / "attributes.csv") as file:
        rows = list(csv.DictReader(file))[:IMAGES]
    groups = ["yes" if (row["tone"], row["garment"]) == ("dark", "upper") else "no" for row in rows]
    images = (pixels / np.float32(255)).astype(np.float32)
    # To half the size and back, by nearest neighbours.
    coarse = images[:, :, ::2, ::2].repeat(2, axis=2).repeat(2, axis=3)
    exam = Exam(root, "fashion", half="verify", task="image-classification", kind="image classifier",
                source="ships with Understudy", licence="Apache-2.0")
    stable = (MODELS / "fashion" / "1" / "model.onnx").read_bytes()
    exam.save("stable", stable)
    exam.requests("stable", **{INPUT: images})
    exam.requests("coarse", **{INPUT: coarse})
    exam.requests("other-mean", **{INPUT: (images - np.float32(0.5)) / np.float32(0.5)})
    exam.truth(right, "dark-upper", groups)
    exam.change("same", "promoted")
    exam.change("other threads", "promoted", threads=2, optimisation="disabled")
    exam.change("int8", "promoted", file=exam.save("int8", int8(stable)))
    exam.change("weights noised a little", "promoted", file=exam.save("noised", noised(stable, 0.0005)))
    exam.change("weights noised", "rolledBack", file=exam.save("shaken", noised(stable, 1)))
    exam.change("resized in another way", "rolledBack", set="coarse")
    exam.change("other mean and deviation", "rolledBack", set="other-mean")
    better = exam.save("better", (MODELS / "fashion" / "2" / "model.onnx").read_bytes())
    exam.change("better", "promoted", file=better, intent="improve")
    exam.change("worse", "rolledBack", file="shaken.onnx", intent="improve")
    sliced = exam.save("sliced", (MODELS / "fashion" / "3" / "model.onnx").read_bytes())
    exam.change("worse in a slice", "rolledBack", file=sliced, intent="improve")
    exam.write()


INPUT = "image"
GARMENTS = {"fashion": fashion}
