"""Pictures that are never in memory whole, against the same ones decoded whole."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from tests.conftest import picture
from tests.images.test_metadata import camera_exif, read_tags
from tests.inference.tiling.test_tiling import translator
from translate.images import exif
from translate.images.io import read_picture, write_picture
from translate.images.picture import Picture
from translate.inference import gigapixel
from translate.inference.folder.run import translate_folder
from translate.inference.gigapixel import Canvas, HugePicture, open_huge
from translate.inference.options import FolderOptions
from translate.inference.tiling.regions import Region
from translate.utils.trust import TRUST

QUIET = FolderOptions(progress=False)

pyvips = pytest.importorskip("pyvips")
tifffile = pytest.importorskip("tifffile")
ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.fixture
def everything_is_huge(monkeypatch):
    monkeypatch.setattr(gigapixel, "MIN_FILE_BYTES", 0)
    monkeypatch.setattr(gigapixel, "COPIES_IN_MEMORY", 10**12)


def vips_picture(bands=3, height=150, width=210, deep=False):
    rgb = picture(4, height, width)
    stack = np.dstack([rgb, 255 - rgb])[..., :bands]
    image = pyvips.Image.new_from_array(stack.astype(np.uint16) * 257 if deep else stack)
    kinds = {1: ("b-w", "grey16"), 3: ("srgb", "rgb16"), 4: ("srgb", "rgb16")}.get(bands, ("multiband",) * 2)
    return image.copy(interpretation=kinds[deep], xres=11.8, yres=11.8)


FILES = {
    "pages.tif": lambda f: vips_picture().tiffsave(f, tile=True, pyramid=True, compression="lzw", tile_width=64),
    "subifds.tif": lambda f: vips_picture().tiffsave(f, tile=True, pyramid=True, subifd=True, compression="deflate"),
    "strips.tif": lambda f: vips_picture().tiffsave(f),
    "alpha.tif": lambda f: vips_picture(4).tiffsave(f, tile=True),
    "deep.png": lambda f: vips_picture(deep=True).pngsave(f),
    "gray.png": lambda f: vips_picture(1).pngsave(f),
    "turned.jpg": lambda f: turned(f),
    "photo.webp": lambda f: vips_picture().webpsave(f, lossless=True),
}


def turned(file):
    image = vips_picture()
    image.set_type(pyvips.GValue.gint_type, "orientation", 6)
    image.jpegsave(file, Q=95)


@pytest.mark.parametrize("name", FILES)
def test_a_region_equals_that_of_the_whole_picture(name, tmp_path):
    FILES[name](str(tmp_path / name))
    one, whole = HugePicture(tmp_path / name), read_picture(tmp_path / name)
    assert one.size == whole.pixels.shape[:2] and one.alpha == (whole.alpha is not None) and one.frames == 1
    part = one.region(Region(20, 90, 33, 77))
    atol = 3 if name == "turned.jpg" else 0  # decoders of JPEG round differently
    np.testing.assert_allclose(part.pixels.astype(int), whole.pixels[20:90, 33:77].astype(int), atol=atol)
    assert part.gray == whole.gray
    if whole.alpha is not None:
        np.testing.assert_array_equal(part.alpha, whole.alpha[20:90, 33:77])


@pytest.mark.parametrize("name", FILES)
def test_the_translation_equals_that_of_the_whole_picture(name, tmp_path, monkeypatch):
    (tmp_path / "in").mkdir()
    FILES[name](str(tmp_path / "in" / name))
    t = translator("resnet")
    t.runner.memory.limit = 10**11
    expected = t.translate_all(read_picture(tmp_path / "in" / name), t.request())[0]
    monkeypatch.setattr(gigapixel, "MIN_FILE_BYTES", 0)
    monkeypatch.setattr(gigapixel, "COPIES_IN_MEMORY", 10**12)
    monkeypatch.setattr("translate.inference.tiling.feature_maps.TILE_SIDES_PX", (64,))
    report = translate_folder(t, tmp_path / "in", tmp_path / "out", QUIET)
    assert (report.done, report.failed) == (1, 0), report.failures
    found = read_picture(tmp_path / "out" / name)
    write_picture(tmp_path / "expected" / name, expected)
    expected = read_picture(tmp_path / "expected" / name)
    assert found.pixels.dtype == expected.pixels.dtype and found.gray == expected.gray
    apart = np.abs(found.pixels.astype(float) - expected.pixels) / np.iinfo(found.pixels.dtype).max * 255
    assert apart.mean() < (3 if name in ("turned.jpg", "photo.webp") else 0.01) and apart.shape == found.pixels.shape
    if expected.alpha is not None:
        np.testing.assert_array_equal(found.alpha, expected.alpha)


@pytest.mark.parametrize("stats", ["frozen", "local"])
def test_the_requested_statistics_are_used(stats, tmp_path, monkeypatch):
    FILES["strips.tif"](str(tmp_path / "a.tif"))
    monkeypatch.setattr("translate.inference.norm_statistics.MIN_THUMBNAIL_SIDE_PX", 64)
    monkeypatch.setattr("translate.inference.runner.LOCAL_NORM_CELL_PX", 64)
    exact = translator("resnet")
    exact.runner.memory.limit = 10**11
    t = exact.with_norm_statistics(stats)
    expected = t.translate_all(read_picture(tmp_path / "a.tif"), t.request())[0].pixels.astype(int)
    assert np.abs(expected - exact.translate_all(read_picture(tmp_path / "a.tif"), t.request())[0].pixels).mean() > 0.2
    monkeypatch.setattr(gigapixel, "MIN_FILE_BYTES", 0)
    monkeypatch.setattr(gigapixel, "COPIES_IN_MEMORY", 10**12)
    assert translate_folder(t, tmp_path / "a.tif", tmp_path / "b.tif", QUIET).done == 1
    assert np.abs(read_picture(tmp_path / "b.tif").pixels - expected).max() <= 1


@pytest.mark.parametrize(("name", "compression"), [("pages.tif", "LZW"), ("subifds.tif", "ADOBE_DEFLATE")])
def test_a_pyramid_stays_a_pyramid(name, compression, tmp_path, everything_is_huge):
    FILES[name](str(tmp_path / name))
    image = pyvips.Image.new_from_file(str(tmp_path / name)).copy()
    image.set_type(pyvips.GValue.blob_type, "icc-profile-data", ICC)
    image.tiffsave(
        str(tmp_path / "in.tif"), tile=True, pyramid=True, subifd=name == "subifds.tif",
        compression="lzw" if compression == "LZW" else "deflate",
    )  # fmt: skip
    t = translator("resnet")
    t.runner.memory.limit = 10**11
    translate_folder(t, tmp_path / "in.tif", tmp_path / "out.tif", QUIET)
    with tifffile.TiffFile(tmp_path / "in.tif") as before, tifffile.TiffFile(tmp_path / "out.tif") as after:
        first = after.pages[0]
        assert first.is_tiled and first.compression.name == compression
        assert len(after.pages) == len(before.pages) and len(first.subifds or ()) == len(before.pages[0].subifds or ())
        assert bytes(first.tags[34675].value) == ICC
    out = pyvips.Image.new_from_file(str(tmp_path / "out.tif"))
    assert out.xres == pytest.approx(11.8)
    if out.get("n-pages") > 1:
        second = pyvips.Image.new_from_file(str(tmp_path / "out.tif"), page=1)
        assert (second.width, second.height) == (out.width // 2, out.height // 2)


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [((90, 70, 5), np.float32), ((90, 70, 4), np.uint16), ((90, 70, 2), np.int16), ((90, 70), np.uint16)],
)
def test_bands_of_any_type_are_read_and_written(shape, dtype, tmp_path):
    stored = (np.random.default_rng(0).random(shape) * 1000).astype(dtype)
    kind = {"photometric": "minisblack", "planarconfig": "contig" if len(shape) == 3 else None}
    for file in (tmp_path / "a.tif", tmp_path / "a.tif"):  # the second time, it is another one of that name
        stored = stored[::-1].copy()
        tifffile.imwrite(file, stored, **kind)
        one, region = HugePicture(file, (0, 1000)), Region(10, 50, 5, 65)
        light = stored.reshape(90, 70, -1)[10:50, 5:65].astype(np.float64)
        found = one.region(region)
        np.testing.assert_allclose(found.pixels, np.broadcast_to(light / 1000, found.pixels.shape), atol=1e-6)
        canvas = Canvas(one, keep=True)
        canvas.write(Region(0, 90, 0, 70), stored.reshape(90, 70, -1))
        canvas.save(tmp_path / "b.tif", 95)
        again = tifffile.imread(tmp_path / "b.tif")
        assert again.dtype == stored.dtype
        np.testing.assert_array_equal(again, stored)


def test_a_picture_that_fits_in_memory_is_decoded_whole(tmp_path, monkeypatch):
    FILES["strips.tif"](str(tmp_path / "a.tif"))
    assert open_huge(tmp_path / "a.tif", 10**12) is None
    assert open_huge(tmp_path / "a.tif", None) is None
    monkeypatch.setattr(gigapixel, "MIN_FILE_BYTES", 10**4)
    monkeypatch.setattr(TRUST, "max_pixels", 10**4)  # what is never decoded whole has no limit
    assert open_huge(tmp_path / "a.tif", 10**12) is not None
    (tmp_path / "text.tif").write_bytes(b"no picture" * 200_000)
    assert open_huge(tmp_path / "text.tif", 1) is None  # whoever reads it says why


def test_a_truncated_file_is_reported_in_one_line(tmp_path, everything_is_huge):
    FILES["strips.tif"](str(tmp_path / "whole.tif"))
    data = (tmp_path / "whole.tif").read_bytes()
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "torn.png").write_bytes(torn_png())
    (tmp_path / "in" / "torn.tif").write_bytes(data[: len(data) // 2])
    write_picture(tmp_path / "in" / "well.png", Picture(picture(1, 64, 64)))
    t = translator("resnet")
    t.runner.memory.limit = 10**11
    report = translate_folder(t, tmp_path / "in", tmp_path / "out", QUIET)
    assert (report.done, report.failed) == (1, 2)
    assert all("cannot be read as an image" in failure.reason for failure in report.failures)
    assert sorted(p.name for p in (tmp_path / "out").glob("*.*g")) == ["well.png"]


def torn_png():
    file = io.BytesIO()
    target = vips_picture().pngsave_buffer()
    file.write(target[: len(target) // 2])
    return file.getvalue()


def test_a_model_of_whole_pictures_suggests_the_native_scale(tmp_path, everything_is_huge):
    FILES["strips.tif"](str(tmp_path / "a.tif"))
    t = translator("resnet")
    t.runner.memory.limit = 10**11
    object.__setattr__(t.recipe, "whole", True)
    report = translate_folder(t, tmp_path / "a.tif", tmp_path / "out", QUIET)
    assert "this model would see it at 64 px; say --scale native" in report.failures[0].reason
    assert translate_folder(t, tmp_path / "a.tif", tmp_path / "out", replace(QUIET, scale="native")).done == 1


def test_an_unsuitable_format_suggests_tiff(tmp_path, everything_is_huge):
    FILES["strips.tif"](str(tmp_path / "a.tif"))
    t = translator("resnet")
    t.runner.memory.limit = 10**11
    report = translate_folder(t, tmp_path / "a.tif", tmp_path / "a.bmp", QUIET)
    assert "cannot be written as BMP; use .tif" in report.failures[0].reason


def stored(name, path):
    """Write a TIFF whose numbers libvips would decode otherwise than the whole way."""
    rgb = picture(4, 150, 210)
    five = np.dstack([rgb, 255 - rgb])[..., :5]
    planes, deep = np.moveaxis(five, -1, 0), np.moveaxis(rgb, -1, 0).astype(np.uint16) * 257
    separate = {"planarconfig": "separate", "compression": "zlib"}
    colours = np.arange(768, dtype=np.uint16).reshape(3, 256) // 3
    array, options = {
        "bands in planes": (planes, {"photometric": "minisblack", **separate}),
        "bands in planes and tiles": (planes, {"photometric": "minisblack", "tile": (64, 64), **separate}),
        "deep colours in planes": (deep, {"photometric": "rgb", **separate}),
        "white is zero": (rgb[..., 0].astype(np.uint16) * 257, {"photometric": "miniswhite"}),
        "associated": (np.dstack((rgb // 2, rgb[..., :1] // 2 + 127)).astype(np.uint16) * 257,
                       {"photometric": "rgb", "extrasamples": ["assocalpha"]}),
        "inks": (np.dstack((rgb, rgb[..., :1])), {"photometric": "separated"}),
        "palette": (rgb[..., 0], {"photometric": "palette", "colormap": colours}),
        "turned": (deep, {"photometric": "rgb", "extratags": [(274, 3, 1, 6, True)], **separate}),
    }[name]  # fmt: skip
    tifffile.imwrite(path, array, metadata=None, **options)
    if name == "inks":
        with tifffile.TiffWriter(path) as writer:
            writer.write(array, metadata=None, photometric="separated")
            writer.write(rgb[..., 0] > 99, metadata=None, photometric=4, subfiletype=4)  # and a mask


OTHERWISE = (
    "bands in planes", "bands in planes and tiles", "deep colours in planes", "white is zero", "associated", "inks",
    "palette", "turned",
)  # fmt: skip


@pytest.mark.parametrize("name", OTHERWISE)
def test_what_libvips_reads_otherwise_is_in_tiles_what_it_is_whole(name, tmp_path):
    stored(name, tmp_path / "x.tif")
    one, whole = HugePicture(tmp_path / "x.tif"), read_picture(tmp_path / "x.tif")
    assert one.size == whole.pixels.shape[:2] and one.alpha == (whole.alpha is not None) and one.frames == 1
    part = one.region(Region(20, 90, 33, 77))
    assert part.pixels.dtype == whole.pixels.dtype and part.gray == whole.gray
    np.testing.assert_array_equal(part.pixels, whole.pixels[20:90, 33:77])
    if whole.alpha is not None:
        np.testing.assert_array_equal(part.alpha, whole.alpha[20:90, 33:77])


@pytest.mark.parametrize("name", ["deep colours in planes", "associated", "turned"])
def test_its_translation_is_that_of_the_whole(name, tmp_path, monkeypatch):
    stored(name, tmp_path / "x.tif")
    t = translator("resnet")
    t.runner.memory.limit = 10**11
    write_picture(tmp_path / "expected.tif", t.translate_all(read_picture(tmp_path / "x.tif"), t.request())[0])
    monkeypatch.setattr(gigapixel, "MIN_FILE_BYTES", 0)
    monkeypatch.setattr(gigapixel, "COPIES_IN_MEMORY", 10**12)
    report = translate_folder(t, tmp_path / "x.tif", tmp_path / "out.tif", QUIET)
    assert report.done == 1, report.failures
    found, expected = read_picture(tmp_path / "out.tif"), read_picture(tmp_path / "expected.tif")
    assert found.pixels.shape == expected.pixels.shape
    assert np.abs(found.pixels.astype(float) - expected.pixels).mean() / 257 < 0.01
    if expected.alpha is not None:
        np.testing.assert_array_equal(found.alpha, expected.alpha)


def test_georeference_goes_through_tile_by_tile(tmp_path, everything_is_huge):
    tags = [(33550, 12, 3, (10.0, 10.0, 0.0), True), (34735, 3, 4, (1, 1, 0, 0), True), (42113, 2, 2, "0", True)]
    tifffile.imwrite(
        tmp_path / "a.tif", picture(4, 150, 210), photometric="rgb", metadata=None, description="field 7",
        extratags=tags,
    )  # fmt: skip
    t = translator("resnet")
    t.runner.memory.limit = 10**11
    assert not translate_folder(t, tmp_path / "a.tif", tmp_path / "b.tif", QUIET).notes
    with tifffile.TiffFile(tmp_path / "b.tif") as file:
        found = {code: file.pages[0].tags[code].value for code in (270, 33550, 34735, 42113)}
    assert found == {270: "field 7", 33550: (10.0, 10.0, 0.0), 34735: (1, 1, 0, 0), 42113: "0"}
    assert read_picture(tmp_path / "b.tif").pixels.shape == (150, 210, 3)
    notes = translate_folder(t, tmp_path / "a.tif", tmp_path / "b.png", QUIET).notes
    assert "the georeference of 1 file is not in the results; --format tif keeps it" in notes


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_camera_data_goes_through_tile_by_tile_as_it_does_whole(suffix, tmp_path, monkeypatch):
    path, camera = tmp_path / f"a{suffix}", exif.HEAD + camera_exif(1 if suffix == ".tif" else 6)
    image = Image.fromarray(picture(4, 150, 210))
    image.save(path, exif=read_tags(camera_exif(1, thumbnail=False)) if suffix == ".tif" else camera)
    t = translator("resnet")
    t.runner.memory.limit = 10**11
    kept = FolderOptions(progress=False, keep_metadata=True)
    translate_folder(t, path, tmp_path / f"whole{suffix}", kept)
    monkeypatch.setattr(gigapixel, "MIN_FILE_BYTES", 0)
    monkeypatch.setattr(gigapixel, "COPIES_IN_MEMORY", 10**12)
    notes = translate_folder(t, path, tmp_path / f"private{suffix}", QUIET).notes
    assert any("camera data (EXIF) of 1 file is not in the results" in note for note in notes)
    assert b"Maker" not in (tmp_path / f"private{suffix}").read_bytes()
    notes = translate_folder(t, path, tmp_path / f"tiled{suffix}", kept).notes
    if suffix == ".tif":  # the tags of a BigTIFF, which is written tile by tile, are of another form
        assert "the camera data (EXIF) of 1 file is not in the results" in notes
        return
    found = []
    for way in ("whole", "tiled"):
        result = read_picture(tmp_path / f"{way}{suffix}")
        tags = read_tags(result.metadata.exif)
        inner = tags.get_ifd(0x8769)
        found.append((tags[0x010F], tags[0x0112], inner[0xA002], inner[0xA003], tags.get_ifd(0x8825)[1]))
        assert result.pixels.shape == (210, 150, 3)  # upright
        assert b"a small picture of the original" not in result.metadata.exif
    assert found[0] == found[1] == ("Maker", 1, 150, 210, "N")


def test_texts_and_gamma_of_png_go_through_tile_by_tile(tmp_path, everything_is_huge):
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "a secret")
    text.add(b"gAMA", (100000).to_bytes(4, "big"))
    Image.fromarray(picture(4, 150, 210)).save(tmp_path / "a.png", pnginfo=text)
    t = translator("resnet")
    t.runner.memory.limit = 10**11
    translate_folder(t, tmp_path / "a.png", tmp_path / "b.png", FolderOptions(progress=False, keep_metadata=True))
    with Image.open(tmp_path / "b.png") as image:
        image.load()
        assert (image.info["Comment"], image.info["gamma"]) == ("a secret", 1.0)
    assert (
        "the text of 1 file is not in the results; --keep-metadata keeps it"
        in translate_folder(t, tmp_path / "a.png", tmp_path / "c.png", QUIET).notes
    )


def test_a_format_that_libvips_and_the_whole_way_decode_differently_is_read_whole(tmp_path, everything_is_huge):
    Image.fromarray(picture(4, 150, 210)).convert("CMYK").save(tmp_path / "a.jpg")
    assert open_huge(tmp_path / "a.jpg", 1) is None
