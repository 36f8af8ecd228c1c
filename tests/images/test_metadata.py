"""Metadata of pictures: what is kept on request, corrected, or reported as lost."""

import io
import struct

import numpy as np
import pytest
import tifffile
from PIL import Image, PngImagePlugin, TiffImagePlugin

from translate.images import exif
from translate.images.encode import FORMATS, losses
from translate.images.formats import png
from translate.images.io import decode_picture, read_picture, write_picture
from translate.images.metadata import Metadata
from translate.images.picture import Picture

XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><d tiff:Orientation=\"6\"/></x:xmpmeta>"
IPTC = b"\x1c\x02\x78\x00\x05hello"
PIXELS = np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8)


def camera_exif(orientation=6, thumbnail=True):
    """EXIF as a camera writes it: maker, date, place, size, and a thumbnail in its second directory."""
    tags = Image.Exif()
    tags[0x010F], tags[0x0132], tags[0x0112] = "Maker", "2026:01:02 03:04:05", orientation
    tags[0x011A] = tags[0x011B] = 72.0
    tags[0x8769] = {
        0xA002: 4000,
        0xA003: 3000,
        0x829A: TiffImagePlugin.IFDRational(1, 125),
        0x927C: b"notes of the maker",
    }
    tags[0x8825] = {1: "N", 2: (52.0, 31.0, 12.0)}
    data = bytearray(tags.tobytes().removeprefix(exif.HEAD))
    if thumbnail:  # Pillow writes none
        order = exif.byte_order(bytes(data))
        (first,) = struct.unpack_from(f"{order}I", data, 4)
        (count,) = struct.unpack_from(f"{order}H", data, first)
        start, picture = len(data), b"\xff\xd8 a small picture of the original \xff\xd9"
        struct.pack_into(f"{order}I", data, first + 2 + 12 * count, start)
        at = start + 2 + 24 + 4
        entries = ((0x0201, at), (0x0202, len(picture)))
        data += struct.pack(f"{order}H", 2)
        data += b"".join(struct.pack(f"{order}HHII", tag, 4, 1, value) for tag, value in entries)
        data += struct.pack(f"{order}I", 0) + picture
    return bytes(data)


def read_tags(data):
    tags = Image.Exif()
    tags.load(exif.HEAD + data)
    return tags


def test_upright_exif_differs_in_orientation_size_and_thumbnail_alone():
    before = camera_exif()
    after = exif.upright(before, 64, 48)
    tags = read_tags(after)
    assert (tags[0x010F], tags[0x0112], tags[0x0132]) == ("Maker", 1, "2026:01:02 03:04:05")
    inner = tags.get_ifd(0x8769)
    assert (inner[0xA002], inner[0xA003], inner[0x829A]) == (64, 48, TiffImagePlugin.IFDRational(1, 125))
    assert inner[0x927C] == b"notes of the maker"
    assert tags.get_ifd(0x8825)[1] == "N"
    assert b"a small picture of the original" in before
    assert b"a small picture of the original" not in after
    assert not tags.get_ifd(1)  # the directory of the thumbnail
    assert after.find(b"notes of the maker") == before.find(b"notes of the maker")  # offsets in them stay right


@pytest.mark.parametrize("cut", range(0, 200, 7))
def test_damaged_exif_is_left_out(cut):
    assert exif.upright(camera_exif()[:cut], 64, 48) in (b"",) or cut > 60
    assert exif.resolution(camera_exif()[:cut]) in (None, (72.0, 72.0))
    exif.texts(camera_exif()[:cut])


def source(suffix, tmp_path):
    """Write a picture with camera data by Pillow or pillow-heif, and return its path."""
    path, image, data = tmp_path / f"source{suffix}", Image.fromarray(PIXELS), exif.HEAD + camera_exif(1)
    if suffix == ".heic":
        pytest.importorskip("pillow_heif").encode("RGB", (64, 48), PIXELS.tobytes(), path, exif=data, xmp=XMP)
    elif suffix == ".tif":
        tags = read_tags(camera_exif(1, thumbnail=False))
        tags[700], tags[33723] = XMP, IPTC
        image.save(path, exif=tags)
    elif suffix == ".png":
        text = PngImagePlugin.PngInfo()
        text.add_itxt("XML:com.adobe.xmp", XMP.decode())
        text.add_text("Comment", "a secret", zip=True)
        image.save(path, exif=data, pnginfo=text)
    else:
        image.save(path, exif=data, xmp=XMP)
    return path


