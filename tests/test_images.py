import errno
import io
import os
import struct
import zlib

import cv2
import numpy as np
import pytest
import tifffile
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from skimage.color import rgb2gray

from translate import decode as decode_module
from translate.decode import from_pillow
from translate.encode import FORMATS, to_pillow
from translate.errors import UserError
from translate.images import (
    IMAGE_SUFFIXES,
    Picture,
    WriteError,
    atomic_write,
    make_grid,
    pad_to_multiple,
    read_picture,
    read_rgb8,
    save_png,
    to_array,
    to_tensor,
    write_picture,
)
from translate.picture import to_depth, to_gray


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
    tifffile.imwrite(tmp_path / "x.tif", unit)
    picture = read_picture(tmp_path / "x.tif")
    assert picture.pixels.dtype == np.float32
    assert np.allclose(picture.pixels, unit.reshape(24, 36, channels))
    tifffile.imwrite(tmp_path / "y.tif", unit * 255)
    with pytest.raises(UserError, match="y.tif.*values run from .*rescale them to 0 to 1"):
        read_picture(tmp_path / "y.tif")


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_exif_orientation_is_carried_out(tmp_path, suffix, orientation):
    image = np.kron(np.array([[255, 0, 0], [128, 60, 0]], np.uint8), np.ones((8, 8), np.uint8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(image).save(tmp_path / f"x{suffix}", exif=exif)
    turns = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}  # orientation -> Image.Transpose that undoes it
    upright = Image.fromarray(image)
    if orientation > 1:
        upright = upright.transpose(list(Image.Transpose)[{2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}[orientation]])
    del turns
    pixels = read_picture(tmp_path / f"x{suffix}").pixels
    assert pixels.shape[:2] == upright.size[::-1]
    assert distance(pixels[..., 0], np.asarray(upright)) < 6


def test_read_rgb8_lays_transparency_on_white(tmp_path):
    Image.new("LA", (3, 2), (100, 0)).save(tmp_path / "clear.png")
    Image.new("RGBA", (3, 2), (10, 20, 30, 255)).save(tmp_path / "full.png")
    (tmp_path / "deep.png").write_bytes(png(0, 16, np.full((2, 3), 65535 // 5, np.uint16)))
    assert (read_rgb8(tmp_path / "clear.png") == 255).all()
    assert (read_rgb8(tmp_path / "full.png") == (10, 20, 30)).all()
    deep = read_rgb8(tmp_path / "deep.png")
    assert deep.dtype == np.uint8 and deep.shape == (2, 3, 3) and (deep == 51).all()
