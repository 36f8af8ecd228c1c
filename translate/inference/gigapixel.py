"""Gigapixel pictures, which are never whole in memory: read region by region, translated tile by tile.

libvips (by pyvips, the extra `huge`) decodes regions on demand, where its pixels equal those of `images.decode`. TIFF
of other kinds, such as bands in planes, is copied to a plain temporary TIFF first, row by row, by `TiffReader`. Files
that neither supports are decoded whole. Results are written to a plain temporary file, from which libvips encodes them
row by row, in bounded memory. TIFF is written in tiles, as a pyramid if its source is one.
"""

__all__ = ["Canvas", "HugePicture", "open_huge", "translate_huge"]

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from translate.images.decode import describe
from translate.images.encode import stored_alpha
from translate.images.formats.tiff import TiffHeader, TiffReader, read_header
from translate.images.picture import Picture, ValueRange, as_picture, to_numbers
from translate.images.samples import REACH
from translate.images.tensors import HostCopy
from translate.images.vips import pyvips, reason
from translate.inference.enlargement import enlarged, enlarged_alpha
from translate.inference.inputs.checks import check_exact
from translate.inference.postprocess import postprocess
from translate.inference.preprocess import network_size, prepare_source
from translate.inference.request import Request
from translate.inference.runner import ModelRunner
from translate.inference.tiling.canvas import Canvas, begin_tiff
from translate.inference.tiling.disk_raster import DiskRaster
from translate.inference.tiling.regions import Region
from translate.inference.tiling.tiled_pass import TiledImage
from translate.utils.errors import UserError
from translate.utils.trust import TRUST

MIN_FILE_BYTES = 2**20  # smaller files are decoded whole: opening each with libvips would slow folders down
COPIES_IN_MEMORY = 5  # of a picture, while it is decoded, translated and encoded whole
THUMBNAIL_SIDE_PX = 2048  # long side of the copy that norm statistics are gathered from
_TYPES = {
    "uchar": np.uint8, "char": np.int8, "ushort": np.uint16, "short": np.int16, "uint": np.uint32, "int": np.int32,
    "float": np.float32, "double": np.float64,
}  # fmt: skip
_LOADERS = ("tiffload", "pngload", "jpegload", "webpload")  # whose pixels equal those of `images.decode`


