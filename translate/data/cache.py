"""Pictures decoded once: a memory-mapped file of uint8 pixels that training reads from then on."""

__all__ = ["PictureCache", "fingerprint", "open_cache"]

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from rich.markup import escape
from rich.progress import track

from translate.data.transforms import fit
from translate.errors import UserError
from translate.images import atomic_write, read_rgb8

Decode = Callable[[int], np.ndarray | str]


class PictureCache(Sequence[np.ndarray]):
    """The pictures of one domain, each (H, W, C) uint8, of any sizes and one C, behind one memory map.

    Attributes:
        names: The file of each picture, or what else it is called.
        skipped: What could not be decoded, a line a file.
        fingerprint: Identifies the files and what was done to them.
    """

    def __init__(self, fingerprint: str, pixels: Path, index: dict[str, Any]) -> None:
        self.fingerprint = fingerprint
        self.names: list[str] = index["names"]
        self.skipped: list[str] = index["skipped"]
        self._shapes: list[list[int]] = index["shapes"]
        self._starts = np.concatenate([[0], np.cumsum(np.prod(self._shapes, axis=1))])
        self._pixels = np.memmap(pixels, np.uint8, "r")

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, i: int) -> np.ndarray:  # type: ignore[override]
        return self._pixels[self._starts[i] : self._starts[i + 1]].reshape(self._shapes[i])

    @classmethod
    def open(
        cls,
        paths: Sequence[Path],
        folder: Path,
        *,
        side: int,
        square: bool,
        title: str = "",
        progress: bool = True,
    ) -> "PictureCache":
        """Return the cache of `paths` resized to `side` px (transforms.fit), building it in `folder` if need be.

        A file that cannot be decoded is listed in `skipped`.

        Raises:
            UserError: None of the files can be decoded, or `folder` cannot be written to.
        """

        def decode(i: int) -> np.ndarray | str:
            try:
                return fit(read_rgb8(paths[i]), side, square=square)
            except UserError as error:
                return str(error)

        key, names = fingerprint(paths, side, square), [str(path) for path in paths]
        return open_cache(folder, key, names, decode, title=title, progress=progress)


def open_cache(
    folder: Path, key: str, names: Sequence[str], decode: Decode, *, title: str = "", progress: bool = True
) -> PictureCache:
    """Return the cache called `key` in `folder`, building it if need be.

    Args:
        folder: Made where it is missing.
        key: The `fingerprint` of all that makes the contents what they are.
        names: Of the pictures.
        decode: Returns picture number i as (H, W, C) uint8, or the reason to skip it; called by several threads.
        title: Of the progress bar.
        progress: Whether to show it.

    Raises:
        UserError: All are skipped, `folder` cannot be written to, or what `decode` raises.
    """
    index, pixels = folder / f"{key}.json", folder / f"{key}.u8"
    if not index.exists():
        build(names, decode, index, pixels, f"Reading {escape(title)}", progress)
    return PictureCache(key, pixels, json.loads(index.read_text(encoding="utf-8")))


def fingerprint(paths: Sequence[Path], *settings: object) -> str:
    """Return a name for the contents of `paths` read with `settings`; a file that changes changes it."""
    digest = hashlib.sha256(" ".join(map(str, (2, *settings))).encode())
    for path in paths:
        facts = path.stat() if path.exists() else None
        digest.update(os.fsencode(path) + f"|{facts and (facts.st_size, facts.st_mtime_ns)}\n".encode())
    return digest.hexdigest()[:16]


def build(names: Sequence[str], decode: Decode, index: Path, pixels: Path, title: str, progress: bool) -> None:
    """Decode all pictures on all cores into `pixels`, and write where each begins to `index`, last."""
    kept, shapes, skipped = [], [], []
    with atomic_write(pixels) as temporary, temporary.open("wb") as out:
        pictures = decoded(decode, len(names))
        for name, picture in zip(
            names, track(pictures, title, len(names), transient=True, disable=not progress), strict=True
        ):
            if isinstance(picture, str):
                skipped.append(picture)
                continue
            out.write(picture.tobytes())
            kept.append(name)
            shapes.append(picture.shape)
        if not kept:
            raise UserError(f"none of the {len(names)} files can be read as an image; the first: {skipped[0]}")
    with atomic_write(index) as temporary:
        temporary.write_text(json.dumps({"names": kept, "shapes": shapes, "skipped": skipped}), encoding="utf-8")


def decoded(decode: Decode, count: int) -> Iterator[np.ndarray | str]:
    """Yield what `decode` returns for 0 to `count` - 1, in order; at most 64 ahead."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, count, 64):
            yield from pool.map(decode, range(start, min(start + 64, count)))
