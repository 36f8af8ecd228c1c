import numpy as np
import pytest

from translate.images.io import read_picture, write_picture
from translate.utils.errors import UserError

RNG = np.random.default_rng(0)


def saved(path, array, **options):
    np.save(path, array, **options)
    return path


@pytest.mark.parametrize("shape", [(20, 30), (20, 30, 1), (20, 30, 2), (20, 30, 3), (20, 30, 4), (20, 30, 7)])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "int32", "float16", "float32"])
def test_the_identity_is_exact(tmp_path, shape, dtype):
    array = RNG.random(shape).astype(dtype) if dtype[0] == "f" else RNG.integers(0, 255, shape).astype(dtype)
    picture = read_picture(saved(tmp_path / "x.npy", array))
    assert picture.alpha is None and picture.channels == (1 if len(shape) == 2 else shape[2])
    write_picture(tmp_path / "y.npy", picture)
    back = np.load(tmp_path / "y.npy")
    assert back.dtype == array.dtype and back.shape == array.shape
    np.testing.assert_array_equal(back, array)


@pytest.mark.parametrize("dtype", ["int16", "int32", "uint16", "float32", "float64"])
def test_a_value_range_there_and_back(tmp_path, dtype):
    array = RNG.integers(-1000 if dtype[0] != "u" else 0, 3001, (20, 30, 5)).astype(dtype)
    picture = read_picture(saved(tmp_path / "x.npy", array), (-1000, 3000))
    np.testing.assert_allclose(picture.pixels, (array.astype("f8") + 1000) / 4000, atol=1e-6)
    write_picture(tmp_path / "y.npy", picture)
    back = np.load(tmp_path / "y.npy")
    assert back.dtype == array.dtype
    np.testing.assert_allclose(back, array, atol=0 if dtype[0] != "f" else 1e-3)


def test_values_beyond_the_range_are_clipped_and_bytes_are_left_alone(tmp_path):
    picture = read_picture(saved(tmp_path / "x.npy", np.array([[-5.0, 0, 50, 100, 300]])), (0, 100))
    np.testing.assert_allclose(picture.pixels[0, :, 0], [0, 0, 0.5, 1, 1])
    picture = read_picture(saved(tmp_path / "y.npy", np.full((3, 3), 200, np.uint8)), (0, 100))
    assert picture.pixels.dtype == np.uint8 and (picture.pixels == 200).all()


def test_fortran_and_byte_order(tmp_path):
    array = np.asfortranarray(RNG.random((20, 30, 5)).astype("f4"))
    np.testing.assert_array_equal(read_picture(saved(tmp_path / "x.npy", array)).pixels, array)
    write_picture(tmp_path / "z.npy", read_picture(saved(tmp_path / "y.npy", array.astype(">f4"))))
    assert np.load(tmp_path / "z.npy").dtype == np.dtype(">f4")


@pytest.mark.parametrize(
    "array, message",
    [
        (np.array([{"a": 1}], object), "pickled objects, which are not loaded"),
        (np.zeros(30), r"its shape \(30,\) is none of a picture"),
        (np.zeros((2, 3, 4, 5)), r"its shape \(2, 3, 4, 5\) is none of a picture"),
        (np.zeros((0, 4, 3)), "is none of a picture"),
        (np.zeros((5, 64, 64)), r"\(5, 64, 64\) has the channels first; save them last, with np.moveaxis"),
        (np.zeros((8, 8), complex), "of type complex128"),
        (np.zeros((8, 8), bool), "of type bool"),
        (np.full((8, 8), np.inf), "NaN or infinite"),
        (np.full((8, 8), -3), "its values run from -3 to -3"),
    ],
)
def test_what_is_no_picture_is_one_line(tmp_path, array, message):
    with pytest.raises(UserError, match=f"x.npy: cannot be read as an image .*{message}") as caught:
        read_picture(saved(tmp_path / "x.npy", array))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("size", [7, 40, 200, 1000])
def test_a_truncated_file(tmp_path, size):
    path = saved(tmp_path / "x.npy", np.zeros((20, 30)))
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(UserError, match=r"x\.npy: cannot be read as an image"):
        read_picture(path)


def test_a_header_that_promises_more_than_there_is(tmp_path):
    path = saved(tmp_path / "x.npy", np.zeros((20, 30)))
    path.write_bytes(
        path.read_bytes().replace(b"'shape': (20, 30), }             ", b"'shape': (2000000, 3000000), }   ")
    )
    with pytest.raises(UserError, match="truncated|cannot be read"):
        read_picture(path)


def test_a_value_range_is_two_numbers():
    from translate.images.picture import parse_range
    from translate.utils.errors import OptionError

    assert parse_range("-1000,3000") == (-1000, 3000) and parse_range("") is None
    for words in ("3", "1,1", "2,1", "a,b", "0,nan", "1,2,3"):
        with pytest.raises(OptionError, match="--value-range .* should be two numbers"):
            parse_range(words)
