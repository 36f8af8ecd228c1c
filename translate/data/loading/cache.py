"""Pictures decoded once: a memory-mapped file of pixels that training reads from then on."""

__all__ = ["PictureCache", "Pictures", "fingerprint", "open_cache"]

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from translate.data.loading.file_kind import FileKind, MixedChannels
from translate.data.loading.transforms import fit
from translate.utils.errors import UserError
from translate.utils.files import atomic_write
from translate.utils.progress import track

Decode = Callable[[int], np.ndarray | str]


class Pictures(Sequence[np.ndarray]):
    """Pictures (H, W, C) of any sizes, one C and one depth, that lie one behind the other.

    Attributes:
        pixels: (N,) uint8, uint16 or float32 in [0, 1], of all of them.
        shapes: (n, 3) int64: height, width and channels of each.
        starts: (n + 1,) int64, where each begins in `pixels`, and where the last ends.
    """

    def __init__(self, pixels: np.ndarray, shapes: np.ndarray) -> None:
        self.pixels, self.shapes = pixels, shapes.astype(np.int64)
        self.starts = np.concatenate([[0], self.shapes.prod(1).cumsum()])

    def __len__(self) -> int:
        return len(self.shapes)

    def __getitem__(self, i: int) -> np.ndarray:  # type: ignore[override]
        return self.pixels[self.starts[i] : self.starts[i + 1]].reshape(self.shapes[i])


class PictureCache(Pictures):
    """The pictures of one domain, behind one memory map.

    Attributes:
        names: The file of each picture, or what else it is called.
        skipped: What could not be decoded, a line a file.
        fingerprint: Identifies the files and what was done to them.
    """

    def __init__(self, fingerprint: str, names: Sequence[str], pixels: Path, index: Path) -> None:
        """Open the files `pixels` and `index` that `build` wrote, of pictures called `names`."""
        with np.load(index) as found:
            kept, shapes, skipped = (found[key] for key in ("kept", "shapes", "skipped"))
            dtype = str(found["dtype"]) if "dtype" in found else "uint8"
        super().__init__(np.memmap(pixels, dtype, "r").view(np.ndarray), shapes)
        self.fingerprint = fingerprint
        self.names = [names[i] for i in kept.tolist()]
        self.skipped: list[str] = json.loads(skipped.tobytes())

    @classmethod
    def open(
        cls,
        paths: Sequence[Path],
        folder: Path,
        *,
        side: int,
        square: bool,
        kind: FileKind | None = None,
        title: str = "",
        progress: bool = True,
    ) -> "PictureCache":
        """Return the cache of `paths`, read as `kind` (None: RGB in 8 bits) and brought to `side` px by `fit`.

        It is built in `folder` if need be; a file that cannot be decoded is listed in `skipped`.

        Raises:
            UserError: None of the files can be decoded, their channels differ, or `folder` cannot be written to.
        """
        kind = kind or FileKind()

        def decode(i: int) -> np.ndarray | str:
            try:
                return fit(kind.read(paths[i]), side, square=square)
            except MixedChannels:
                raise
            except UserError as error:
                return str(error)

        key, names = fingerprint(paths, side, square, *kind.settings), [str(path) for path in paths]
        return open_cache(folder, key, names, decode, title=title, progress=progress)


def open_cache(
    folder: Path, key: str, names: Sequence[str], decode: Decode, *, title: str = "", progress: bool = True
) -> PictureCache:
    """Return the cache called `key` in `folder`, building it if need be.

    Args:
        folder: Made where it is missing.
        key: The `fingerprint` of all that makes the contents what they are.
        names: Of the pictures.
        decode: Returns picture number i as (H, W, C), all of one type, or the reason to skip it; called by threads.
        title: Of the progress bar.
        progress: Whether to show it.

    Raises:
        UserError: All are skipped, `folder` cannot be written to, or what `decode` raises.
    """
    index, pixels = folder / f"{key}.npz", folder / f"{key}.u8"
    if not index.exists():
        build(len(names), decode, index, pixels, f"Reading {title}", progress)
    return PictureCache(key, names, pixels, index)


def fingerprint(paths: Iterable[Path], *settings: object) -> str:
    """Return a name for the contents of `paths` read with `settings`; a file that changes changes it."""
    digest = hashlib.sha256(" ".join(map(str, (3, *settings))).encode("utf-8", "surrogateescape"))
    for path in map(os.fsencode, paths):
        try:
            facts = os.stat(path)  # noqa: PTH116 - of a hundred thousand files, in half the time
            digest.update(b"%b|%d, %d\n" % (path, facts.st_size, facts.st_mtime_ns))
        except OSError:
            digest.update(path + b"|\n")
    return digest.hexdigest()[:16]


def build(count: int, decode: Decode, index: Path, pixels: Path, title: str, progress: bool) -> None:
    """Decode `count` pictures on all cores into `pixels`, and write which and how large they are to `index`, last."""
    kept, shapes, skipped, dtype = [], [], [], np.dtype(np.uint8)
    with atomic_write(pixels) as temporary, temporary.open("wb") as out:
        pictures = track(decoded(decode, count), title, count, progress)
        for i, picture in enumerate(pictures):
            if isinstance(picture, str):
                skipped.append(picture)
                continue
            out.write(picture.tobytes())
            kept.append(i)
            shapes.append(picture.shape)
            dtype = picture.dtype
        if not kept:
            raise UserError(f"none of the {count} files can be read as an image; the first: {skipped[0]}")
    told = np.frombuffer(json.dumps(skipped).encode(), np.uint8)
    with atomic_write(index) as temporary, temporary.open("wb") as out:
        np.savez(out, kept=np.array(kept), shapes=np.array(shapes), skipped=told, dtype=np.array(str(dtype)))


def decoded(decode: Decode, count: int) -> Iterator[np.ndarray | str]:
    """Yield what `decode` returns for 0 to `count` - 1, in order; at most 64 ahead."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, count, 64):
            yield from pool.map(decode, range(start, min(start + 64, count)))
