"""Fashion-MNIST as arrays, and the two attributes of an image: its tone and its garment family."""

import gzip
from pathlib import Path

import numpy as np

LABELS = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]
GARMENT_OF_LABEL = np.array(
    ["upper", "lower", "upper", "dress", "upper", "shoe", "upper", "shoe", "bag", "shoe"]
)
TONES = ["dark", "mid", "light"]
GARMENTS = ["upper", "lower", "dress", "shoe", "bag"]

# Pixels at or below this value (of 255) are background: exact zeros and the faint halo of resampling.
BACKGROUND_MAX = 20
# Tertiles of the garment's mean pixel over the 10,000 test images, rounded to the nearest half.
TONE_CUTS = (141.5, 182.0)


class Split:
    """One split: pixels uint8[n, 28, 28], labels uint8[n], tones and garments str[n]."""

    def __init__(self, folder, prefix):
        self.pixels = read_idx(Path(folder, f"{prefix}-images-idx3-ubyte.gz"), 16).reshape(-1, 28, 28)
        self.labels = read_idx(Path(folder, f"{prefix}-labels-idx1-ubyte.gz"), 8)
        self.tones = np.array(TONES)[np.digitize(garment_mean(self.pixels), TONE_CUTS)]
        self.garments = GARMENT_OF_LABEL[self.labels]

    def __len__(self):
        return len(self.labels)


def read_idx(path, header_bytes):
    return np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=header_bytes)


def garment_mean(pixels):
    """Mean pixel (0 to 255) of each image without its background; 0 for an empty image."""
    kept = pixels > BACKGROUND_MAX
    sums = np.where(kept, pixels, 0).sum(axis=(1, 2), dtype=np.int64)
    return sums / np.maximum(kept.sum(axis=(1, 2)), 1)


def slices(split):
    """Name and mask of each slice, in the order of the cards' tables."""
    dark, upper = split.tones == "dark", split.garments == "upper"
    yield "all", np.ones(len(split), bool)
    for tone in TONES:
        yield f"tone = {tone}", split.tones == tone
    for garment in GARMENTS:
        yield f"garment = {garment}", split.garments == garment
    yield "tone = dark and garment = upper", dark & upper
    yield "tone = dark and garment not upper", dark & ~upper
    yield "tone not dark and garment = upper", ~dark & upper
