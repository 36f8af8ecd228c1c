"""Read picture files of every combination, whole and tile by tile, and hold them against what is in them.

    python tests/campaigns/decoders.py            # 2,000 files: a minute or two
    python tests/campaigns/decoders.py --files 90

Prints, per format, how many files were read right, refused, and read wrong; how often tifffile, libvips and Pillow
agree with what is in the files; whether tiles equal the whole; peak memory and CPU seconds of the worst file; and what
the headers of tiny files with huge pictures cost. Exits with 1 where a file was read wrong.
"""

__all__ = ["Figures", "campaign", "main"]

import argparse
import io
import json
import sys
import tempfile
import time
import warnings
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image

from tests.campaigns.decoder_files import Case, bombs, cases
from translate.images.io import read_picture
from translate.images.picture import Picture, to_depth
from translate.inference.gigapixel import HugePicture
from translate.inference.tiling.regions import Region
from translate.utils.errors import UserError

try:
    import pyvips
except (ImportError, OSError):
    pyvips = None

MAX_BOMB_MB, MAX_BOMB_SECONDS = 50.0, 0.1


@dataclass
class Figures:
    """What was measured.

    Attributes:
        right, refused, wrong: files by format.
        tiled: files whose tiles equal the whole, and files that are not read in tiles.
        others: files of which another library has the same picture, another picture, or none.
        worst_mb, worst_seconds: memory above that before, and CPU time, of the costliest files, and their names.
        bombs_mb, bombs_seconds: the same of tiny files that claim huge pictures.
        broken: wrong files, a line each.
    """

    right: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    tiled: Counter[str] = field(default_factory=Counter)
    others: dict[str, Counter[str]] = field(default_factory=dict)
    worst_mb: tuple[float, str] = (0.0, "")
    worst_seconds: tuple[float, str] = (0.0, "")
    bombs_mb: float = 0.0
    bombs_seconds: float = 0.0
    broken: list[str] = field(default_factory=list)


