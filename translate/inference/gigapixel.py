"""Pictures that are never in memory whole: read region by region, and their answers written to a plain file.

libvips (by pyvips, the extra `huge`) decodes the regions that are asked for, and encodes an answer from the file row by
row, in bounded memory. TIFF comes out in tiles, as a pyramid where it was one, and compressed as it was.
"""

__all__ = ["Canvas", "HugePicture", "open_huge", "translate_huge"]

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from torch import Tensor

from translate.images.encode import FORMATS
from translate.images.picture import Picture, ValueRange, as_picture, fitting_icc, to_numbers
from translate.images.tensors import HostCopy
from translate.images.tiff import kind_of
from translate.inference.preprocess import brought_back, is_paired, network_size, prepare_source
from translate.inference.request import Request
from translate.inference.runner import ModelRunner, ProgressCallback, Tiled
from translate.inference.tiling.disk_raster import DiskRaster
from translate.inference.tiling.regions import Region
from translate.utils.errors import UserError
from translate.utils.files import atomic_write
from translate.utils.trust import TRUST

try:
    import pyvips
except (ImportError, OSError):  # not installed, or without its library
    pyvips = None

_LEAST = 2**20  # bytes of a file; smaller ones are decoded whole, as far as they can be
_COPIES = 5  # of a picture in memory, while it is decoded, answered and encoded whole
_STRIP = 64  # rows of an answer that are read at a time
_SMALL = 2048  # px of the long side of what statistics are taken from
_TYPES = {
    "uchar": np.uint8, "char": np.int8, "ushort": np.uint16, "short": np.int16, "uint": np.uint32, "int": np.int32,
    "float": np.float32, "double": np.float64,
}  # fmt: skip
_COMPRESSIONS = {"NONE": "none", "LZW": "lzw", "JPEG": "jpeg", "ZSTD": "zstd", "PACKBITS": "packbits"}
_SAVED = ("TIFF", "PNG", "JPEG", "WEBP")


