import io
import struct

import numpy as np
import pytest
import tifffile
from PIL import Image

from translate.images import decode as decode_module
from translate.images.encode import FORMATS, losses
from translate.images.formats.tiff import read_header
from translate.images.io import decode_picture, read_picture, write_picture
from translate.images.picture import Picture
from translate.utils.errors import UserError
from translate.utils.trust import TRUST

RNG = np.random.default_rng(0)
PLAIN = {"photometric": "minisblack", "metadata": None}


def numbers(*shape, dtype="uint16"):
    if np.dtype(dtype).kind == "f":
        return RNG.random(shape).astype(dtype)
    return RNG.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def save(path, array, **options):
    tifffile.imwrite(path, array, **{**PLAIN, **options})
    return path


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("channels", [2, 4, 5, 12])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_bands_come_back_exactly(tmp_path, channels, dtype, compression):
    array = numbers(20, 30, channels, dtype=dtype)
    picture = read_picture(save(tmp_path / "x.tif", array, planarconfig="contig", compression=compression))
    assert picture.channels == channels and picture.alpha is None and picture.frames == 1
    np.testing.assert_array_equal(picture.pixels, array)
    write_picture(tmp_path / "y.tif", picture)
    stored = tifffile.imread(tmp_path / "y.tif")
    assert stored.dtype == array.dtype
    np.testing.assert_array_equal(stored, array)


@pytest.mark.parametrize("layout", ["planes", "imagej", "ome"])
def test_channels_in_planes_or_pages_come_last(tmp_path, layout):
    array = numbers(20, 30, 5)
    planes = np.moveaxis(array, -1, 0)
    options = {
        "planes": {"planarconfig": "separate"},
        "imagej": {"imagej": True, "metadata": {"axes": "CYX"}},
        "ome": {"ome": True, "metadata": {"axes": "CYX"}},
    }[layout]
    picture = read_picture(save(tmp_path / "x.ome.tif" if layout == "ome" else tmp_path / "x.tif", planes, **options))
    np.testing.assert_array_equal(picture.pixels, array)


def test_the_first_picture_of_a_stack_of_channels(tmp_path):
    stack = numbers(3, 4, 20, 30)  # times, channels
    picture = read_picture(save(tmp_path / "x.tif", stack, imagej=True, metadata={"axes": "TCYX"}))
    np.testing.assert_array_equal(picture.pixels, np.moveaxis(stack[0], 0, -1))
    assert picture.frames == 3


def test_pages_are_pages_and_not_channels(tmp_path):
    pages = numbers(5, 20, 30, dtype="uint8")
    picture = read_picture(save(tmp_path / "x.tif", pages))
    assert picture.gray and picture.frames == 5
    np.testing.assert_array_equal(picture.pixels[..., 0], pages[0])


def test_the_fourth_sample_is_alpha_only_where_the_file_says_so(tmp_path):
    array = numbers(20, 30, 4)
    for extra, channels in (("unassalpha", 3), ("unspecified", 4)):
        options = {"photometric": "rgb", "extrasamples": [extra], "planarconfig": "contig"}
        picture = read_picture(save(tmp_path / f"{extra}.tif", array, **options))
        assert picture.channels == channels and (picture.alpha is not None) == (channels == 3)
        np.testing.assert_array_equal(picture.pixels, array[..., :channels])


@pytest.mark.parametrize("dtype", ["float16", "float64", "int16", "int32", "uint32"])
def test_numbers_of_other_types_come_back_as_they_were(tmp_path, dtype):
    array = numbers(20, 30, dtype=dtype) if np.dtype(dtype).kind == "f" else numbers(20, 30).astype(dtype) // 3
    array = np.abs(array)
    write_picture(tmp_path / "y.tif", read_picture(save(tmp_path / "x.tif", array)))
    back = tifffile.imread(tmp_path / "y.tif")
    assert back.dtype == array.dtype
    assert np.abs(back.astype("f8") - array).max() <= (0 if dtype != "float64" else 1e-7)


@pytest.mark.parametrize("order", "<>")
def test_either_byte_order(tmp_path, order):
    array = numbers(20, 30, 5)
    picture = read_picture(save(tmp_path / "x.tif", array, planarconfig="contig", byteorder=order))
    assert picture.numbers is None and picture.pixels.dtype == np.uint16
    np.testing.assert_array_equal(picture.pixels, array)


def test_orientation_profile_and_resolution_of_bands(tmp_path):
    array = numbers(20, 30, 5)
    tag = (274, 3, 1, 6, True)
    path = save(tmp_path / "x.tif", array, planarconfig="contig", extratags=[tag], resolution=(300, 150))
    picture = read_picture(path)
    np.testing.assert_array_equal(picture.pixels, np.rot90(array, -1))
    assert picture.dpi == (300, 150)


def test_what_others_read_of_ours(tmp_path):
    pixels, alpha = numbers(20, 30, 3, dtype="uint8"), numbers(20, 30, dtype="uint8")
    write_picture(tmp_path / "x.tif", Picture(pixels, alpha, dpi=(72, 72)))
    with Image.open(tmp_path / "x.tif") as image:
        assert image.mode == "RGBA" and image.info["dpi"] == (72, 72)
        np.testing.assert_array_equal(np.asarray(image), np.dstack((pixels, alpha)))


