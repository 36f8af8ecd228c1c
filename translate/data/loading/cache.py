"""Decoded pictures in a memory-mapped file, which training reads instead of the picture files."""

__all__ = ["PictureCache", "Pictures", "fingerprint", "hash_text", "open_cache"]

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from translate.utils.concurrency import map_in_threads
from translate.utils.errors import UserError
from translate.utils.files import atomic_write
from translate.utils.locks import hold
from translate.utils.progress import track

Decode = Callable[[int], np.ndarray | str]  # picture number i as (H, W, C), or the reason to skip it


class Pictures(Sequence[np.ndarray]):
    """Pictures (H, W, C) of any sizes, but of one C and one depth, in one flat array.

    Attributes:
        pixels: (N,) uint8, uint16 or float32 in [0, 1], of all pictures.
        shapes: (n, 3) int64: height, width and channels of each.
        starts: (n + 1,) int64, the index in `pixels` at which each begins, and at which the last ends.
    """

    def __init__(self, pixels: np.ndarray, shapes: np.ndarray) -> None:
        self.pixels, self.shapes = pixels, shapes.astype(np.int64)
        self.starts = np.concatenate([[0], self.shapes.prod(1).cumsum()])

    def __len__(self) -> int:
        return len(self.shapes)

    def __getitem__(self, i: int) -> np.ndarray:  # type: ignore[override]
        return self.pixels[self.starts[i] : self.starts[i + 1]].reshape(self.shapes[i])


class PictureCache(Pictures):
    """The pictures of one domain in a memory map.

    Attributes:
        names: File or other name of each picture.
        skipped: Why pictures could not be decoded, a line each.
        fingerprint: Identifies the files and how they were decoded.
    """

    def __init__(self, fingerprint: str, names: Sequence[str], pixels: Path, index: Path) -> None:
        """Open the files `pixels` and `index` that `build` wrote, of pictures called `names`."""
        with np.load(index) as arrays:
            kept, shapes, skipped = (arrays[key] for key in ("kept", "shapes", "skipped"))
            dtype = str(arrays["dtype"]) if "dtype" in arrays else "uint8"
        super().__init__(np.memmap(pixels, dtype, "r").view(np.ndarray), shapes)
        self.fingerprint = fingerprint
        self.names = [names[i] for i in kept.tolist()]
        self.skipped: list[str] = json.loads(skipped.tobytes())


def open_cache(
    folder: Path, key: str, names: Sequence[str], decode: Decode, *, title: str = "", progress: bool = True
) -> PictureCache:
    """Open the cache of the pictures `names` in `folder`, building it on first use.

    `key` is the `fingerprint` of everything that determines the contents. `decode` is called by several threads and
    returns pictures of one type. A progress bar shows `title`.

    Raises:
        UserError: all pictures are skipped, `folder` cannot be written to, or `decode` raises it.
    """
    index, pixels = folder / f"{key}.npz", folder / f"{key}.u8"
    if not index.exists():
        with hold(folder / f".{key}.lock", f"pictures are being read into {folder}", wait=True):
            if not index.exists():
                build(len(names), decode, index, pixels, f"Reading {title}", progress)
    return PictureCache(key, names, pixels, index)


def fingerprint(paths: Iterable[Path], *settings: object) -> str:
    """Hash the paths, sizes and times of files, and the settings that they are read with."""
    digest = hashlib.sha256(" ".join(map(str, (3, *settings))).encode("utf-8", "surrogateescape"))
    for path in map(os.fsencode, paths):
        try:
            status = os.stat(path)  # noqa: PTH116 - of a hundred thousand files, in half the time
            digest.update(b"%b|%d, %d\n" % (path, status.st_size, status.st_mtime_ns))
        except OSError:
            digest.update(path + b"|\n")
    return digest.hexdigest()[:16]


def hash_text(text: str) -> str:
    """Hash a text, such as several fingerprints, to 16 hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def build(count: int, decode: Decode, index: Path, pixels: Path, title: str, progress: bool) -> None:
    """Decode `count` pictures on all cores into `pixels`, then write their numbers and shapes to `index`."""
    kept, shapes, skipped, dtype = [], [], [], np.dtype(np.uint8)
    with atomic_write(pixels) as temporary, temporary.open("wb") as out:
        for i, picture in enumerate(track(map_in_threads(decode, range(count)), title, count, progress)):
            if isinstance(picture, str):
                skipped.append(picture)
                continue
            out.write(picture.tobytes())
            kept.append(i)
            shapes.append(picture.shape)
            dtype = picture.dtype
        if not kept:
            raise UserError(f"none of the {count} files can be read as an image; the first: {skipped[0]}")
    reasons = np.frombuffer(json.dumps(skipped).encode(), np.uint8)
    with atomic_write(index) as temporary, temporary.open("wb") as out:
        np.savez(out, kept=np.array(kept), shapes=np.array(shapes), skipped=reasons, dtype=np.array(str(dtype)))
