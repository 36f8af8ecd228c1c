"""Colour profiles, and what else a file says beside its pixels, through every format that has a place for it."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from translate.images.io import read_picture, write_picture
from translate.images.picture import Picture, to_depth

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
GRAY = SRGB[:16] + b"GRAY" + SRGB[20:]  # as far as a header goes
INKS = SRGB[:16] + b"CMYK" + SRGB[20:]
SMOOTH = cv2.resize(np.random.default_rng(0).integers(0, 256, (5, 6, 3), np.uint8), (48, 40))


def profile_in(path):
    with Image.open(path) as image:
        return image.info.get("icc_profile")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp", ".avif"])
@pytest.mark.parametrize("alpha", [False, True])
def test_a_profile_is_kept(tmp_path, suffix, alpha):
    mode = "RGBA" if alpha and suffix != ".jpg" else "RGB"
    Image.fromarray(SMOOTH).convert(mode).save(tmp_path / f"x{suffix}", icc_profile=SRGB)
    picture = read_picture(tmp_path / f"x{suffix}")
    assert picture.icc == SRGB
    write_picture(tmp_path / f"y{suffix}", picture)
    assert profile_in(tmp_path / f"y{suffix}") == SRGB
    again = read_picture(tmp_path / f"y{suffix}")
    if suffix in (".png", ".tif"):
        np.testing.assert_array_equal(again.pixels, picture.pixels)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("gray", [False, True])
def test_a_profile_of_16_bits_is_kept(tmp_path, suffix, gray):
    deep = to_depth(SMOOTH, np.uint16) + np.uint16(3)
    deep = deep[..., :1].repeat(3, axis=2) if gray else deep
    write_picture(tmp_path / f"x{suffix}", Picture(deep, gray=gray, icc=GRAY if gray else SRGB))
    back = read_picture(tmp_path / f"x{suffix}")
    assert back.icc == (GRAY if gray else SRGB) and back.pixels.dtype == np.uint16 and back.gray == gray
    np.testing.assert_array_equal(back.pixels, deep)


def test_a_long_profile_takes_several_segments_of_a_jpeg(tmp_path):
    long = SRGB + bytes(150_000)
    write_picture(tmp_path / "x.jpg", Picture(SMOOTH, icc=long))
    assert profile_in(tmp_path / "x.jpg") == long and read_picture(tmp_path / "x.jpg").icc == long


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp"])
@pytest.mark.parametrize("profile, gray", [(SRGB, True), (GRAY, False), (INKS, False), (b"none", False)])
def test_a_profile_of_other_channels_is_dropped(tmp_path, suffix, profile, gray):
    write_picture(tmp_path / f"x{suffix}", Picture(SMOOTH[..., :1].repeat(3, axis=2), gray=gray, icc=profile))
    assert profile_in(tmp_path / f"x{suffix}") is None


def test_inks_become_rgb_without_their_profile(tmp_path):
    Image.fromarray(SMOOTH).convert("CMYK").save(tmp_path / "x.jpg", icc_profile=INKS)
    picture = read_picture(tmp_path / "x.jpg")
    write_picture(tmp_path / "y.jpg", picture)
    assert picture.pixels.shape[2] == 3 and profile_in(tmp_path / "y.jpg") is None


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
def test_the_resolution_is_kept(tmp_path, suffix):
    Image.fromarray(SMOOTH).save(tmp_path / f"x{suffix}", dpi=(300, 150))
    write_picture(tmp_path / f"y{suffix}", read_picture(tmp_path / f"x{suffix}"))
    with Image.open(tmp_path / f"y{suffix}") as image:
        assert np.allclose(np.array(image.info["dpi"], float), (300, 150), atol=0.02)
        image.load()


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp", ".ppm", ".npy", ".tga"])
@pytest.mark.parametrize("gray", [False, True])
def test_files_without_profile_stay_what_they_were(tmp_path, suffix, gray):
    pixels = SMOOTH[..., :1].repeat(3, axis=2) if gray else SMOOTH
    write_picture(tmp_path / f"x{suffix}", Picture(pixels, gray=gray))
    back = read_picture(tmp_path / f"x{suffix}")
    np.testing.assert_array_equal(back.pixels, pixels)
    assert back.icc is None


def test_pil_images_carry_theirs(tmp_path):
    from translate.images.decode import from_pillow
    from translate.images.encode import to_pillow

    content = io.BytesIO()
    Image.fromarray(SMOOTH).save(content, "PNG", icc_profile=SRGB)
    with Image.open(content) as image:
        assert to_pillow(from_pillow(image)).info["icc_profile"] == SRGB
