#!/usr/bin/env bash
# Rebuilds everything under models/ from a fresh Debian 12 machine: attributes, test images, the three
# versions of `fashion`, their cards and checksums. Run as root, or with the packages already there.
set -euo pipefail
cd "$(dirname "$0")"

packages=(dataset-fashion-mnist python3-numpy python3-torch)
if ! dpkg --status "${packages[@]}" >/dev/null 2>&1; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}"
fi

cp /usr/share/datasets/fashion-mnist/t10k-{images-idx3,labels-idx1}-ubyte.gz .
/usr/bin/python3 -B train.py
sha256sum attributes.csv t10k-*.gz >SHA256SUMS
for version in 1 2 3; do
  (cd "../fashion/$version" && sha256sum labels.txt model.onnx model.yaml >SHA256SUMS)
done
