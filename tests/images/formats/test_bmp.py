import struct

import numpy as np
import pytest

from tests.images.test_io import smooth
from translate.images.io import decode_picture, read_picture, write_picture
from translate.images.picture import Picture
from translate.utils.errors import UserError


def bmp(rows, bits, masks=(), header=40, compression=None):
    height, width = len(rows), len(rows[0])
    body = b"".join(
        np.asarray(row, f"<u{bits // 8}").tobytes().ljust(-(-width * bits // 32) * 4, b"\0") for row in rows
    )
    compression = 3 * bool(masks) if compression is None else compression
    info = struct.pack("<IiiHHIIiiII", header, width, -height, 1, bits, compression, 0, 0, 0, 0, 0)
    info = (info + struct.pack(f"<{len(masks)}I", *masks)).ljust(header, b"\0")
    return struct.pack("<2sIHHI", b"BM", 0, 0, 0, 14 + len(info)) + info + body


def test_masks_that_are_not_the_usual_ones():
    words = [[0x3FF, 0x3FF << 10, 0x3FF << 20]]
    found = decode_picture(bmp(words, 32, (0x3FF << 20, 0x3FF << 10, 0x3FF)), "x.bmp")
    assert found.alpha is None and found.pixels.tolist() == [[[0, 0, 255], [0, 255, 0], [255, 0, 0]]]
    swapped = decode_picture(bmp([[0x0000FF, 0xFF0000]], 32, (0xFF, 0xFF00, 0xFF0000), header=52), "x.bmp")
    assert swapped.pixels.tolist() == [[[255, 0, 0], [0, 0, 255]]]


def test_alpha_of_one_bit():
    found = decode_picture(bmp([[0xFC00, 0x7C00]], 16, (0x7C00, 0x3E0, 0x1F, 0x8000), header=108), "x.bmp")
    assert found.pixels.tolist() == [[[255, 0, 0], [255, 0, 0]]] and found.alpha.tolist() == [[255, 0]]


def test_32_bits_without_masks_have_no_alpha():
    assert decode_picture(bmp([[0x00FF0000]], 32), "x.bmp").alpha is None


def test_a_truncated_one_is_refused():
    data = bmp([[0xFF] * 9] * 9, 32, (0xFF, 0xFF00, 0xFF0000))
    with pytest.raises(UserError, match="truncated"):
        decode_picture(data[:-20], "x.bmp")


def test_the_resolution_is_kept(tmp_path):
    for name in ("x.bmp", "x.png", "x.jpg", "x.tif"):
        write_picture(tmp_path / name, Picture(smooth(), dpi=(300, 150)))
        assert read_picture(tmp_path / name).dpi == pytest.approx((300, 150), abs=0.1)
