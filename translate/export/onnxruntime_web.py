"""onnxruntime-web, which runs models in browsers: the files of the user's npm package, unchanged."""

__all__ = ["VERSION", "find_package", "runtime_files"]

import base64
import hashlib
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from translate.utils.errors import OptionError, UserError, short_reason

VERSION = "1.30.0"
# of the packed tarball, as npm's lock files name it
INTEGRITY = "sha512-q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ=="
NPM_SECONDS = 600
# the builds for WebAssembly alone, and for WebGPU by JavaScript Promise Integration
FILES = (
    "ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm",
    "ort.jspi.min.mjs", "ort-wasm-simd-threaded.jspi.mjs", "ort-wasm-simd-threaded.jspi.wasm",
)  # fmt: skip
WAYS = f"install npm, or give --ort DIR, an unpacked onnxruntime-web {VERSION} such as node_modules/onnxruntime-web"


def runtime_files(package: Path) -> list[Path]:
    """Return the files of an unpacked package that a page needs; raise UserError if it is another package or version.

    Raises:
        UserError: no package, one of another version, or one that lacks files.
    """
    try:
        about: Any = json.loads((package / "package.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise UserError(f"{package}: is no unpacked npm package; {WAYS}") from None
    found = f"{about.get('name')} {about.get('version')}" if isinstance(about, dict) else "something else"
    if found != f"onnxruntime-web {VERSION}":
        raise UserError(f"{package}: is {found}, but the page is made for onnxruntime-web {VERSION}; {WAYS}")
    files = [package / "dist" / name for name in FILES]
    if missing := [file.name for file in files if not file.is_file()]:
        raise UserError(f"{package}: lacks {', '.join(missing)}; {WAYS}")
    return files


def find_package(given: str = "") -> Path:
    """Return the folder of the unpacked package: `given`, or the one that npm fetches once into the user's cache.

    Raises:
        OptionError: `given` is no folder.
        UserError: there is no npm, it cannot fetch the package, or what came is not what is expected.
    """
    if given:
        folder = Path(given).expanduser()
        if not folder.is_dir():
            raise OptionError(f"--ort {given}: is no folder; give an unpacked onnxruntime-web {VERSION}")
        return folder
    cached = _cache() / f"onnxruntime-web-{VERSION}"
    if not (cached / "package.json").is_file():
        _fetch(cached)
    return cached


def _cache() -> Path:
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "translate"
    except RuntimeError:
        raise UserError(f"this user has no home folder to keep onnxruntime-web in; {WAYS}") from None


def _fetch(folder: Path) -> None:
    """Let npm pack the pinned version, check its hash, and unpack the needed files to `folder`, all or nothing."""
    npm = shutil.which("npm")
    if npm is None:
        raise UserError(f"the page needs onnxruntime-web {VERSION}, and there is no npm here; {WAYS}")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
            tarball = _pack(npm, Path(temporary))
            _check_integrity(tarball)
            unpacked = Path(temporary, "unpacked")
            _unpack(tarball, unpacked)
            shutil.rmtree(folder, ignore_errors=True)
            (unpacked / "package").rename(folder)
    except OSError as error:
        raise UserError(f"{folder}: cannot be written ({short_reason(error)}); {WAYS}") from None


def _pack(npm: str, folder: Path) -> Path:
    """Run `npm pack` in `folder`; return the tarball."""
    command = [npm, "pack", f"onnxruntime-web@{VERSION}", "--ignore-scripts", "--loglevel", "error"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=NPM_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise UserError(f"npm has not fetched onnxruntime-web {VERSION} in {NPM_SECONDS} s; {WAYS}") from None
    tarballs = list(folder.glob("*.tgz"))
    if done.returncode or len(tarballs) != 1:
        reason = next((line for line in done.stderr.splitlines() if line.strip()), f"exit status {done.returncode}")
        raise UserError(f"npm cannot fetch onnxruntime-web {VERSION} ({reason.strip()[:200]}); {WAYS}")
    return tarballs[0]


def _check_integrity(tarball: Path) -> None:
    with tarball.open("rb") as file:
        digest = hashlib.file_digest(file, "sha512").digest()
    if f"sha512-{base64.b64encode(digest).decode()}" != INTEGRITY:
        raise UserError(f"npm fetched another onnxruntime-web {VERSION} than this program was tested with; {WAYS}")


def _unpack(tarball: Path, folder: Path) -> None:
    """Unpack what a page needs, and what says whose it is."""
    wanted = {"package/package.json", "package/README.md", *(f"package/dist/{name}" for name in FILES)}
    with tarfile.open(tarball) as archive:
        members = [member for member in archive.getmembers() if member.name in wanted and member.isfile()]
        archive.extractall(folder, members=members, filter="data")
