"""Pictures to measure with, where only their number and size matter."""

__all__ = ["write_dataset", "write_pictures"]

import os
import shutil
from pathlib import Path

import cv2
import numpy as np

from translate.images.io import write_picture
from translate.images.picture import Picture

DIFFERENT = 16  # pictures that are really drawn; the others are these under more names


def write_dataset(kind: str, folder: Path, count: int, side: int) -> dict[str, str]:
    """Write `count` pictures (pairs, pictures of each domain) of `side` px in the layout that a kind of data has.

    Args:
        kind: "unpaired", "paired", "images" or "masked", as `Task.data`.
        folder: made where it is missing.
        count: 1 or more.
        side: px.

    Returns:
        The options of `data.options.DataConfig` that name it.
    """
    if kind == "unpaired":
        for seed, name in enumerate(("trainA", "trainB")):
            write_pictures(folder / name, count, side, side, seed)
        return {"root": str(folder)}
    if kind == "paired":
        write_pictures(folder / "train", count, side, 2 * side)
        return {"root": str(folder)}
    write_pictures(folder, count, side, side)
    return {"images": str(folder)}


def write_pictures(folder: Path, count: int, height: int, width: int, seed: int = 0) -> None:
    """Write `count` JPEG files of smooth noise into `folder`; beyond the first few they are links."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    files = [folder / f"{i:06d}.jpg" for i in range(count)]
    for file in files[:DIFFERENT]:
        write_picture(file, Picture(_blobs(rng, height, width)), 90)
    for i, file in enumerate(files[DIFFERENT:]):
        _link(files[i % DIFFERENT], file)


def _blobs(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Return (height, width, 3) uint8: large soft blobs under a little grain, which compresses as photos do."""
    rough = rng.uniform(0, 255, (max(2, height // 32), max(2, width // 32), 3)).astype(np.float32)
    smooth = cv2.resize(rough, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(smooth + rng.normal(0, 6, smooth.shape), 0, 255).astype(np.uint8)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # a file system without links
        shutil.copyfile(source, target)