@pytest.mark.parametrize("target", [".jpg", ".png", ".webp", ".tif", ".avif", ".heic"])
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif", ".avif", ".heic"])
def test_camera_data_is_kept_on_request_and_only_then(suffix, target, tmp_path):
    if target not in FORMATS:
        pytest.skip("needs pillow-heif")
    picture = read_picture(source(suffix, tmp_path))
    write_picture(tmp_path / f"kept{target}", picture, keep_metadata=True)
    kept = read_picture(tmp_path / f"kept{target}").metadata
    tags = read_tags(kept.exif)
    assert (tags[0x010F], tags[0x0132]) == ("Maker", "2026:01:02 03:04:05")
    assert tags.get_ifd(0x8825)[1] == "N"
    assert float(tags.get_ifd(0x8769)[0x829A]) == pytest.approx(1 / 125)
    assert kept.xmp == XMP.replace(b'"6"', b'"1"')
    write_picture(tmp_path / f"private{target}", picture)
    private = (tmp_path / f"private{target}").read_bytes()
    assert b"Maker" not in private and b"x:xmpmeta" not in private
    names = [loss.name for loss in losses(picture, FORMATS[target])]
    assert "camera data (EXIF)" in names and "XMP data" in names
    left = [loss.name for loss in losses(picture, FORMATS[target], keep_metadata=True)]
    assert "camera data (EXIF)" not in left and "XMP data" not in left


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_tiff_with_camera_data_is_whole(dtype, tmp_path):
    """Readers other than ours find the camera data, and the pixels stay."""
    picture = Picture(
        PIXELS.astype(dtype) * (257 if dtype == np.uint16 else 1), metadata=Metadata(camera_exif(), XMP, IPTC)
    )
    write_picture(tmp_path / "x.tif", picture, keep_metadata=True)
    with tifffile.TiffFile(tmp_path / "x.tif") as file:
        tags = file.pages[0].tags
        assert tags[271].value == "Maker"
        assert tags[34665].value["ExposureTime"] == (1, 125)
        assert tags[34853].value["GPSLatitudeRef"] == "N"
        assert tags[700].value == XMP.replace(b'"6"', b'"1"')
        np.testing.assert_array_equal(file.asarray(), picture.pixels)


def test_iptc_and_comments_of_jpeg(tmp_path):
    picture = Picture(PIXELS, metadata=Metadata(iptc=IPTC, comment=b"made by hand"))
    write_picture(tmp_path / "x.jpg", picture, keep_metadata=True)
    with Image.open(tmp_path / "x.jpg") as image:
        assert image.info["photoshop"][0x0404] == IPTC
        assert image.info["comment"] == b"made by hand"
    assert read_picture(tmp_path / "x.jpg").metadata == picture.metadata


def test_texts_of_png_are_copied_but_never_unpacked(tmp_path):
    path = source(".png", tmp_path)
    picture = read_picture(path)
    assert {loss.name for loss in losses(picture, FORMATS[".jpg"])} >= {"text"}
    write_picture(tmp_path / "y.png", picture, keep_metadata=True)
    with Image.open(tmp_path / "y.png") as image:
        image.load()
        assert image.info["Comment"] == "a secret"


def test_gamma_and_primaries_of_png_stay_or_are_reported(tmp_path):
    chunks = png.chunk(b"gAMA", struct.pack(">I", 100000)) + png.chunk(b"cICP", bytes((9, 16, 0, 1)))
    out = io.BytesIO()
    Image.fromarray(PIXELS).save(out, "PNG")
    picture = decode_picture(png.insert(out.getvalue(), chunks), "x.png")
    write_picture(tmp_path / "y.png", picture)
    with Image.open(tmp_path / "y.png") as image:
        assert image.info["gamma"] == 1.0
    assert read_picture(tmp_path / "y.png").colour_codes == (9, 16)
    assert not losses(picture, FORMATS[".png"])
    assert [loss.name for loss in losses(picture, FORMATS[".jpg"])] == ["description of the colours (gamma, primaries)"]


def test_usual_gamma_is_nothing_to_report():
    out = io.BytesIO()
    Image.fromarray(PIXELS).save(out, "PNG")
    usual = png.chunk(b"gAMA", struct.pack(">I", 45455)) + png.chunk(b"cICP", bytes((1, 13, 0, 1)))
    picture = decode_picture(png.insert(out.getvalue(), usual), "x.png")
    assert not losses(picture, FORMATS[".jpg"])


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp", ".tif", ".webp", ".avif", ".heic"])
def test_resolution_is_kept_by_every_format_that_can(suffix, tmp_path):
    if suffix not in FORMATS:
        pytest.skip("needs pillow-heif")
    write_picture(tmp_path / f"x{suffix}", Picture(PIXELS, dpi=(300, 150)))
    assert read_picture(tmp_path / f"x{suffix}").dpi == pytest.approx((300, 150), abs=0.1)


@pytest.mark.parametrize("suffix", [".gif", ".tga", ".jp2", ".ppm", ".npy"])
def test_resolution_is_reported_where_it_cannot_be_kept(suffix):
    assert [loss.name for loss in losses(Picture(PIXELS, dpi=(300, 300)), FORMATS[suffix])] == ["resolution"]


def test_xmp_that_describes_pictures_which_are_gone_is_left_out():
    """Photos for HDR screens list a second picture, which a result does not have."""
    picture = Picture(PIXELS, metadata=Metadata(xmp=b"<Container:Directory><rdf:Seq/></Container:Directory>"))
    assert not picture.metadata.held_by("JPEG").xmp
    assert [loss.name for loss in losses(picture, FORMATS[".jpg"], keep_metadata=True)] == ["XMP data"]
