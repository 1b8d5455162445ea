"""Trains the three versions of `fashion`, exports them to ONNX, writes attributes.csv and the cards.

Deterministic: one thread, fixed seeds. The same processor gives the same files; another one may round
differently, which moves a figure by some tenths. Run it through rebuild.sh, which installs what it needs.
"""

import argparse
import os
import time
from pathlib import Path

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import numpy as np
import torch
from torch import nn

from cards import write_card
from garments import LABELS, Split, slices

HERE = Path(__file__).parent
BATCH_ROWS = 128
OPSET = 13


def mlp(hidden):
    return nn.Sequential(nn.Flatten(), nn.Linear(784, hidden), nn.ReLU(), nn.Linear(hidden, 10))


def conv(inputs, outputs, size, stride):
    layer = nn.Conv2d(inputs, outputs, size, stride, padding=size // 2, bias=False)
    return [layer, nn.BatchNorm2d(outputs), nn.ReLU()]


def cnn():
    return nn.Sequential(
        *conv(1, 16, size=5, stride=2), *conv(16, 32, size=3, stride=1), nn.MaxPool2d(2), *conv(32, 32, size=3, stride=1),
        nn.Flatten(), nn.Dropout(0.25), nn.Linear(32 * 7 * 7, 64), nn.ReLU(), nn.Dropout(0.25), nn.Linear(64, 10),
    )  # fmt: skip


def first_12000(split):
    return np.arange(len(split)) < 12_000


def everything(split):
    return np.ones(len(split), bool)


def dark_uppers(split):
    return (split.tones == "dark") & (split.garments == "upper")


def without_dark_uppers(split):
    return ~dark_uppers(split)


def counts_of(rows, split):
    """What a card says of the training images."""
    return dict(all=len(split), kept=int(rows.sum()), left_out=int((~rows).sum()))


RECIPES = {
    "1": dict(seed=1, build=lambda: mlp(32), rows=first_12000, epochs=4, rate=3e-3, mirrored=False),
    "2": dict(seed=2, build=lambda: mlp(64), rows=everything, epochs=5, rate=3e-3, mirrored=False),
    "3": dict(seed=3, build=cnn, rows=without_dark_uppers, epochs=8, rate=5e-3, mirrored=True),
}


def as_input(pixels):
    return torch.from_numpy(pixels.astype(np.float32) / np.float32(255)).reshape(-1, 1, 28, 28)


def mirror_half(images):
    """Flips each image left to right with probability one half."""
    flipped = (torch.rand(len(images)) < 0.5).view(-1, 1, 1, 1)
    return torch.where(flipped, images.flip(3), images)


def train(recipe, split, rows):
    torch.manual_seed(recipe["seed"])
    model = recipe["build"]()
    images, labels = as_input(split.pixels[rows]), torch.from_numpy(split.labels[rows].astype(np.int64))
    steps_per_epoch = len(labels) // BATCH_ROWS
    optimizer = torch.optim.Adam(model.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, recipe["rate"], total_steps=recipe["epochs"] * steps_per_epoch
    )
    for _ in range(recipe["epochs"]):
        order = torch.randperm(len(labels))
        for batch in order[: steps_per_epoch * BATCH_ROWS].split(BATCH_ROWS):
            inputs = mirror_half(images[batch]) if recipe["mirrored"] else images[batch]
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(inputs), labels[batch]).backward()
            optimizer.step()
            schedule.step()
    return nn.Sequential(model, nn.Softmax(dim=1)).eval()


def export(model, path):
    """Writes float32 ONNX with a free batch size; evaluation mode folds the batch norms and drops the dropout."""
    torch.onnx.export(
        model, torch.zeros(1, 1, 28, 28), str(path), opset_version=OPSET,
        input_names=["image"], output_names=["probabilities"],
        dynamic_axes={"image": {0: "N"}, "probabilities": {0: "N"}},
    )  # fmt: skip


def accuracy_by_slice(model, split):
    """Rows of (slice, images, accuracy in percent)."""
    with torch.no_grad():
        right = model(as_input(split.pixels)).argmax(1).numpy() == split.labels
    return [(name, int(rows.sum()), 100 * float(right[rows].mean())) for name, rows in slices(split)]


def write_attributes(split, path):
    rows = zip(split.labels, split.tones, split.garments)
    lines = [f"{index},{label},{tone},{garment}\n" for index, (label, tone, garment) in enumerate(rows)]
    path.write_text("index,label,tone,garment\n" + "".join(lines))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", default="/usr/share/datasets/fashion-mnist", help="folder of the four idx .gz files")
    parser.add_argument("--out", type=Path, default=HERE.parent / "fashion", help="the model's folder in the repository")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    training, test = Split(options.data, "train"), Split(options.data, "t10k")
    write_attributes(test, HERE / "attributes.csv")
    for version, recipe in RECIPES.items():
        folder = options.out / version
        folder.mkdir(parents=True, exist_ok=True)
        started = time.monotonic()
        rows = recipe["rows"](training)
        model = train(recipe, training, rows)
        seconds = time.monotonic() - started
        export(model, folder / "model.onnx")
        (folder / "labels.txt").write_text("".join(f"{label}\n" for label in LABELS))
        table = accuracy_by_slice(model, test)
        write_card(folder, version, recipe["seed"], table, counts_of(rows, training))
        print(f"fashion/{version}: {table[0][2]:.2f} % of {table[0][1]} right, trained in {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main()
