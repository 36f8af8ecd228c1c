import errno
import io
import os
import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps
from skimage.color import rgb2gray

from translate.images.decode import from_pillow
from translate.images.encode import FORMATS, to_pillow
from translate.images.io import IMAGE_SUFFIXES, read_picture, read_rgb8, save_png, write_picture
from translate.images.picture import Picture, to_depth, to_gray
from translate.utils.errors import UserError
from translate.utils.files import WriteError, atomic_write
from translate.utils.trust import TRUST


def smooth(height=24, width=36, channels=3):
    noise = np.random.default_rng(0).integers(0, 256, (height, width, channels), dtype=np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 2).reshape(height, width, channels)


def distance(a, b):
    return np.abs(a.astype(float) - b.astype(float)).mean()


def png(colour_type, bits, rows, *chunks):
    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    size = struct.pack(">II", rows.shape[1], rows.shape[0])
    body = b"".join(b"\0" + row.astype(">u2" if bits == 16 else "u1").tobytes() for row in rows)
    parts = [(b"IHDR", size + bytes([bits, colour_type, 0, 0, 0])), *chunks]
    parts += [(b"IDAT", zlib.compress(body)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


# ---- reading kinds


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".ppm", ".tga", ".jp2"])
def test_lossless_colour_is_read_to_the_bit(tmp_path, suffix):
    image = smooth()
    Image.fromarray(image).save(tmp_path / f"x{suffix}")
    picture = read_picture(tmp_path / f"x{suffix}")
    assert (picture.pixels == image).all()
    assert (picture.alpha, picture.gray, picture.frames) == (None, False, 1)


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".jpg", ".pgm", ".tga"])
def test_gray_is_known_as_gray(tmp_path, suffix):
    Image.fromarray(smooth()[..., 0]).save(tmp_path / f"x{suffix}")
    picture = read_picture(tmp_path / f"x{suffix}")
    assert picture.gray
    assert picture.pixels.shape == (24, 36, 3)
    assert distance(picture.pixels[..., 1], smooth()[..., 0]) < 2


@pytest.mark.parametrize("suffix", [".png", ".tif", ".tga", ".webp"])
@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_alpha_is_read_and_not_multiplied_in(tmp_path, suffix, mode):
    image = smooth(channels=4)
    stored = Image.fromarray(image).convert(mode)
    options = {"lossless": True, "exact": True} if suffix == ".webp" else {}
    stored.save(tmp_path / f"x{suffix}", **options)
    picture = read_picture(tmp_path / f"x{suffix}")
    assert (picture.alpha == image[..., 3]).all()
    assert (picture.pixels == np.asarray(stored.convert("RGB"))).all()
    assert picture.gray == (mode == "LA" and suffix != ".webp")  # WebP has no gray


def test_palette_with_and_without_transparency(tmp_path):
    indexed = Image.fromarray(smooth()).quantize(16)
    indexed.save(tmp_path / "x.png")
    indexed.save(tmp_path / "y.png", transparency=3)
    opaque, clear = read_picture(tmp_path / "x.png"), read_picture(tmp_path / "y.png")
    assert (opaque.pixels == np.asarray(indexed.convert("RGB"))).all()
    assert opaque.alpha is None
    assert ((clear.alpha == 0) == (np.asarray(indexed) == 3)).all()


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_transparent_colour_becomes_alpha(tmp_path, mode):
    image = Image.fromarray(smooth()).convert(mode)
    key = image.getpixel((0, 0))
    image.save(tmp_path / "x.png", transparency=key)
    picture = read_picture(tmp_path / "x.png")
    same = (np.asarray(image.convert("RGB")) == np.asarray(image.convert("RGB"))[0, 0]).all(axis=2)
    assert ((picture.alpha == 0) == same).all()
    assert picture.gray == (mode == "L")


@pytest.mark.parametrize("suffix", [".jpg", ".tif"])
def test_cmyk_becomes_rgb(tmp_path, suffix):
    Image.fromarray(smooth()).convert("CMYK").save(tmp_path / f"x{suffix}")
    picture = read_picture(tmp_path / f"x{suffix}")
    assert distance(picture.pixels, smooth()) < 6
    assert picture.alpha is None


