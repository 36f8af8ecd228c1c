"""HEIC and AVIF: depth, alpha, orientation, profiles, and sizes that a header claims; against their encoders."""

import io
import struct

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from translate.images.formats import heif, isobmff
from translate.images.io import decode_picture, read_picture, upright_size, write_picture
from translate.images.picture import Picture, to_depth
from translate.utils.errors import UserError

SIZE = (48, 64)  # height, width


def ramp(channels=3, full=65535):
    """Smooth colours, which survive compression: (48, 64, channels) of 16 bits."""
    across, down = np.meshgrid(np.linspace(0, 1, SIZE[1]), np.linspace(0, 1, SIZE[0]))
    planes = (across, down, 1 - across, 0.25 + down / 2)[:channels]
    return np.rint(np.stack(planes, axis=2) * full).astype(np.uint16)


def heic(array, mode, **options):
    pillow_heif = pytest.importorskip("pillow_heif")
    out = io.BytesIO()
    pillow_heif.encode(mode, array.shape[1::-1], array.tobytes(), out, quality=95, chroma=444, **options)
    return out.getvalue()


def avif(array, bits):
    options = [cv2.IMWRITE_AVIF_DEPTH, bits, cv2.IMWRITE_AVIF_QUALITY, 100]  # 100: lossless
    order = cv2.COLOR_RGBA2BGRA if array.shape[2] == 4 else cv2.COLOR_RGB2BGR
    done, data = cv2.imencode(".avif", cv2.cvtColor(array, order), options)
    assert done
    return data.tobytes()


def error_of(picture, truth):
    """Return the mean difference in 8-bit levels."""
    return np.abs(to_depth(picture.pixels, np.float32) - truth.astype(np.float32)).mean() * 255


@pytest.mark.parametrize("bits", [10, 12])
@pytest.mark.parametrize("alpha", [False, True])
def test_heic_keeps_depth_and_alpha(bits, alpha):
    stored = ramp(4 if alpha else 3)
    picture = decode_picture(heic(stored, "RGBA;16" if alpha else "RGB;16", bit_depth=bits), "x.heic")
    assert picture.pixels.dtype == np.uint16
    assert picture.bits == bits
    assert error_of(picture, stored[..., :3] / 65535) < 0.6
    assert picture.pixels.max() == 65535  # white is white: 1023 becomes 65535, and not 1023 << 6
    assert (picture.alpha is not None) == alpha
    if alpha:
        assert np.abs(picture.alpha.astype(int) - stored[..., 3]).mean() < 257


