import numpy as np
import pytest
import torch
from PIL import Image

from tests.inference.tiling.test_windows import patch
from translate.images.picture import Picture, to_depth
from translate.inference.inputs.masks import find_hole, load_mask, load_mask_batch, resize_mask
from translate.utils.errors import UserError


def noise(*shape, dtype=np.uint8, seed=0):
    full = np.random.default_rng(seed).random(shape)
    return full.astype(dtype) if np.dtype(dtype).kind == "f" else (full * np.iinfo(dtype).max).astype(dtype)


def test_masks_of_any_kind(tmp_path):
    hole = patch(20, 30, (5, 6, 7, 8))
    white = hole.astype(np.uint8) * 255
    Image.fromarray(white).save(tmp_path / "mask.png")
    rgba = np.dstack((np.full((20, 30, 3), 90, np.uint8), white))
    for mask in (
        hole, white, hole.astype(np.uint8), hole.astype(np.int64), white.astype(np.uint16) * 257,
        hole.astype(np.float64), white.astype(np.int32), hole[..., None], hole[None], np.dstack([white] * 3), rgba,
        torch.from_numpy(hole), torch.from_numpy(hole).float()[None], torch.from_numpy(hole).bfloat16() * 2 - 1,
        Image.fromarray(white), Image.fromarray(white).convert("1"), Image.fromarray(white).convert("RGB"),
        Image.fromarray(white).convert("P"), Image.fromarray(rgba), tmp_path / "mask.png", str(tmp_path / "mask.png"),
    ):  # fmt: skip
        found, name = load_mask(mask)
        assert found.dtype == bool and (found == hole).all(), type(mask)
        assert name == (str(mask) if "mask.png" in str(mask) else "the mask")
    assert (
        load_mask(np.where(hole, 128, 127).astype(np.uint8))[0] == hole
    ).all()  # white is half of full scale or more


@pytest.mark.parametrize(
    "mask, message",
    [
        ([[True]], "a list is no mask; give a path, bytes, a file object, a PIL image, an array or a tensor"),
        (np.zeros((2, 3, 4, 5), bool), "an array of shape (2, 3, 4, 5) is no mask"),
        (np.zeros((0, 4), bool), "an array of shape (0, 4) is no mask"),
        (np.full((4, 4), 255.0), "the mask: its values go up to 255; give bool, floats up to 1, or integers"),
        (np.full((4, 4), np.nan), "the mask: its values go up to nan"),
        (np.array([["a"]]), "a ndarray is no mask"),
        ("nowhere.png", "nowhere.png: cannot be read as an image"),
    ],
)
def test_values_that_are_no_mask_are_refused(mask, message):
    with pytest.raises(UserError) as caught:
        load_mask(mask)
    assert message in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_pixels_that_are_not_opaque_are_the_hole(dtype):
    alpha = to_depth(np.full((9, 9), 255, np.uint8), dtype)
    alpha[3:5, 3:5] = 0
    alpha[8, 8] = alpha[0, 0] * dtype(0.9) if dtype == np.float32 else alpha[0, 0] - 1
    hole = find_hole(Picture(noise(9, 9, 3, dtype=dtype), alpha), None, "x")
    assert hole.sum() == 5 and hole[3:5, 3:5].all() and hole[8, 8]
    given = patch(9, 9, (0, 0, 2, 2))
    assert find_hole(Picture(noise(9, 9, 3, dtype=dtype), alpha), (given, "m"), "x") is given


@pytest.mark.parametrize(
    "alpha, mask, message",
    [
        (None, None, "x.png: has no hole: give a mask (--masks), or make the hole transparent"),
        (255, None, "x.png: has no hole"),
        (0, None, "x.png: is transparent everywhere: nothing is known to go by"),
        (None, np.zeros((9, 9), bool), "m.png: is empty: there is no hole to fill"),
        (None, np.ones((9, 9), bool), "m.png: covers all of the picture: nothing is known to go by"),
        (
            None,
            np.ones((8, 7), bool),
            "m.png: the mask is 7 x 8 px, the picture 9 x 9 px; make them one size, or say --resize-masks",
        ),
    ],
)
def test_empty_and_full_holes_are_refused(alpha, mask, message):
    picture = Picture(noise(9, 9, 3), None if alpha is None else np.full((9, 9), alpha, np.uint8))
    with pytest.raises(UserError) as caught:
        find_hole(picture, None if mask is None else (mask, "m.png"), "x.png")
    assert str(caught.value).startswith(message)


def test_masks_are_resized_without_interpolation():
    hole = patch(10, 10, (2, 3, 4, 5))
    assert resize_mask(hole, (10, 10)) is hole
    assert (resize_mask(hole, (20, 30)) == np.kron(hole, np.ones((2, 3), bool))).all()


def test_holes_of_a_batch():
    x = torch.zeros(2, 3, 8, 9)
    hole = patch(8, 9, (2, 2, 3, 3))
    both = torch.from_numpy(np.stack([hole, hole[::-1]])[:, None].copy())
    for mask in (hole, torch.from_numpy(hole)[None], hole[None, None]):
        found = load_mask_batch(mask, x)
        assert found.shape == (2, 1, 8, 9) and found.dtype == torch.bool and (found[1, 0].numpy() == hole).all()
    assert (load_mask_batch(both, x) == both).all() and (load_mask_batch(both.float() * 2 - 1, x) == both).all()
    for mask, message in (
        (None, "the tensor: has no hole: give a mask"),
        (hole[:4], "does not fit a tensor of shape"),
        (torch.zeros(3, 1, 8, 9), "does not fit"),
        (torch.cat([both[:1], torch.zeros_like(both[:1])]), "is empty"),
        (torch.ones(8, 9), "covers all"),
    ):
        with pytest.raises(UserError, match=message):
            load_mask_batch(mask, x)