@pytest.mark.parametrize("share", [0.02, 0.1, 0.5, 0.9])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_truncated_file_of_bands_is_one_line(tmp_path, share, compression, capfd):
    path = save(tmp_path / "x.tif", numbers(40, 50, 5), planarconfig="contig", compression=compression)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(UserError, match=r"x\.tif: cannot be read as an image") as caught:
        read_picture(path)
    assert "\n" not in str(caught.value) and capfd.readouterr().err == ""


def test_the_size_is_checked_before_bands_are_decoded(tmp_path, monkeypatch):
    path = save(tmp_path / "x.tif", numbers(40, 50, 5), planarconfig="contig")
    monkeypatch.setattr(TRUST, "max_pixels", 800)
    monkeypatch.setattr(decode_module.tiff.TiffReader, "rows", lambda *_: pytest.fail("it was decoded"))
    with pytest.raises(UserError, match=r"50 x 40 px is over the limit of 800 px"):
        read_picture(path)


def test_nan_and_values_out_of_range_are_told(tmp_path):
    array = numbers(20, 30, 5, dtype="float32")
    array[3, 4, 2] = np.nan
    with pytest.raises(UserError, match="it holds NaN or infinite values"):
        read_picture(save(tmp_path / "x.tif", array, planarconfig="contig"))
    array[3, 4, 2] = 9
    with pytest.raises(UserError, match=r"run from .* to 9; say --value-range 0,255"):
        read_picture(save(tmp_path / "y.tif", array, planarconfig="contig"))


def test_a_header_tells_the_kind():
    content = io.BytesIO()
    save(content, numbers(20, 30, 5, dtype="float32"), planarconfig="contig")
    kind = read_header(content.getvalue())
    assert (kind.height, kind.width, kind.channels, kind.dtype, kind.alpha) == (20, 30, 5, np.float32, False)
    assert read_header(b"II*\0" + bytes(20)) is None


def test_white_is_zero_in_every_depth(tmp_path):
    for dtype in ("uint8", "uint16", "float32"):
        array = numbers(20, 30, dtype=dtype)
        picture = read_picture(save(tmp_path / "x.tif", array, photometric="miniswhite"))
        expected = 1 - array if dtype == "float32" else np.iinfo(dtype).max - array
        assert picture.gray
        np.testing.assert_array_equal(picture.pixels[..., 0], expected)