def test_one_bit_is_gray(tmp_path):
    Image.fromarray(smooth()).convert("1").save(tmp_path / "x.png")
    picture = read_picture(tmp_path / "x.png")
    assert picture.gray
    assert set(np.unique(picture.pixels)) == {0, 255}


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png", ".tif"])
def test_the_first_of_several_frames(tmp_path, suffix):
    frames = [Image.fromarray(smooth() // 4 + 60 * i) for i in range(4)]
    frames[0].save(tmp_path / f"x{suffix}", save_all=True, append_images=frames[1:])
    picture = read_picture(tmp_path / f"x{suffix}")
    assert picture.frames == 4
    assert distance(picture.pixels, smooth() // 4) < 5


def test_a_cameras_second_view_is_no_animation(tmp_path):
    views = [Image.fromarray(smooth()), Image.fromarray(255 - smooth())]
    views[0].save(tmp_path / "x.jpg", format="MPO", save_all=True, append_images=views[1:])
    picture = read_picture(tmp_path / "x.jpg")
    assert picture.frames == 1
    assert distance(picture.pixels, smooth()) < 6


@pytest.mark.parametrize("suffix", [".png", ".tif", ".ppm"])
def test_16_bit_colour_keeps_its_depth(tmp_path, suffix):
    deep = smooth().astype(np.uint16) * 251 + 7
    cv2.imwrite(str(tmp_path / f"x{suffix}"), deep[..., ::-1])
    picture = read_picture(tmp_path / f"x{suffix}")
    assert picture.pixels.dtype == np.uint16
    assert (picture.pixels == deep).all()


def test_16_bit_gray_and_gray_with_alpha(tmp_path):
    deep = smooth(channels=2).astype(np.uint16) * 251 + 7
    (tmp_path / "gray.png").write_bytes(png(0, 16, deep[..., 0]))
    (tmp_path / "both.png").write_bytes(png(4, 16, deep))
    gray, both = read_picture(tmp_path / "gray.png"), read_picture(tmp_path / "both.png")
    assert gray.gray and both.gray
    assert (gray.pixels == deep[..., :1]).all() and gray.alpha is None
    assert (both.pixels == deep[..., :1]).all() and (both.alpha == deep[..., 1]).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("channels", [1, 3])
def test_float_tiff(tmp_path, dtype, channels):
    unit = np.squeeze(smooth(channels=channels).astype(dtype) / 255)
    cv2.imwrite(str(tmp_path / "x.tif"), unit[..., ::-1] if channels == 3 else unit)
    picture = read_picture(tmp_path / "x.tif")
    assert picture.pixels.dtype == np.float32
    assert np.allclose(picture.pixels, unit.reshape(24, 36, channels))
    cv2.imwrite(str(tmp_path / "y.tif"), unit * 255)
    with pytest.raises(UserError, match="y.tif.*values run from .*say --value-range .* or rescale them"):
        read_picture(tmp_path / "y.tif")


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_exif_orientation_is_carried_out(tmp_path, suffix, orientation):
    image = np.kron(np.array([[255, 0, 0], [128, 60, 0]], np.uint8), np.ones((8, 8), np.uint8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(image).save(tmp_path / f"x{suffix}", exif=exif)
    Image.fromarray(image).save(tmp_path / "y.png", exif=exif)
    with Image.open(tmp_path / "y.png") as stored:
        upright = ImageOps.exif_transpose(stored).convert("L")
    # Through memory: Pillow 12 garbles an uncompressed TIFF of this kind that it opens by its name.
    with Image.open(io.BytesIO((tmp_path / f"x{suffix}").read_bytes())) as opened:
        for picture in (read_picture(tmp_path / f"x{suffix}"), from_pillow(opened)):
            assert picture.pixels.shape[:2] == upright.size[::-1]
            assert distance(picture.pixels[..., 0], np.asarray(upright)) < 6


def test_read_rgb8_lays_transparency_on_white(tmp_path):
    Image.new("LA", (3, 2), (100, 0)).save(tmp_path / "clear.png")
    Image.new("RGBA", (3, 2), (10, 20, 30, 255)).save(tmp_path / "full.png")
    (tmp_path / "deep.png").write_bytes(png(0, 16, np.full((2, 3), 65535 // 5, np.uint16)))
    assert (read_rgb8(tmp_path / "clear.png") == 255).all()
    assert (read_rgb8(tmp_path / "full.png") == (10, 20, 30)).all()
    deep = read_rgb8(tmp_path / "deep.png")
    assert deep.dtype == np.uint8 and deep.shape == (2, 3, 3) and (deep == 51).all()


# ---- bad files


BAD = {
    "a text file named .jpg": (".jpg", b"this is not a picture\n" * 20, "no known image format"),
    "an empty file": (".png", b"", "empty"),
    "random bytes": (".png", bytes(range(256)) * 4, "no known image format"),
    "a program for another reader": (
        ".jpg",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        "no known",
    ),
    "only a header": (".png", b"\x89PNG\r\n\x1a\n", "no known image format"),
}


@pytest.mark.parametrize("what", BAD)
def test_what_is_no_picture_gets_one_line(tmp_path, capfd, what):
    suffix, content, reason = BAD[what]
    path = tmp_path / f"x{suffix}"
    path.write_bytes(content)
    for reader in (read_picture, read_rgb8):
        with pytest.raises(UserError) as caught:
            reader(path)
        message = str(caught.value)
        assert message.startswith(f"{path}: cannot be read as an image (") and "\n" not in message
        assert reason in message
    assert capfd.readouterr().err == ""  # neither OpenCV nor Pillow grumbles on its own


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
@pytest.mark.parametrize(
    "suffix, options",
    [
        (".jpg", {}),
        (".jpg", {"progressive": True}),
        (".png", {}),
        (".gif", {}),
        (".tif", {}),
        (".webp", {}),
        (".bmp", {}),
    ],
)
def test_a_truncated_file_is_an_error_and_not_half_gray(tmp_path, capfd, suffix, options, share):
    whole = io.BytesIO()
    form = FORMATS[suffix].name
    Image.fromarray(smooth(200, 300)).save(whole, form, **options)
    path = tmp_path / f"x{suffix}"
    path.write_bytes(whole.getvalue()[: int(share * len(whole.getvalue()))])
    with pytest.raises(UserError, match=f"x{suffix}: cannot be read as an image"):
        read_picture(path)
    assert capfd.readouterr().err == ""


def test_a_jpeg_filled_up_with_zeros_is_truncated_too(tmp_path):
    whole = io.BytesIO()
    Image.fromarray(smooth(200, 300)).save(whole, "JPEG")
    half = whole.getvalue()[: len(whole.getvalue()) // 2]
    (tmp_path / "x.jpg").write_bytes(half + bytes(len(half)))
    with pytest.raises(UserError, match="truncated"):
        read_picture(tmp_path / "x.jpg")
    (tmp_path / "y.jpg").write_bytes(whole.getvalue() + b"a phone's film follows \xff\xda" * 9)
    assert distance(read_picture(tmp_path / "y.jpg").pixels, smooth(200, 300)) < 6


def test_a_missing_file_and_a_folder(tmp_path):
    with pytest.raises(UserError, match=r"no\.png: cannot be read as an image \(No such file or directory\)"):
        read_picture(tmp_path / "no.png")
    with pytest.raises(UserError, match="is a folder; give a file, or translate .* with translate_folder"):
        read_picture(tmp_path)


@given(
    st.binary(max_size=200),
    st.sampled_from([b"\xff\xd8\xff", b"GIF89a", b"BM", b"RIFF", b"II*\0", b"P6\n", b""]),
)
@settings(max_examples=150, deadline=None)
def test_no_bytes_raise_anything_but_usererror(tmp_path_factory, content, magic):
    path = tmp_path_factory.getbasetemp() / "fuzz.png"
    path.write_bytes(magic + content)
    try:
        assert read_picture(path).pixels.shape[2] == 3
    except UserError as error:
        assert "\n" not in str(error)


# ---- sizes


@pytest.mark.parametrize("suffix", sorted(IMAGE_SUFFIXES))
def test_one_pixel_through_every_format(tmp_path, suffix):
    write_picture(tmp_path / f"x{suffix}", Picture(np.full((1, 1, 3), 77, np.uint8)))
    pixels = read_picture(tmp_path / f"x{suffix}").pixels
    assert pixels.shape == (1, 1, 3) and distance(pixels, np.full(1, 77)) <= 3


def test_pillows_bomb_limit_does_not_bind_us_and_is_left_as_it_was(tmp_path, monkeypatch, recwarn):
    Image.fromarray(smooth()).convert("P").save(tmp_path / "x.gif")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert read_picture(tmp_path / "x.gif").pixels.shape == (24, 36, 3)
    assert Image.MAX_IMAGE_PIXELS == 100
    assert not recwarn


def test_above_our_own_limit_the_message_names_both(tmp_path, monkeypatch):
    save_png(tmp_path / "x.png", smooth())
    monkeypatch.setattr(TRUST, "max_pixels", 800)
    with pytest.raises(UserError, match=r"x\.png: .*36 x 24 px is over the limit of 800 px; .*--max-pixels 864"):
        read_picture(tmp_path / "x.png")


def test_20000_px_wide(tmp_path):
    wide = np.random.default_rng(0).integers(0, 256, (3, 20000, 3), dtype=np.uint8)
    write_picture(tmp_path / "x.png", Picture(wide))
    assert (read_picture(tmp_path / "x.png").pixels == wide).all()


# ---- writing


RAMP = np.linspace(0, 255, 36, dtype=np.uint8).repeat(24).reshape(36, 24).T.copy()
KINDS = {
    "colour": Picture(smooth()),
    "gray": Picture(smooth()[..., :1].repeat(3, axis=2), gray=True),
    "alpha": Picture(smooth(), RAMP),
    "gray alpha": Picture(smooth()[..., :1].repeat(3, axis=2), RAMP, gray=True),
}


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("suffix", sorted(IMAGE_SUFFIXES))
def test_every_kind_in_every_format_is_kept_as_nearly_as_can_be(tmp_path, suffix, kind, dtype):
    given8 = KINDS[kind]
    alpha = None if given8.alpha is None else to_depth(given8.alpha, dtype)
    picture = Picture(to_depth(given8.pixels, dtype), alpha, given8.gray)
    write_picture(tmp_path / f"x{suffix}", picture)
    back = read_picture(tmp_path / f"x{suffix}")
    form = FORMATS[suffix]
    assert back.pixels.dtype == (dtype if dtype in form.depths else form.depths[-1])
    assert (back.alpha is not None) == (form.alpha and alpha is not None)
    if back.alpha is not None and suffix == ".gif":
        assert ((back.alpha == 255) == (given8.alpha > 127)).all()
    elif back.alpha is not None:
        assert distance(to_depth(back.alpha, np.uint8), given8.alpha) < 1
    expected = given8.pixels
    if alpha is not None and not form.alpha:
        unit = given8.alpha[..., None] / 255
        expected = given8.pixels * unit + 255 * (1 - unit)
    lossy = {".gif": 40, ".webp": 6, ".avif": 6}.get(suffix, 6 if form.name == "JPEG" else 0.6)
    seen = np.full((24, 36), True) if back.alpha is None else back.alpha > 0  # what is clear may have any colour
    assert distance(to_depth(back.pixels, np.uint8)[seen], expected[seen]) < lossy


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg", ".bmp", ".tga", ".pgm", ".jp2"])
def test_gray_stays_gray_as_luma(tmp_path, suffix):
    write_picture(tmp_path / f"x{suffix}", Picture(smooth(), gray=True))
    with Image.open(tmp_path / f"x{suffix}") as stored:
        assert stored.mode == "L"
        reference = rgb2gray(smooth()) * 255  # other weights (BT.709), near enough for a smooth picture
        assert distance(np.asarray(stored), reference) < 6
    back = read_picture(tmp_path / f"x{suffix}")
    assert back.gray


def test_luma_weights_and_that_gray_is_a_fixed_point():
    primaries = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)
    assert to_gray(primaries).tolist() == [[76, 150, 29]]
    every = np.arange(65536, dtype=np.uint16).reshape(256, 256, 1).repeat(3, axis=2)
    assert (to_gray(every) == every[..., 0]).all()


def test_jpeg_is_of_quality_95_in_full_colour_resolution(tmp_path):
    write_picture(tmp_path / "x.jpg", Picture(smooth(64, 64)))
    write_picture(tmp_path / "y.jpg", Picture(smooth(64, 64)), quality=30)
    reference = io.BytesIO()
    Image.fromarray(smooth(64, 64)).save(reference, "JPEG", quality=95, subsampling=0)
    with Image.open(tmp_path / "x.jpg") as ours, Image.open(reference) as theirs:
        assert ours.quantization == theirs.quantization
        assert [layer[1:3] for layer in ours.layer] == [(1, 1)] * 3
    assert (tmp_path / "y.jpg").stat().st_size < (tmp_path / "x.jpg").stat().st_size / 2


def test_what_a_format_cannot_hold_is_one_line(tmp_path):
    with pytest.raises(UserError, match=r"x\.webp: cannot be written as WEBP .*; use \.png"):
        write_picture(tmp_path / "x.webp", Picture(np.zeros((1, 20000, 3), np.uint8)))
    with pytest.raises(UserError, match=r"'\.xyz' names no known image format; use one of .*\.png"):
        write_picture(tmp_path / "x.xyz", Picture(smooth()))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "I;16", "F"])
def test_pillow_images_there_and_back(mode):
    base = Image.fromarray(smooth(channels=4))
    image = {
        "I;16": lambda: Image.fromarray(smooth()[..., 0].astype(np.uint16) * 250),
        "F": lambda: Image.fromarray(smooth()[..., 0].astype(np.float32) / 255),
    }.get(mode, lambda: base.convert(mode))()
    back = to_pillow(from_pillow(image))
    assert back.mode == mode
    assert np.allclose(np.asarray(back), np.asarray(image), rtol=1e-6)


# ---- atomic writing


def test_atomic_write_makes_folders_and_leaves_only_the_file(tmp_path):
    with atomic_write(tmp_path / "a" / "b" / "x.txt") as temporary:
        assert temporary.parent == tmp_path / "a" / "b"
        temporary.write_text("new")
        assert not (tmp_path / "a" / "b" / "x.txt").exists()
    assert [p.name for p in (tmp_path / "a" / "b").iterdir()] == ["x.txt"]
    assert (tmp_path / "a" / "b" / "x.txt").stat().st_mode & 0o777 == 0o666 & ~current_umask()


def current_umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, UserError])
def test_an_error_leaves_the_old_file_and_no_other(tmp_path, error):
    (tmp_path / "x.txt").write_text("old")
    with pytest.raises(error), atomic_write(tmp_path / "x.txt") as temporary:
        temporary.write_text("half")
        raise error
    assert [p.read_text() for p in tmp_path.iterdir()] == ["old"]


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_is_one_line_and_the_old_file_stays(tmp_path, monkeypatch, call):
    save_png(tmp_path / "x.png", smooth())

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, call, full)
    with pytest.raises(WriteError, match=r"x\.png: cannot be written \(No space left on device\); make room"):
        save_png(tmp_path / "x.png", 255 - smooth())
    monkeypatch.undo()
    assert [p.name for p in tmp_path.iterdir()] == ["x.png"]
    assert (read_picture(tmp_path / "x.png").pixels == smooth()).all()


def test_a_librarys_own_error_on_a_full_disk_is_told_as_such(tmp_path, monkeypatch):
    with pytest.raises(RuntimeError), atomic_write(tmp_path / "x"):
        raise RuntimeError("file write failed")
    with pytest.raises(WriteError, match="No space left"), atomic_write(tmp_path / "x"):
        raise RuntimeError("I/O error: No space left on device (os error 28)")
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 0}))
    with (
        pytest.raises(WriteError, match=r"cannot be written \(file write failed\)"),
        atomic_write(tmp_path / "x"),
    ):
        raise RuntimeError("file write failed\nand more")


def test_a_folder_that_is_a_file_or_read_only(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(WriteError, match=r"cannot be written"):
        save_png(tmp_path / "file" / "x.png", smooth())
    if os.geteuid():  # root may write everywhere
        (tmp_path / "closed").mkdir(mode=0o500)
        with pytest.raises(WriteError, match=r"Permission denied"):
            save_png(tmp_path / "closed" / "x.png", smooth())


def test_the_luma_of_gray_floats_is_their_value():
    plane = np.random.default_rng(0).random((9, 7), np.float32)
    assert np.array_equal(to_gray(plane[..., None].repeat(3, axis=2)), plane)