def main() -> None:
    """Run the campaign and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="put the files that were read wrong into this folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        figures = campaign(Path(place), options.files, options.seed, keep=options.keep)
    print(json.dumps(vars(figures), indent=2))
    sys.exit(1 if figures.broken else 0)


def campaign(place: Path, count: int, seed: int = 0, *, keep: Path | None = None, compare: bool = True) -> Figures:
    """Read `count` files, and the bombs, in the empty folder `place`.

    With `compare` some files are large, and other libraries read them too.
    """
    warnings.simplefilter("ignore")
    figures = Figures()
    for number, case in enumerate(cases(count, seed, 0.01 if compare else 0.0)):
        path = place / f"{number}{case.suffix}"
        path.write_bytes(case.data)
        before = len(figures.broken)
        _judge(path, case, figures)
        if compare:
            for name, reader in OTHERS.items():
                if name == "tifffile" and case.suffix != ".tif":
                    continue
                figures.others.setdefault(name, Counter())[_agreement(case, reader)] += 1
        if keep and len(figures.broken) > before:
            keep.mkdir(parents=True, exist_ok=True)
            (keep / path.name).write_bytes(case.data)
        path.unlink()
    for name, data in bombs():
        path = place / name
        path.write_bytes(data)
        _defuse(path, figures)
    return figures


def _judge(path: Path, case: Case, figures: Figures) -> None:
    """Read a file whole and in a tile, and note what came of it."""
    form = path.suffix[1:]
    try:
        picture, peak, seconds = _measured(path)
    except UserError as error:
        figures.refused[form] += 1
        assert "\n" not in str(error)
        return
    name = f"{form} of {picture.pixels.shape[1]} x {picture.pixels.shape[0]} px, {case.name}"
    figures.worst_mb = max(figures.worst_mb, (round(peak, 1), name))
    figures.worst_seconds = max(figures.worst_seconds, (round(seconds, 3), name))
    fault = _difference(case, picture) or _tile_difference(path, picture, figures)
    if fault:
        figures.wrong[form] += 1
        figures.broken.append(f"{path.name}: {fault} <- {case.name}")
    else:
        figures.right[form] += 1


def _measured(path: Path) -> tuple[Picture, float, float]:
    """Return the picture, the peak of memory above that before in MB, and CPU seconds."""
    before, began = _peak_mb(reset=True), time.process_time()
    picture = read_picture(path)
    seconds = time.process_time() - began
    return picture, _peak_mb() - before, seconds


def _peak_mb(*, reset: bool = False) -> float:
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def _difference(case: Case, picture: Picture) -> str:
    """Return how a picture differs from what is in its file; "" if it does not."""
    light = to_depth(picture.pixels, np.float32) if picture.pixels.dtype != np.float32 else picture.pixels
    truth = case.light.repeat(3, axis=2) if case.light.shape[2] == 1 else case.light
    if light.shape != truth.shape:
        return f"shape {light.shape}, not {truth.shape}"
    if (picture.alpha is not None) != (case.alpha is not None):
        return f"alpha {picture.alpha is not None}"
    allowed = case.tolerance + 0.51 / (255 if picture.pixels.dtype == np.uint8 else 65535)
    seen = np.ones(light.shape[:2], bool) if case.alpha is None else case.alpha > 0
    worst = np.abs(light - truth)[seen].max(initial=0)
    if worst > allowed:
        return f"colours differ by {worst:.4f}"
    if case.alpha is not None:
        worst = np.abs(to_depth(picture.alpha, np.float32) - case.alpha).max()
        return f"alpha differs by {worst:.4f}" if worst > allowed else ""
    return ""


def _tile_difference(path: Path, whole: Picture, figures: Figures) -> str:
    """Return how a tile differs from that of the whole picture; "" if it does not, or if there are no tiles."""
    height, width = whole.pixels.shape[:2]
    region = Region(height // 4, max(height // 4 + 1, height - 2), width // 3, max(width // 3 + 1, width - 1))
    try:
        one = HugePicture(path)
    except (UserError, KeyError):
        figures.tiled["aside"] += 1
        return ""
    try:
        part = one.region(region)
    except UserError as error:
        return f"tiles: {error}"
    rows, columns = slice(region.top, region.bottom), slice(region.left, region.right)
    if one.size != (height, width) or (part.alpha is None) != (whole.alpha is None) or part.gray != whole.gray:
        return f"tiles: {one.size} px, alpha {part.alpha is not None}, gray {part.gray}"
    same = part.pixels.dtype == whole.pixels.dtype and np.array_equal(part.pixels, whole.pixels[rows, columns])
    if not same or (part.alpha is not None and not np.array_equal(part.alpha, whole.alpha[rows, columns])):
        return f"tiles differ: {part.pixels.dtype} and {whole.pixels.dtype}"
    figures.tiled["equal"] += 1
    return ""


def _by_tifffile(data: bytes) -> np.ndarray:
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page = file.pages[0]
        assert page.photometric <= 2 and page.tags.valueof(274, 1) == 1, "it gives what is stored, not what is seen"
        array = page.asarray()
    array = np.moveaxis(array, 0, -1) if page.planarconfig == 2 and page.samplesperpixel > 1 else array
    unit = array / (2**page.bitspersample - 1) if array.dtype.kind in "ub" else array
    return 1 - unit[..., :1] if page.photometric == 0 else unit


def _by_pillow(data: bytes) -> np.ndarray:
    image = Image.open(io.BytesIO(data))
    deep = image.mode.startswith("I;16")
    return np.asarray(image) / 65535 if deep else np.asarray(image.convert("RGB")) / 255


def _by_libvips(data: bytes) -> np.ndarray:
    image = pyvips.Image.new_from_buffer(data, "").autorot()
    array = image.numpy()
    return array / np.iinfo(array.dtype).max if array.dtype.kind == "u" else array


OTHERS = {"tifffile": _by_tifffile, "Pillow": _by_pillow} | ({"libvips": _by_libvips} if pyvips else {})


def _agreement(case: Case, reader) -> str:
    """Return whether another library has the colours that are in a file: "same", "other" or "refused"."""
    try:
        array = np.asarray(reader(case.data), np.float64)
    except Exception:  # each has errors of its own
        return "refused"
    array = array.reshape(*array.shape[:2], -1)
    shared = min(array.shape[2], case.light.shape[2])
    if array.shape[:2] != case.light.shape[:2]:
        return "other"
    seen = np.ones(array.shape[:2], bool) if case.alpha is None else case.alpha > 0
    worst = np.abs(array[..., :shared] - case.light[..., :shared])[seen].max(initial=0)
    return "same" if worst <= case.tolerance + 2 / 255 else "other"


def _defuse(path: Path, figures: Figures) -> None:
    """Read a tiny file that claims a huge picture, which has to be refused at once."""
    before, began = _peak_mb(reset=True), time.process_time()
    try:
        read_picture(path)
        figures.broken.append(f"{path.name}: is read")
    except UserError:
        pass
    seconds, grown = time.process_time() - began, _peak_mb() - before
    figures.bombs_mb, figures.bombs_seconds = max(figures.bombs_mb, grown), max(figures.bombs_seconds, seconds)
    if grown > MAX_BOMB_MB or seconds > MAX_BOMB_SECONDS:
        figures.broken.append(f"{path.name}: takes {grown:.0f} MB and {seconds:.2f} s to be refused")


if __name__ == "__main__":
    main()