def test_white_is_zero_with_a_value_range(tmp_path):
    array = (numbers(20, 30) // 16).astype(np.uint16)
    picture = read_picture(save(tmp_path / "x.tif", array, photometric="miniswhite"), (0, 4095))
    np.testing.assert_allclose(picture.pixels[..., 0], (4095 - array.astype(float)) / 4095, atol=1e-6)


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_associated_alpha_is_divided_out(tmp_path, dtype):
    light, full = numbers(20, 30, 3, dtype=dtype), 65535 if dtype == "uint16" else 1
    alpha = (np.linspace(0.125, 1, 30) * full).astype(dtype)[None].repeat(20, axis=0)
    stored = (light * (alpha[..., None] / full)).astype(dtype)
    options = {"photometric": "rgb", "extrasamples": ["assocalpha"]}
    picture = read_picture(save(tmp_path / "x.tif", np.dstack((stored, alpha)), **options))
    np.testing.assert_array_equal(picture.alpha, alpha)
    assert np.abs(picture.pixels.astype(float) - light).max() <= 8 * (full > 1) + 1e-6
    write_picture(tmp_path / "y.tif", picture)
    np.testing.assert_array_equal(read_picture(tmp_path / "y.tif").pixels, picture.pixels)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("tile", [None, (16, 16)])
def test_colours_in_planes_are_those_in_pixels(tmp_path, dtype, alpha, tile):
    array = numbers(20, 30, 3 + alpha, dtype=dtype)
    options = {"photometric": "rgb", "extrasamples": ["unassalpha"] * alpha, "tile": tile, "compression": "zlib"}
    planes = np.moveaxis(array, -1, 0)
    picture = read_picture(save(tmp_path / "x.tif", planes, planarconfig="separate", **options))
    np.testing.assert_array_equal(picture.pixels, array[..., :3])
    assert (picture.alpha is not None) == alpha
    if alpha:
        np.testing.assert_array_equal(picture.alpha, array[..., 3])


def test_a_palette_of_8_bits(tmp_path):
    index, colours = numbers(20, 30, dtype="uint8"), numbers(3, 256, dtype="uint8")
    for scale in (1, 257):
        path = save(tmp_path / "x.tif", index, photometric="palette", colormap=colours.astype(np.uint16) * scale)
        np.testing.assert_array_equal(read_picture(path).pixels, colours.T[index])


def test_a_mask_page_is_alpha(tmp_path):
    array, mask = numbers(20, 30, 3, dtype="uint8"), numbers(20, 30, dtype="uint8") > 99
    with tifffile.TiffWriter(tmp_path / "x.tif") as writer:
        writer.write(array, photometric="rgb", metadata=None, compression="zlib")
        writer.write(mask, photometric=4, subfiletype=4, metadata=None)
    picture = read_picture(tmp_path / "x.tif")
    assert picture.frames == 1
    np.testing.assert_array_equal(picture.pixels, array)
    np.testing.assert_array_equal(picture.alpha, mask * 255)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_inks_in_planes_are_rgb(tmp_path, dtype):
    inks = numbers(20, 30, 4, dtype=dtype)
    options = {"photometric": "separated", "compression": "zlib"}
    pixels = read_picture(save(tmp_path / "x.tif", inks, planarconfig="contig", **options))
    planes = read_picture(save(tmp_path / "y.tif", np.moveaxis(inks, -1, 0), planarconfig="separate", **options))
    assert pixels.channels == planes.channels == 3 and pixels.pixels.dtype == dtype
    np.testing.assert_array_equal(pixels.pixels, planes.pixels)
    light = 1 - inks / np.iinfo(dtype).max
    np.testing.assert_allclose(pixels.pixels / np.iinfo(dtype).max, light[..., :3] * light[..., 3:], atol=1 / 200)


@pytest.mark.parametrize("compression", ["jpeg", "group4", "tiff_lzw", "packbits"])
def test_what_others_compress(tmp_path, compression):
    image = Image.fromarray(numbers(20, 30, dtype="uint8")).convert("1" if compression == "group4" else "L")
    image.save(tmp_path / "x.tif", compression=compression)
    expected = np.asarray(image.convert("L"))
    if compression == "jpeg":
        with Image.open(tmp_path / "x.tif") as stored:
            expected = np.asarray(stored)
    picture = read_picture(tmp_path / "x.tif")
    assert picture.gray
    np.testing.assert_array_equal(picture.pixels[..., 0], expected)


def test_what_cannot_be_read_right_is_refused_by_its_kind(tmp_path):
    with pytest.raises(UserError, match="signed numbers with white as zero"):
        read_picture(save(tmp_path / "x.tif", numbers(20, 30, dtype="int16"), photometric="miniswhite"))
    with pytest.raises(UserError, match="photometric CIELAB is not supported"):
        read_picture(save(tmp_path / "y.tif", numbers(20, 30, 3, dtype="float32"), photometric="cielab"))


GEO = (
    (33550, 12, 3, (10.0, 10.0, 0.0), True), (33922, 12, 6, (0.0, 0.0, 0.0, 5e5, 5.4e6, 0.0), True),
    (34735, 3, 8, (1, 1, 0, 1, 1024, 0, 1, 1), True), (34737, 2, 10, "WGS 84 |x", True), (42113, 2, 2, "0", True),
)  # fmt: skip


@pytest.mark.parametrize("bands", [3, 5])
def test_georeference_nodata_and_description_are_kept(tmp_path, bands):
    options = {"photometric": "rgb" if bands == 3 else "minisblack", "planarconfig": "contig"}
    path = save(tmp_path / "x.tif", numbers(20, 30, bands), description="field 7", extratags=GEO, **options)
    picture = read_picture(path)
    write_picture(tmp_path / "y.tif", picture)
    with tifffile.TiffFile(tmp_path / "y.tif") as file:
        tags = file.pages[0].tags
        assert {code: tags[code].value for code, *_ in GEO} == {code: value for code, _, _, value, _ in GEO}
        assert tags[270].value == "field 7"
    lost = {loss.name for loss in losses(picture, FORMATS[".png"])}
    assert lost == {"georeference", "NODATA value", "description"} and not losses(picture, FORMATS[".tif"])


def test_pixel_sizes_of_imagej_and_ome(tmp_path):
    stack = numbers(2, 20, 30)
    save(tmp_path / "i.tif", stack, imagej=True, resolution=(4, 2), metadata={"axes": "CYX", "unit": "um"})
    ome = {"axes": "CYX", "PhysicalSizeX": 0.25, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": 0.5}
    save(tmp_path / "o.ome.tif", stack, ome=True, metadata=ome)
    for name in ("i.tif", "o.ome.tif"):
        picture = read_picture(tmp_path / name)
        assert picture.dpi == pytest.approx((101600, 50800)) and picture.lost == ("description",)
        write_picture(tmp_path / "y.tif", picture)
        assert read_picture(tmp_path / "y.tif").dpi == pytest.approx((101600, 50800))


@pytest.mark.parametrize("compression", [2, 3, 32771, 32809, 34676, 34712, 34933, 50001, 50002])
def test_compressions_that_are_not_read_are_refused_and_not_black(compression):
    """Some decoders return zeros, without an error, for what they do not know."""
    out = io.BytesIO()
    pixels = np.random.default_rng(0).integers(1, 255, (48, 64), dtype=np.uint8)
    tifffile.imwrite(out, pixels, compression="zlib")
    data = bytearray(out.getvalue())
    with tifffile.TiffFile(io.BytesIO(bytes(data))) as file:
        struct.pack_into("<H", data, file.pages[0].tags[259].valueoffset, compression)
    with pytest.raises(UserError, match="is not supported"):
        decode_picture(bytes(data), "x.tif")
