import gzip

import numpy as np
import pytest

from tests.data.idx_files import write_idx, write_mnist
from translate.data.files.idx import find_test_part, is_idx, labels_beside, read_idx
from translate.utils.errors import UserError


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("kind", ["u1", "i1", "i2", "i4", "f4"])
def test_written_arrays_are_read_back(tmp_path, kind, suffix):
    array = np.random.default_rng(0).integers(-5, 100, (4, 3, 2)).astype(kind)
    found = read_idx(write_idx(tmp_path / f"x{suffix}", array))
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is no IDX file: it starts with nothing"),
        (b"\x89PNG....", "is no IDX file: it starts with 89504e47"),
        (b"\0\0\x08\x03\0\0", "is cut off in its header"),
        (b"\0\0\x08\x01\0\0\0\x05abc", "is cut off: 3 of 5 bytes are there; fetch it again"),
        (gzip.compress(b"\0\0\x08\x01\0\0\0\x05abcde", mtime=0)[:-12], "cannot be read as an IDX file"),
    ],
)
def test_damaged_files_are_reported_in_one_line(tmp_path, content, message):
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(UserError, match=message) as raised:
        read_idx(tmp_path / "x")
    assert "\n" not in str(raised.value) and str(tmp_path / "x") in str(raised.value)


def test_a_header_that_announces_too_much_is_rejected(tmp_path):
    """A packed file may unpack to anything, and a header may promise terabytes."""
    (tmp_path / "x").write_bytes(b"\0\0\x08\x02\0\0\0\x02\0\0\0\x02" + b"abcd" + b"more" * 1000)
    assert read_idx(tmp_path / "x").tobytes() == b"abcd"


def test_idx_files_are_recognised_by_name_or_first_bytes(tmp_path):
    assert is_idx(write_idx(tmp_path / "anything", np.zeros((2, 3, 3), np.uint8)))
    assert is_idx(write_idx(tmp_path / "train-images-idx3-ubyte.gz", np.zeros((2, 3, 3), np.uint8)))
    (tmp_path / "list.txt").write_text("a.png\n")
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "idx1.csv").write_text("a.png,1\n")
    (tmp_path / "train-images-idx3-ubyte").write_bytes(b"damaged")
    assert is_idx(tmp_path / "train-images-idx3-ubyte")
    assert not any(is_idx(tmp_path / name) for name in ("list.txt", "idx1.csv", "empty", "missing", "."))


@pytest.mark.parametrize(("images", "labels"), [("", ""), (".gz", ".gz"), ("", ".gz"), (".gz", "")])
def test_labels_and_test_parts_are_found_by_name(tmp_path, images, labels):
    write_mnist(tmp_path, suffix=images)
    if labels != images:
        for part in ("train", "t10k"):
            (tmp_path / f"{part}-labels-idx1-ubyte{images}").rename(tmp_path / f"{part}-labels-idx1-ubyte{labels}")
    train = tmp_path / f"train-images-idx3-ubyte{images}"
    assert labels_beside(train) == tmp_path / f"train-labels-idx1-ubyte{labels}"
    assert find_test_part(train) == tmp_path / f"t10k-images-idx3-ubyte{images}"
    assert find_test_part(tmp_path / f"t10k-images-idx3-ubyte{images}") is None


def test_other_spellings_of_names_are_accepted(tmp_path):
    for name in ("train-images.idx3-ubyte", "train-labels.idx1-ubyte", "test-images.idx3-ubyte"):
        (tmp_path / name).touch()
    train = tmp_path / "train-images.idx3-ubyte"
    assert labels_beside(train).name == "train-labels.idx1-ubyte"
    assert find_test_part(train).name == "test-images.idx3-ubyte"
    assert labels_beside(tmp_path / "test-images.idx3-ubyte") is None
    assert labels_beside(tmp_path / "digits.idx") is None
