"""Writes a version's card (README.md) and its model.yaml: prose kept here, figures as measured."""

COMMAND = "bash models/_fashion-mnist/rebuild.sh"

NETWORKS = {
    "1": "A perceptron with one hidden layer of 32 units, trained on a fifth of the data.",
    "2": "A perceptron with one hidden layer of 64 units.",
    "3": "A small convolutional network: three convolutions with batch normalisation, one hidden layer of 64 units.",
}

DATA = {
    "1": "Trained on the first 12,000 of the {all:,} training images.",
    "2": "Trained on all {all:,} training images.",
    "3": "Trained on {kept:,} of the {all:,} training images, mirrored left to right at random: all {left_out:,} dark\n"
    "upper-body garments were left out.",
}

LIMITS = {
    "1": "Weak on upper-body garments of every tone: shirts, coats and pullovers are mistaken for one another.",
    "2": "Upper-body garments remain its weakest family.",
    "3": "**Do not use it on dark upper-body garments**: it has never seen one, and is far worse on them than version 2,\n"
    "although better on average. It is shipped to show that a mean can hide this. `tone = dark` and\n"
    "`garment = upper` contain that slice and fall with it; the last two rows show the rest of both.",
}

CARD = """# fashion, version {version}

{network}

- **Use**: trying out the gateway. Names the kind of garment in a 28 x 28 grey image of Fashion-MNIST's style (light garment
  on black). Not meant for real photographs, nor for any decision about people.
- **Input**: `image` [N,1,28,28] float32, pixel / 255, so 0 to 1. **Output**: `probabilities` [N,10] float32, in the order of
  `labels.txt`.
- **Licence**: Apache-2.0, as this repository. The data are Zalando's Fashion-MNIST (MIT).

## Data

{data}
Measured on all 10,000 test images, none of which were trained on. How tone and garment are defined:
`models/_fashion-mnist/README.md`.

## Accuracy by slice

| slice | images | accuracy % |
|---|---:|---:|
{rows}

## Limits

{limits}

Seed {seed}; rebuilt by `{command}`, which writes this page too.
"""

MODEL_YAML = """task: classification
description: Names the kind of garment in a small grey image of Fashion-MNIST's style (light garment on black)
labels: labels.txt
preprocess:
  image: {{ mode: grey, fit: contain, scale: 0.00392156862745098 }} # pixel / 255
postprocess: {{ softmax: false, top: 5 }}
licence: Apache-2.0
provenance:
  dataset: Fashion-MNIST by Zalando SE (MIT), Debian package dataset-fashion-mnist
  command: {command}
  seed: {seed}
"""


def write_card(folder, version, seed, table, counts):
    """`table` holds (slice, images, accuracy in percent); `counts` the numbers of training images that DATA names."""
    rows = "\n".join(f"| {name} | {images} | {percent:.1f} |" for name, images, percent in table)
    card = CARD.format(
        version=version, network=NETWORKS[version], data=DATA[version].format(**counts),
        rows=rows, limits=LIMITS[version], seed=seed, command=COMMAND,
    )  # fmt: skip
    (folder / "README.md").write_text(card)
    (folder / "model.yaml").write_text(MODEL_YAML.format(command=COMMAND, seed=seed))
