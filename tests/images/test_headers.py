"""Files that are whole though odd, and files whose headers claim more than is in them."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from tests.campaigns.decoder_files import bombs
from translate.images.io import decode_picture, read_picture, upright_size
from translate.inference.video.readers import open_clip
from translate.utils.errors import UserError


def jpeg(**options):
    out = io.BytesIO()
    Image.fromarray(np.add.outer(np.arange(48), 2 * np.arange(64)).astype(np.uint8)).save(out, "JPEG", **options)
    return out.getvalue()


def inserted(data, extra):
    first = 4 + int.from_bytes(data[4:6], "big")
    return data[:first] + extra + data[first:]


WHOLE = {
    "zeros between segments": b"\0" * 9,
    "a segment that is longer than it says": b"\xff\xed\0\x06Photoshop 3.0",
    "0xFF as padding": b"\xff" * 5,
    "EXIF with zeros behind it": b"\xff\xe1\0\x0eExif\0\0II*\0\x08\0" + b"\0" * 40,
}


@pytest.mark.parametrize("what", WHOLE)
def test_a_complete_jpeg_with_padding_is_read(what, capfd):
    plain = jpeg()
    found = decode_picture(inserted(plain, WHOLE[what]), "x.jpg")
    np.testing.assert_array_equal(found.pixels, decode_picture(plain, "y.jpg").pixels)
    assert capfd.readouterr().err == ""


def test_a_thumbnails_end_is_not_that_of_the_picture():
    thumbnail = jpeg()
    torn = inserted(jpeg(progressive=True), b"\xff\xe1" + struct.pack(">H", len(thumbnail) + 2) + thumbnail)[:-200]
    with pytest.raises(UserError, match="truncated"):
        decode_picture(torn, "x.jpg")


@pytest.mark.parametrize("text", [b"tEXt", b"zTXt", b"iTXt"])
def test_a_png_with_large_text_is_read(text):
    out = io.BytesIO()
    Image.fromarray(np.arange(48 * 64, dtype=np.uint8).reshape(48, 64)).save(out, "PNG")
    data = out.getvalue()
    words = b"long " * 2**24 if text != b"tEXt" else b"long " * 2**18
    body = {b"tEXt": b"a\0" + words, b"zTXt": b"a\0\0", b"iTXt": b"a\0\1\0\0\0"}[text]
    body += zlib.compress(words) if text != b"tEXt" else b""
    chunk = struct.pack(">I", len(body)) + text + body + struct.pack(">I", zlib.crc32(text + body))
    found = decode_picture(data[:33] + chunk + data[33:], "x.png")
    np.testing.assert_array_equal(found.pixels, decode_picture(data, "y.png").pixels)


@pytest.mark.parametrize("name", [name for name, _ in bombs()])
def test_a_tiny_file_of_a_huge_picture_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes(dict(bombs())[name])
    with pytest.raises(UserError, match=r"over the limit|cannot be in|truncated"):
        read_picture(tmp_path / name)


def test_a_huge_gif_is_not_opened_as_a_film_nor_for_its_size(tmp_path, monkeypatch):
    path = tmp_path / "x.gif"
    path.write_bytes(dict(bombs())["16000.gif"])
    monkeypatch.setattr(Image, "open", lambda *_, **__: pytest.fail("it was opened"))
    with pytest.raises(UserError, match="cannot be read as a GIF"):
        open_clip(path)
    assert upright_size(path) == (16000, 16000)


def test_where_one_decoder_refuses_the_next_is_asked(monkeypatch):
    pytest.importorskip("pyvips")
    out = io.BytesIO()
    Image.fromarray(np.full((40, 50, 4), 200, np.uint8)).save(out, "AVIF", quality=100)
    expected = decode_picture(out.getvalue(), "x.avif")
    monkeypatch.setattr("translate.images.decode._pillow_formats", lambda: ("PNG",))  # as if it did not know it
    found = decode_picture(out.getvalue(), "x.avif")
    assert found.alpha is not None
    assert np.abs(found.pixels.astype(int) - expected.pixels).max() <= 2


def test_an_answer_that_the_header_contradicts_is_not_taken(monkeypatch):
    monkeypatch.setattr("translate.images.decode._decode_opencv", lambda data: np.zeros((9, 9), np.uint8))
    assert decode_picture(jpeg(), "x.jpg").pixels.shape == (48, 64, 3)