class HugePicture:
    """A picture file that is decoded region by region, turned upright.

    Attributes:
        path: of the file.
        size: height and width, px.
        dtype: of its numbers.
        values: what is black and white in floats and wide integers; None: 0 and 1, or the full scale.
        alpha: whether its last channel is opacity.
        frames: pictures in the file, of which this is the first; the levels of a pyramid are no others.
        pyramid: "pages" or "subifds", where smaller copies lie in the file; "": there are none.
    """

    def __init__(self, path: Path, values: ValueRange | None = None) -> None:
        """Read the header.

        Raises:
            UserError: it is no picture that libvips knows, or its channels lie in pages of their own.
        """
        self.path, self.values = path, values
        with self._reading():
            image = pyvips.Image.new_from_file(str(path), access="random", fail_on="truncated", revalidate=True)
            self.pyramid, self.frames = self._pages(image)
            image = image.autorot()
            if image.interpretation in ("cmyk", "lab", "labs", "xyz"):
                image = image.colourspace("srgb")
        self.image = image
        self.size: tuple[int, int] = (image.height, image.width)
        self.dtype = np.dtype(_TYPES[image.format])
        self._tiff = kind_of(path)
        self.alpha = self._tiff.alpha if self._tiff else bool(image.hasalpha())
        if self._tiff and self._tiff.channels + self._tiff.alpha != image.bands:
            raise UserError(f"{path}: has channels in pages of their own; put them into one page")

    @property
    def compression(self) -> str:
        """How a TIFF is compressed, as tifffile names it; "" of other files."""
        return self._tiff.compression if self._tiff else ""

    @property
    def nbytes(self) -> int:
        """What it would take in memory, bytes."""
        return self.size[0] * self.size[1] * int(self.image.bands) * self.dtype.itemsize

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except pyvips.Error as error:
            reason = (error.detail or error.message).strip().splitlines()[-1]
            raise UserError(f"{self.path}: cannot be read as an image ({reason})") from error

    def _pages(self, image: Any) -> tuple[str, int]:
        """Return how its pyramid is kept, if it is one, and how many pictures there are."""
        if image.get_typeof("n-subifds") and image.get("n-subifds"):
            return "subifds", 1
        count = image.get("n-pages") if image.get_typeof("n-pages") else 1
        if count > 1 and self.path.suffix.lower() in (".tif", ".tiff"):
            second = pyvips.Image.new_from_file(str(self.path), page=1, revalidate=True)
            if abs(2 * second.width - image.width) <= 2 and abs(2 * second.height - image.height) <= 2:
                return "pages", 1
        return "", count

    def region(self, region: Region) -> Picture:
        """Decode a region.

        Raises:
            UserError: the file is damaged, or holds values on a scale that no picture has.
        """
        height, width = region.bottom - region.top, region.right - region.left
        with self._reading():
            data = pyvips.Region.new(self.image).fetch(region.left, region.top, width, height)
        return self._picture(np.frombuffer(data, self.dtype).reshape(height, width, -1))

    def thumbnail(self) -> Picture:
        """Return it with a long side of 2048 px at most.

        Raises:
            UserError: as `region`.
        """
        shrink = max(1, max(self.size) // _SMALL)
        with self._reading():
            small = self.image.shrink(shrink, shrink) if shrink > 1 else self.image
            return self._picture(small.cast(self.image.format).numpy().reshape(small.height, small.width, -1))

    def _picture(self, stored: np.ndarray) -> Picture:
        try:
            bands = stored.shape[2] - self.alpha not in (1, 3)
            return as_picture(stored, self.alpha, bands=bands, values=self.values)
        except ValueError as error:
            raise UserError(f"{self.path}: {error}") from None


class Canvas:
    """The answer to a huge picture, in an unnamed file, in the folder for temporary files."""

    def __init__(self, source: HugePicture, keep: bool) -> None:
        """Begin an answer to `source`; with `keep`, it has the opacity and the colour profile of that."""
        self.source, self.keep = source, keep
        self._raster: DiskRaster | None = None
        self._bands, self._dtype = 0, source.dtype

    def write(self, region: Region, stored: np.ndarray) -> None:
        """Take a region, (h, w, C).

        Raises:
            UserError: the disk is full.
        """
        if self._raster is None:
            self._bands, self._dtype = stored.shape[2], stored.dtype
            self._raster = DiskRaster(self.source.size[1], self._bands * self._dtype.itemsize, self._begin)
        self._raster.write(region, stored)

    def _begin(self, path: Path) -> int:
        """Write the header of a plain TIFF, which libvips reads strip by strip; bare numbers it would map whole."""
        shape = self.source.size if self._bands == 1 else (*self.source.size, self._bands)
        kind = "rgb" if self._bands == 3 else "minisblack"
        place = tifffile.imwrite(
            path, shape=shape, dtype=self._dtype, bigtiff=True, photometric=kind,
            planarconfig="contig" if self._bands > 1 else None, rowsperstrip=_STRIP, metadata=None, returnoffset=True,
        )  # fmt: skip
        assert place is not None
        return place[0]

    def save(self, path: Path, quality: int) -> None:
        """Encode it in the format that the suffix names, atomically.

        Args:
            path: of the file.
            quality: of JPEG and WebP, 1 to 100; also inside TIFF.

        Raises:
            WriteError: the disk or the folder refuses.
            UserError: it is too large for the format.
        """
        form = FORMATS[path.suffix.lower()].name
        if form not in _SAVED:
            raise UserError(f"{path}: a picture of this size cannot be written as {form}; use .tif")
        image, quality_of = self._image(form), {"Q": quality}
        with atomic_write(path) as temporary:
            try:
                if form == "TIFF":
                    image.tiffsave(str(temporary), **quality_of, **self._tiff())
                elif form == "PNG":
                    image.pngsave(str(temporary))
                elif form == "JPEG":
                    image.jpegsave(str(temporary), subsample_mode="off", **quality_of)
                else:
                    image.webpsave(str(temporary), **quality_of)
            except pyvips.Error as error:
                reason = (error.detail or error.message).strip().splitlines()[-1]
                if "space" in reason or "write" in reason:
                    raise OSError(reason) from error
                raise UserError(f"{path}: cannot be written as {form} ({reason}); use .tif") from error

    def _image(self, form: str) -> Any:
        """Return the answer, with all that is kept of its source, for libvips to encode."""
        source = self.source.image
        assert self._raster is not None
        image = pyvips.Image.new_from_file(self._raster.path, access="sequential", revalidate=True)
        image = image.copy(interpretation=self._interpretation(), xres=source.xres, yres=source.yres)
        if not self.keep:
            return image
        if self.source.alpha and form != "JPEG":
            image = image.bandjoin(source[source.bands - 1].cast(image.format))
        icc = source.get("icc-profile-data") if source.get_typeof("icc-profile-data") else None
        if icc and fitting_icc(Picture(np.empty((0, 0, self._bands)), gray=self._bands == 1, icc=icc)):
            image.set_type(pyvips.GValue.blob_type, "icc-profile-data", icc)
        return image

    def _interpretation(self) -> str:
        deep = self._dtype == np.uint16
        return {1: "grey16" if deep else "b-w", 3: "rgb16" if deep else "srgb"}.get(self._bands, "multiband")

    def _tiff(self) -> dict[str, Any]:
        """Return how TIFF is written: in tiles, and otherwise as the source was if it was TIFF."""
        compression = _COMPRESSIONS.get(self.source.compression, "deflate")
        if compression == "jpeg" and (self._dtype != np.uint8 or self._bands not in (1, 3)):
            compression = "deflate"
        source, pyramid = self.source.image, self.source.pyramid
        sides = (source.get(name) if source.get_typeof(name) else 256 for name in ("tile-width", "tile-height"))
        known = zip(("tile_width", "tile_height"), sides, strict=True)
        return {
            "tile": True, **dict(known), "compression": compression, "bigtiff": True, "pyramid": bool(pyramid),
            "subifd": pyramid == "subifds",
        }  # fmt: skip


def open_huge(path: Path, room: int | None, values: ValueRange | None = None) -> HugePicture | None:
    """Open a picture that is too large to be decoded whole, for the memory or for `TRUST`; None: it is not.

    Args:
        path: of the file.
        room: bytes that there are for it; None: nothing tells.
        values: as of a `HugePicture`.
    """
    if pyvips is None or room is None or path.stat().st_size < _LEAST:
        return None
    try:
        picture = HugePicture(path, values)
    except (UserError, KeyError, UnicodeEncodeError):  # a kind that others may know, or a name that libvips cannot take
        return None
    height, width = picture.size
    return picture if _COPIES * picture.nbytes > room // 2 or height * width > TRUST.max_pixels else None


def translate_huge(infer: ModelRunner, picture: HugePicture, wish: Request, watch: ProgressCallback) -> list[Canvas]:
    """Translate a picture region by region to all the answers that are wished for.

    Raises:
        UserError: the model's pictures cannot go through tile by tile, or the memory is too little.
    """
    recipe, name, paired = infer.recipe, str(picture.path), is_paired(infer.recipe)
    if network_size(recipe, *picture.size, wish.scale) != picture.size:
        raise UserError(f"{name}: this model would see it at {recipe.size} px; say --scale native, or shrink it first")
    channels, _ = infer.channels(wish.direction)

    def shown(part: Picture) -> Tensor:
        return prepare_source(recipe, part, channels, part.pixels.shape[:2], name)

    made = []
    for answer in wish.answers:
        canvas = Canvas(picture, keep=not paired)

        def write(region: Region, y: Tensor, canvas: Canvas = canvas) -> None:
            like = picture.region(region)
            part = brought_back(HostCopy(y, like.pixels.dtype).array(0), like, paired)
            pixels = part.pixels[..., :1] if part.gray else part.pixels
            canvas.write(region, to_numbers(pixels, part.numbers) if part.numbers else pixels)

        tiled = Tiled(picture.size, lambda r: shown(picture.region(r)), write, 0, lambda: shown(picture.thumbnail()))
        infer.run_tiles(tiled, wish.direction, answer, infer.room() or 0, name, watch)
        made.append(canvas)
    return made
