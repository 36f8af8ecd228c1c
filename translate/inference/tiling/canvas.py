"""The translation of a gigapixel picture: written region by region to a temporary file, and encoded row by row."""

__all__ = ["Canvas", "begin_tiff"]

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile

from translate.images import exif
from translate.images.encode import FORMATS, Format, Loss, losses
from translate.images.formats import png
from translate.images.formats.tiff_tags import insert_tags, scale_tags
from translate.images.metadata import Metadata
from translate.images.picture import Picture, matching_icc
from translate.images.vips import pyvips, reason
from translate.inference.tiling.disk_raster import DiskRaster
from translate.inference.tiling.regions import Region
from translate.utils.errors import UserError
from translate.utils.files import atomic_write

if TYPE_CHECKING:
    from translate.inference.gigapixel import HugePicture

ROWS_PER_STRIP = 64  # of the temporary file, which libvips reads strip by strip
_COMPRESSIONS = {"NONE": "none", "LZW": "lzw", "JPEG": "jpeg", "ZSTD": "zstd", "PACKBITS": "packbits"}
_NOT_BY_VIPS: dict[str, dict[str, bytes]] = {"TIFF": {"exif": b""}, "JPEG": {"comment": b""}}


class Canvas:
    """The translation of a gigapixel picture, in an unnamed temporary file."""

    def __init__(self, source: "HugePicture", keep: bool, scale: int = 1) -> None:
        """Begin the translation of `source`, whose opacity and colour profile are copied if `keep`.

        With a `scale` above 1 the translation is so many times as wide and high, and its opacity is written with it.
        """
        self.source, self.keep, self.scale = source, keep, scale
        self.size = scale * source.size[0], scale * source.size[1]
        self._alpha = source.alpha and scale > 1  # whether the last band is opacity
        self._raster: DiskRaster | None = None
        self._bands, self._dtype = 0, source.dtype

    def write(self, region: Region, stored: np.ndarray) -> None:
        """Store a region, (h, w, C); raise UserError if the disk is full."""
        if self._raster is None:
            self._bands, self._dtype = stored.shape[2], stored.dtype
            self._raster = DiskRaster(self.size[1], self._bands * self._dtype.itemsize, self._begin)
        self._raster.write(region, stored)

    def _begin(self, path: Path) -> int:
        return begin_tiff(path, (*self.size, self._bands), self._dtype)

    def save(self, path: Path, quality: int, *, keep_metadata: bool = False) -> None:
        """Encode the picture atomically in the format of the suffix.

        Args:
            path: of the file.
            quality: of JPEG and WebP, 1 to 100.
            keep_metadata: copy what a camera or an editor wrote.

        Raises:
            WriteError: the disk or the folder refuses.
            UserError: the format cannot hold so large a picture.
        """
        self.source.prepare()
        form = FORMATS[path.suffix.lower()].name
        options: dict[str, dict[str, Any]] = {
            "TIFF": {"Q": quality, **self._tiff_options()}, "PNG": {},
            "JPEG": {"Q": quality, "subsample_mode": "off"}, "WEBP": {"Q": quality},
        }  # fmt: skip
        if form not in options:
            raise UserError(f"{path}: a picture of this size cannot be written as {form}; use .tif")
        image, metadata = self._image(form), self._metadata(form, keep_metadata)
        for name, value in (
            ("exif", metadata.exif and exif.HEAD + metadata.exif),
            ("xmp", metadata.xmp),
            ("iptc", metadata.iptc),
        ):
            if value and form != "PNG":
                image.set_type(pyvips.GValue.blob_type, f"{name}-data", value)
        with atomic_write(path) as temporary:
            try:
                getattr(image, f"{form.lower()}save")(str(temporary), **options[form])
                self._insert(temporary, form, metadata)
            except pyvips.Error as error:
                cause = reason(error)
                if "space" in cause or "write" in cause:
                    raise OSError(cause) from error
                raise UserError(f"{path}: cannot be written as {form} ({cause}); use .tif") from error

    def _metadata(self, form: str, keep_metadata: bool) -> Metadata:
        """Return the metadata of the result, without what libvips does not write."""
        height, width = self.size
        metadata = self.source.description.metadata if keep_metadata else Metadata()
        return replace(metadata, **_NOT_BY_VIPS.get(form, {})).held_by(form).for_result(width, height)

    def _insert(self, path: Path, form: str, metadata: Metadata) -> None:
        """Insert into a written file what libvips does not write."""
        like = self.source.description
        if form == "TIFF" and like.tags:
            insert_tags(path, scale_tags(like.tags, self.scale))
        if form == "PNG":
            colour = png.colour_chunks(like.gamma, like.colour_codes) if self.keep else b""
            if added := colour + png.metadata_chunks(metadata):
                png.insert_into_file(path, added)

    def losses(self, form: Format, *, keep_metadata: bool = False) -> tuple[Loss, ...]:
        """Return the metadata of the source that a result in this format does not hold."""
        like = self.source.description
        written = replace(like.metadata, **_NOT_BY_VIPS.get(form.name, {}))
        lost = [Loss(name) for name in like.metadata.names() if name not in written.names()]
        return (*losses(replace(like, metadata=written), form, keep_metadata=keep_metadata), *lost)

    def _image(self, form: str) -> Any:
        """Open the temporary file for libvips to encode, with the source's resolution, opacity and colour profile."""
        source = self.source.image
        assert self._raster is not None
        image = pyvips.Image.new_from_file(self._raster.path, access="sequential", revalidate=True)
        finer = self.scale if self.source.description.dpi else 1  # libvips has a resolution where the file has none
        resolution = {"xres": finer * source.xres, "yres": finer * source.yres}
        image = image.copy(interpretation=self._interpretation(), **resolution)
        if not self.keep:
            return image
        if self._alpha and form == "JPEG":
            image = image.extract_band(0, n=self._colours)
        elif self.source.alpha and form != "JPEG" and not self._alpha:
            image = image.bandjoin(source[source.bands - 1].cast(image.format))
        icc = source.get("icc-profile-data") if source.get_typeof("icc-profile-data") else None
        if icc and matching_icc(Picture(np.empty((0, 0, self._colours)), gray=self._colours == 1, icc=icc)):
            image.set_type(pyvips.GValue.blob_type, "icc-profile-data", icc)
        return image

    @property
    def _colours(self) -> int:
        return self._bands - self._alpha

    def _interpretation(self) -> str:
        deep = self._dtype == np.uint16
        return {1: "grey16" if deep else "b-w", 3: "rgb16" if deep else "srgb"}.get(self._colours, "multiband")

    def _tiff_options(self) -> dict[str, Any]:
        """Return the options of TIFF: tiles, and the compression and pyramid of a TIFF source."""
        compression = _COMPRESSIONS.get(self.source.compression, "deflate")
        if compression == "jpeg" and (self._dtype != np.uint8 or self._colours not in (1, 3)):
            compression = "deflate"
        source, pyramid = self.source.image, self.source.pyramid
        sides = (source.get(name) if source.get_typeof(name) else 256 for name in ("tile-width", "tile-height"))
        known = zip(("tile_width", "tile_height"), sides, strict=True)
        return {
            "tile": True, **dict(known), "compression": compression, "bigtiff": True, "pyramid": bool(pyramid),
            "subifd": pyramid == "subifds",
        }  # fmt: skip


def begin_tiff(path: Path, shape: tuple[int, int, int], dtype: np.dtype) -> int:
    """Write the header of a plain TIFF, which libvips reads strip by strip; it would map a raw file whole."""
    bands = shape[2]
    place = tifffile.imwrite(
        path, shape=shape[:2] if bands == 1 else shape, dtype=dtype, bigtiff=True,
        photometric="rgb" if bands == 3 else "minisblack", planarconfig="contig" if bands > 1 else None,
        rowsperstrip=ROWS_PER_STRIP, metadata=None, returnoffset=True,
    )  # fmt: skip
    assert place is not None
    return place[0]