class HugePicture:
    """A picture file that is decoded region by region, upright.

    Attributes:
        size: height and width, px.
        values: black and white in floats and wide integers; None: 0 and 1, or the full scale.
        alpha: whether the last channel is opacity.
        compression: of a TIFF, as tifffile names it; "" for other files.
        frames: pictures in the file, of which this is the first; the levels of a pyramid do not count.
        bands: number of channels, alpha included.
        batch_bytes: memory that a plain copy takes, for a TIFF that needs one; else 0.
        pyramid: "pages" or "subifds", where the file stores smaller copies; "" if it stores none.
    """

    image: Any
    batch_bytes = 0

    def __init__(self, path: Path, values: ValueRange | None = None) -> None:
        """Read the header; raise UserError for a file that has to be decoded whole."""
        self.path, self.values = path, values
        self.header = read_header(path)
        self._plain_copy: DiskRaster | None = None
        if self.header and not self.header.plain and not self.header.unreadable:
            self._describe(self.header)
            return
        with self._reading():
            image = _open(path)
            self.pyramid, self.frames = self._pages(image)
            self.image = image.autorot()
        self.size: tuple[int, int] = (self.image.height, self.image.width)
        self.compression = self.header.compression if self.header else ""
        self.alpha = self.header.alpha if self.header else bool(image.hasalpha())
        self.dtype, self.bands = np.dtype(_TYPES[image.format]), int(image.bands)
        if not _agrees(image, self.header):
            raise UserError(f"{path}: is decoded whole")

    def _describe(self, header: TiffHeader) -> None:
        """Set all attributes from the header of a TIFF that has to be copied, since libvips decodes it differently."""
        size = (header.height, header.width)
        self.size = size[::-1] if header.orientation >= 5 else size
        self.pyramid, self.frames, self.compression = header.pyramid, header.frames, header.compression
        self.alpha, self.dtype, self.bands = header.alpha, header.dtype, header.channels + header.alpha
        if self.dtype == np.float64 or self.dtype not in map(np.dtype, _TYPES.values()):  # no TIFF of libvips holds it
            raise UserError(f"{self.path}: is decoded whole")
        with TiffReader(self.path) as reader:
            self.batch_bytes = reader.batch_bytes

    @cached_property
    def description(self) -> Picture:
        """An empty picture with what the file says of itself."""
        if self.header is None:
            try:
                return describe(self.path)
            except Exception:  # damaged metadata is no reason to refuse the pixels
                return Picture(np.empty((0, 0, 3), np.uint8))
        header = self.header
        return Picture(
            np.empty((0, 0, 3), np.uint8), dpi=header.dpi, tags=header.tags, lost=header.lost, metadata=header.metadata
        )

    def prepare(self) -> None:
        """Copy a TIFF that libvips decodes differently; raise UserError for a damaged file."""
        header = self.header
        if not self.batch_bytes or not header or self._plain_copy:
            return
        # 1. copy its rows
        shape = (header.height, header.width, self.bands)
        pixel_bytes = self.bands * self.dtype.itemsize
        copy = DiskRaster(header.width, pixel_bytes, lambda path: begin_tiff(path, shape, self.dtype))
        try:
            with TiffReader(self.path, self.values) as reader:
                for start in range(0, header.height, reader.batch_rows):
                    stop = min(start + reader.batch_rows, header.height)
                    copy.write(Region(start, stop, 0, header.width), reader.rows(start, stop))
        except ValueError as error:
            raise UserError(f"{self.path}: cannot be read as an image ({error})") from None
        # 2. open the copy, with the file's metadata
        self._plain_copy = copy
        across, down = header.dpi or (25.4, 25.4)
        image = _open(Path(copy.path)).copy(xres=across / 25.4, yres=down / 25.4)
        image.set_type(pyvips.GValue.gint_type, "orientation", header.orientation)
        if header.icc:
            image.set_type(pyvips.GValue.blob_type, "icc-profile-data", header.icc)
        for name, side in zip(("tile-width", "tile-height"), header.tile or (), strict=False):
            image.set_type(pyvips.GValue.gint_type, name, side)
        self.image = image.autorot()

    @property
    def nbytes(self) -> int:
        """Size of the decoded picture, bytes."""
        return self.size[0] * self.size[1] * self.bands * self.dtype.itemsize

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except pyvips.Error as error:
            raise UserError(f"{self.path}: cannot be read as an image ({reason(error)})") from error

    def _pages(self, image: Any) -> tuple[str, int]:
        """Return the place of the pyramid in the file, and the number of pictures."""
        if image.get_typeof("n-subifds") and image.get("n-subifds"):
            return "subifds", 1
        count = image.get("n-pages") if image.get_typeof("n-pages") else 1
        if count > 1 and self.path.suffix.lower() in (".tif", ".tiff"):
            second = pyvips.Image.new_from_file(str(self.path), page=1, revalidate=True)
            if abs(2 * second.width - image.width) <= 2 and abs(2 * second.height - image.height) <= 2:
                return "pages", 1
        return "", count

    def region(self, region: Region) -> Picture:
        """Decode a region; raise UserError for a damaged file, or values outside of `values`."""
        height, width = region.size
        self.prepare()
        with self._reading():
            data = pyvips.Region.new(self.image).fetch(region.left, region.top, width, height)
        return self._picture(np.frombuffer(data, self.dtype).reshape(height, width, -1))

    def thumbnail(self) -> Picture:
        """Return a copy with a long side of about 2048 px; raise UserError as `region`."""
        self.prepare()
        shrink = max(1, max(self.size) // THUMBNAIL_SIDE_PX)
        with self._reading():
            small = self.image.shrink(shrink, shrink) if shrink > 1 else self.image
            return self._picture(small.cast(self.image.format).numpy().reshape(small.height, small.width, -1))

    def _picture(self, stored: np.ndarray) -> Picture:
        try:
            bands = stored.shape[2] - self.alpha not in (1, 3)
            return as_picture(stored, self.alpha, bands=bands, values=self.values)
        except ValueError as error:
            raise UserError(f"{self.path}: {error}") from None


def _open(path: Path) -> Any:
    return pyvips.Image.new_from_file(str(path), access="random", fail_on="error", revalidate=True)


def _agrees(image: Any, header: TiffHeader | None) -> bool:
    """Whether libvips decodes a file to the same pixels as `images.decode`."""
    loader = str(image.get("vips-loader")) if image.get_typeof("vips-loader") else ""
    if not loader.startswith(_LOADERS):
        return False
    if image.interpretation in ("cmyk", "lab", "labs", "xyz"):
        return False
    if loader.startswith("tiff"):
        return header is not None and header.plain and header.channels + header.alpha == image.bands
    return True


def open_huge(
    path: Path, budget: int | None, values: ValueRange | None = None, scale: int = 1
) -> HugePicture | None:  # fmt: skip
    """Open a picture that `budget` bytes or `TRUST` forbid to decode whole; return None for other pictures.

    Its translation is `scale` times as wide and high.
    """
    if pyvips is None or budget is None or path.stat().st_size < MIN_FILE_BYTES:
        return None
    try:
        picture = HugePicture(path, values)
    except (UserError, KeyError, UnicodeEncodeError):  # other decoders may know it, or libvips cannot take its name
        return None
    height, width = picture.size
    if picture.batch_bytes > budget // 2:
        return None
    too_large = COPIES_IN_MEMORY * scale**2 * picture.nbytes > budget // 2 or height * width > TRUST.max_pixels
    return picture if too_large else None


def translate_huge(runner: ModelRunner, picture: HugePicture, request: Request) -> list[Canvas]:
    """Translate a picture region by region to each variant; raise UserError if the model or the memory forbids it."""
    recipe = runner.recipe
    if network_size(recipe, *picture.size, request.scale) != picture.size:
        seen = f"this model would see it at {recipe.size} px"
        raise UserError(f"{picture.path}: {seen}; say --scale native, or shrink it first")
    canvases = []
    for variant in request.variants:
        canvas = Canvas(picture, keep=not runner.paired, scale=runner.scale)
        image = _tiled_image(runner, picture, canvas, request)
        runner.run_tiled(image, request.direction, variant, runner.memory.free_budget() or 0)
        canvases.append(canvas)
    return canvases


def _tiled_image(runner: ModelRunner, picture: HugePicture, canvas: Canvas, request: Request) -> TiledImage:
    """Return a picture, preprocessed region by region, whose translation is written to a canvas."""
    name, (channels, _) = str(picture.path), runner.channels(request.direction)

    def preprocess(part: Picture) -> Tensor:
        check_exact(part, request.consistent, name)
        return prepare_source(runner.recipe, part, channels, part.pixels.shape[:2], name)

    def write(region: Region, y: Tensor) -> None:
        # 1. the colours
        source = Region(*(edge // runner.scale for edge in region))
        like = picture.region(source)
        output = HostCopy(y, like.pixels.dtype).array(0)
        if runner.scale > 1:
            opaque = replace(like, alpha=None)
            part = enlarged(output, opaque, consistent=request.consistent)
        else:
            part = postprocess(output, like, runner.paired)
        pixels = part.pixels[..., :1] if part.gray else part.pixels
        stored = to_numbers(pixels, part.numbers) if part.numbers else pixels
        # 2. the opacity; at the same scale, it is copied from the file
        if picture.alpha and runner.scale > 1:
            alpha = _alpha_of(picture, source, runner.scale, request.consistent)
            stored = np.dstack((stored, stored_alpha(alpha, stored.dtype)))
        canvas.write(region, stored)

    return TiledImage(
        name, picture.size, read=lambda region: preprocess(picture.region(region)), write=write, result_bytes=0,
        preview=lambda: preprocess(picture.thumbnail()),
    )  # fmt: skip


def _alpha_of(picture: HugePicture, region: Region, scale: int, consistent: bool) -> np.ndarray:
    """Return the opacity of a region of a picture, enlarged as that of the whole picture."""
    wide = region.map_edges(lambda low: low - REACH, lambda high: high + REACH)
    have = wide.clip(*picture.size)
    alpha = picture.region(have).alpha
    assert alpha is not None
    missing = (have.top - wide.top, wide.bottom - have.bottom), (have.left - wide.left, wide.right - have.right)
    return enlarged_alpha(np.pad(alpha, missing, mode="edge"), scale, REACH, consistent=consistent)
