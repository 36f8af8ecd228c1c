"""Generated pictures for measurements that depend only on number and size."""

__all__ = ["ATTRIBUTES", "write_dataset", "write_pictures"]

import csv
import os
import shutil
from pathlib import Path

import cv2
import numpy as np

from translate.images.io import write_picture
from translate.images.picture import Picture

ATTRIBUTES = 5  # of pictures with labels
DISTINCT_PICTURES = 16  # the other files are links to these, as drawing more would take longer than measuring


def write_dataset(kind: str, folder: Path, count: int, side: int) -> dict[str, str]:
    """Write a data set in the layout of a kind of data.

    Args:
        kind: as `Task.data`: "unpaired", "paired", "images", "labelled", "masked" or "reduced".
        folder: created if missing.
        count: pictures, pairs, or pictures of each domain; 1 or more.
        side: px.

    Returns:
        The options of `DataConfig` for this data set.
    """
    if kind == "unpaired":
        for seed, name in enumerate(("trainA", "trainB")):
            write_pictures(folder / name, count, side, side, seed)
        return {"root": str(folder)}
    if kind == "paired":
        write_pictures(folder / "train", count, side, 2 * side)
        return {"root": str(folder)}
    write_pictures(folder, count, side, side)
    if kind == "labelled":
        _write_attributes(folder / "attributes.csv", count)
        return {"images": str(folder), "classes": "auto"}
    return {"images": str(folder)}


def write_pictures(folder: Path, count: int, height: int, width: int, seed: int = 0) -> None:
    """Write `count` JPEG files of smooth noise into `folder`; files after the first few are links."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    files = [folder / f"{i:06d}.jpg" for i in range(count)]
    for file in files[:DISTINCT_PICTURES]:
        write_picture(file, Picture(_draw_blobs(rng, height, width)), 90)
    for i, file in enumerate(files[DISTINCT_PICTURES:]):
        _link_or_copy(files[i % DISTINCT_PICTURES], file)


def _write_attributes(file: Path, count: int) -> None:
    """Write a table of attributes; from a dozen pictures on, some have each and some have not."""
    with file.open("w", newline="") as table:
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(["file", *(f"attribute {k}" for k in range(ATTRIBUTES))])
        writer.writerows([f"{i:06d}.jpg", *(i // (k + 1) % 2 for k in range(ATTRIBUTES))] for i in range(count))


def _draw_blobs(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Return (height, width, 3) uint8: large soft blobs with a little grain, which compress as photos do."""
    rough = rng.uniform(0, 255, (max(2, height // 32), max(2, width // 32), 3)).astype(np.float32)
    smooth = cv2.resize(rough, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(smooth + rng.normal(0, 6, smooth.shape), 0, 255).astype(np.uint8)


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # a file system without links
        shutil.copyfile(source, target)
