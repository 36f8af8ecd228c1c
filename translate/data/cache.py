"""Pictures decoded once: a memory-mapped file of uint8 pixels that training reads from then on."""

__all__ = ["PictureCache"]

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from rich.markup import escape
from rich.progress import track

from translate.data.transforms import fit
from translate.errors import UserError
from translate.images import atomic_write, read_rgb8


class PictureCache(Sequence[np.ndarray]):
    """The pictures of one domain, each (H, W, 3) uint8, of any sizes, behind one memory map.

    Attributes:
        names: The file of each picture.
        skipped: What could not be decoded, a line a file.
        fingerprint: Identifies the files and what was done to them.
    """

    def __init__(self, fingerprint: str, pixels: Path, index: dict[str, Any]) -> None:
        self.fingerprint = fingerprint
        self.names: list[str] = index["names"]
        self.skipped: list[str] = index["skipped"]
        self._shapes: list[list[int]] = index["shapes"]
        self._starts = np.concatenate([[0], np.cumsum([h * w * 3 for h, w in self._shapes])])
        self._pixels = np.memmap(pixels, np.uint8, "r")

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, i: int) -> np.ndarray:  # type: ignore[override]
        return self._pixels[self._starts[i] : self._starts[i + 1]].reshape(*self._shapes[i], 3)

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
        key = fingerprint(paths, side, square)
        index, pixels = folder / f"{key}.json", folder / f"{key}.u8"
        if not index.exists():
            build(paths, index, pixels, side, square, f"Reading {escape(title)}", progress)
        return cls(key, pixels, json.loads(index.read_text(encoding="utf-8")))


def fingerprint(paths: Sequence[Path], side: int, square: bool) -> str:
    """Return a name for the decoded contents of `paths`; a file that changes changes it."""
    digest = hashlib.sha256(f"1 {side} {square}".encode())
    for path in paths:
        facts = path.stat() if path.exists() else None
        digest.update(os.fsencode(path) + f"|{facts and (facts.st_size, facts.st_mtime_ns)}\n".encode())
    return digest.hexdigest()[:16]


def build(
    paths: Sequence[Path], index: Path, pixels: Path, side: int, square: bool, title: str, progress: bool
) -> None:
    """Decode `paths` on all cores into `pixels`, and write where each begins to `index`, last."""
    names, shapes, skipped = [], [], []
    with atomic_write(pixels) as temporary, temporary.open("wb") as out:
        for path, picture in track(
            decoded(paths, side, square), title, len(paths), transient=True, disable=not progress
        ):
            if isinstance(picture, str):
                skipped.append(picture)
                continue
            out.write(picture.tobytes())
            names.append(str(path))
            shapes.append(picture.shape[:2])
        if not names:
            raise UserError(f"none of the {len(paths)} files can be read as an image; the first: {skipped[0]}")
    with atomic_write(index) as temporary:
        temporary.write_text(json.dumps({"names": names, "shapes": shapes, "skipped": skipped}), encoding="utf-8")


def decoded(paths: Sequence[Path], side: int, square: bool) -> Iterator[tuple[Path, np.ndarray | str]]:
    """Yield each file with its picture, or with the reason why it has none, in order; at most 64 ahead."""

    def decode(path: Path) -> np.ndarray | str:
        try:
            return fit(read_rgb8(path), side, square=square)
        except UserError as error:
            return str(error)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(paths), 64):
            chunk = paths[start : start + 64]
            yield from zip(chunk, pool.map(decode, chunk), strict=True)