def test_gray_heic_with_alpha_stays_gray(tmp_path):
    gray = (ramp(2) // 257).astype(np.uint8)
    picture = decode_picture(heic(gray, "LA"), "x.heic")
    assert picture.gray and picture.alpha is not None
    write_picture(tmp_path / "y.heic", picture)
    assert read_picture(tmp_path / "y.heic").gray


@pytest.mark.parametrize("orientation", range(1, 9))
def test_heic_is_turned_once_whatever_its_exif_says(orientation, tmp_path):
    """The container turns the picture; EXIF that says the same must not turn it again."""
    pytest.importorskip("pillow_heif")
    stored = (ramp() // 257).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = heic(stored, "RGB", exif=exif.tobytes())  # libheif turns by boxes of the container, and keeps the EXIF
    turned = Image.fromarray(stored)
    turned.getexif()[0x0112] = orientation
    truth = np.asarray(ImageOps.exif_transpose(turned))
    picture = decode_picture(data, "x.heic")
    assert picture.pixels.shape == truth.shape
    assert error_of(picture, truth / 255) < 2
    (tmp_path / "x.heic").write_bytes(data)
    assert upright_size(tmp_path / "x.heic") == truth.shape[1::-1]


@pytest.mark.parametrize("suffix", [".heic", ".avif"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_round_trip_keeps_size_depth_alpha_profile_and_resolution(suffix, dtype, tmp_path):
    if suffix == ".heic":
        pytest.importorskip("pillow_heif")
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    stored = to_depth(ramp(4), np.float32)
    picture = Picture(to_depth(stored[..., :3], dtype), to_depth(stored[..., 3], dtype), icc=icc, dpi=(300, 300))
    write_picture(tmp_path / f"x{suffix}", picture)
    back = read_picture(tmp_path / f"x{suffix}")
    assert back.pixels.dtype == dtype
    assert error_of(back, stored[..., :3]) < 1
    assert np.abs(to_depth(back.alpha, np.float32) - stored[..., 3]).mean() < 1 / 255
    assert back.icc == icc
    assert back.dpi == pytest.approx((300, 300))


def test_colours_of_hdr_screens_are_not_mistaken_for_srgb(tmp_path):
    """A picture of BT.2020 and PQ says so in the result: in HEIC, AVIF and PNG."""
    pytest.importorskip("pillow_heif")
    codes = {"color_primaries": 9, "transfer_characteristics": 16, "matrix_coefficients": 9, "full_range_flag": 1}
    data = heic(ramp(), "RGB;16", bit_depth=10, nclx_profile=codes, **codes)
    picture = decode_picture(data, "x.heic")
    assert picture.colour_codes == (9, 16)
    for suffix in (".heic", ".avif", ".png"):
        write_picture(tmp_path / f"x{suffix}", picture)
        assert read_picture(tmp_path / f"x{suffix}").colour_codes == (9, 16)


@pytest.mark.parametrize("bits", [10, 12])
@pytest.mark.parametrize("channels", [3, 4])
def test_avif_keeps_its_depth(bits, channels, tmp_path):
    stored = ramp(channels, 2**bits - 1)
    picture = decode_picture(avif(stored, bits), "x.avif")
    assert picture.pixels.dtype == np.uint16
    exact = np.rint(stored.astype(np.float64) * 65535 / (2**bits - 1))
    np.testing.assert_array_equal(picture.pixels, exact[..., :3])
    if channels == 4:
        np.testing.assert_array_equal(picture.alpha, exact[..., 3])
    write_picture(tmp_path / "y.avif", picture)
    assert isobmff.av1_bits((tmp_path / "y.avif").read_bytes()) == bits


def test_avif_of_early_encoders_with_alpha_is_read():
    """Their alpha states no size of its own, for which Pillow refuses them."""
    stored = (ramp(4) // 257).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(stored).save(out, "AVIF", quality=100, subsampling="4:4:4")
    data = without_size_of_alpha(out.getvalue())
    with pytest.raises(OSError, match="cannot identify"):
        Image.open(io.BytesIO(data))
    picture = decode_picture(data, "x.avif")
    assert error_of(picture, stored[..., :3] / 255) < 1.5
    assert np.abs(picture.alpha.astype(int) - stored[..., 3]).mean() < 1.5


def without_size_of_alpha(data):
    """Replace the association of the last item with its size (ispe) by one with its depth (pixi)."""
    at = data.find(b"ipma")
    count = struct.unpack_from(">I", data, at + 8)[0]
    names = []
    place = data.find(b"ipco") + 4
    end = data.find(b"ipco") - 4 + struct.unpack_from(">I", data, data.find(b"ipco") - 4)[0]
    while place < end:
        length, name = struct.unpack_from(">I4s", data, place)
        names.append(name)
        place += length
    changed, place = bytearray(data), at + 12
    for _ in range(count):
        number = data[place + 2]
        entries = range(place + 3, place + 3 + number)
        last, place = entries, place + 3 + number
    pixi = next(data[i] for i in last if names[(data[i] & 127) - 1] == b"pixi")
    for i in last:
        if names[(data[i] & 127) - 1] == b"ispe":
            changed[i] = pixi
    return bytes(changed)


@pytest.mark.parametrize("suffix", [".heic", ".avif"])
def test_a_huge_size_in_a_small_file_is_refused_by_its_header(suffix, tmp_path):
    if suffix == ".heic":
        pytest.importorskip("pillow_heif")
    write_picture(tmp_path / f"x{suffix}", Picture((ramp() // 257).astype(np.uint8)))
    data = bytearray((tmp_path / f"x{suffix}").read_bytes())
    at = data.find(b"ispe")
    while at >= 0:
        struct.pack_into(">II", data, at + 8, 60000, 60000)
        at = data.find(b"ispe", at + 1)
    with pytest.raises(UserError, match="60000 x 60000 px"):
        decode_picture(bytes(data), f"x{suffix}")


def test_without_the_package_heic_is_refused_with_the_way_out(monkeypatch):
    data = heic((ramp() // 257).astype(np.uint8), "RGB")
    monkeypatch.setattr(heif, "is_available", lambda: False)
    with pytest.raises(UserError, match=r"pip install 'image-translate\[heic\]'"):
        decode_picture(data, "photo.jpg")  # by content, whatever the name


def test_truncated_heic_is_refused():
    data = heic((ramp() // 257).astype(np.uint8), "RGB")
    with pytest.raises(UserError, match="cannot be read as an image"):
        decode_picture(data[: len(data) // 2], "x.heic")
