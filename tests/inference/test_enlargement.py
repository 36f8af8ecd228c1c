"""Exact means of enlarged pictures, and what of a picture follows its scale."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import picture
from translate.images.formats.tiff_tags import Tag, scale_tags
from translate.images.picture import FULL_SCALE, Picture
from translate.inference.enlargement import enlarge_plane, enlarged, match_means


def means(pixels, scale):
    height, width = (side // scale for side in pixels.shape[:2])
    return pixels.reshape(height, scale, width, scale, -1).astype(np.float64).mean((1, 3))


@settings(max_examples=60, deadline=None)
@given(
    scale=st.sampled_from((2, 3, 4)),
    deep=st.booleans(),
    size=st.tuples(st.integers(1, 90), st.integers(1, 40)),
    channels=st.sampled_from((1, 3)),
    extremes=st.sampled_from(("", "source", "pixels", "both", "inverse")),
    seed=st.integers(0, 2**32 - 1),
)
def test_means_are_the_source_to_the_last_bit_however_they_are_rounded(scale, deep, size, channels, extremes, seed):
    rng, dtype = np.random.default_rng(seed), np.uint16 if deep else np.uint8
    white = FULL_SCALE[np.dtype(dtype)]
    source = rng.integers(0, white + 1, (*size, channels)).astype(dtype)
    pixels = rng.integers(0, white + 1, (scale * size[0], scale * size[1], channels)).astype(dtype)
    if extremes in ("source", "both"):
        source = rng.choice(np.array([0, 1, white - 1, white], dtype), source.shape)
    if extremes in ("pixels", "both"):
        pixels = rng.choice(np.array([0, white], dtype), pixels.shape)
    if extremes == "inverse":
        pixels = (white - source).repeat(scale, 0).repeat(scale, 1)
    result = match_means(pixels, source)
    found = means(result, scale)
    assert result.dtype == dtype and result.shape == pixels.shape
    for rounded in (np.rint(found), np.floor(found + 0.5), np.ceil(found - 0.5)):
        assert np.array_equal(rounded, source)
    # what is right already stays
    near = np.abs(means(pixels, scale) - source) < 0.5
    kept = near.repeat(scale, 0).repeat(scale, 1)
    assert np.array_equal(result[kept], pixels[kept])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_the_nearest_picture_adds_the_same_to_all_pixels(dtype):
    """Where there is room, the projection shifts a block as a whole, which keeps its detail."""
    white = FULL_SCALE[np.dtype(dtype)]
    block = np.array([[10, 20], [30, 40]], dtype)[..., None] + white // 3
    for shift in (-7, 9):
        source = np.full((1, 1, 1), int(block.mean()) + shift, dtype)
        moved = match_means(block, source).astype(int) - block
        assert np.ptp(moved) <= 1 and abs(moved.mean() - shift) < 0.5
    least = match_means(block, np.full((1, 1, 1), white, dtype))  # of the blocks whose mean is white when rounded
    assert sorted(white - least.ravel().astype(int)) == [0, 0, 0, 1]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_a_plane_equals_its_parts(dtype, scale):
    plane = picture(0, 40, 50)[..., 0]
    plane = (
        (plane / np.float32(255)) if dtype == np.float32 else plane.astype(dtype) * (257 if dtype == np.uint16 else 1)
    )
    whole = enlarge_plane(plane, scale)
    part = enlarge_plane(plane[8:24, 3:35], scale, margin=2)
    assert whole.dtype == dtype and whole.shape == (40 * scale, 50 * scale)
    np.testing.assert_array_equal(part, whole[10 * scale : 22 * scale, 5 * scale : 33 * scale])
    theirs = cv2.resize(plane, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)  # a sharper cubic
    assert np.abs(whole.astype(float) - theirs).mean() < 0.02 * FULL_SCALE[np.dtype(dtype)]


def test_a_picture_keeps_what_it_is_at_its_new_scale():
    gray, opacity = picture(0, 6, 8)[..., :1].repeat(3, axis=2), np.full((6, 8), 200, np.uint8)
    like = Picture(gray, opacity, gray=True, dpi=(300, 150), icc=b"x", indices=np.zeros((6, 8), np.uint8))
    result = enlarged(picture(1, 18, 24), like, consistent=True)
    assert result.pixels.shape == (18, 24, 3) and result.gray and (result.pixels == result.pixels[..., :1]).all()
    assert (result.alpha == 200).all() and result.dpi == (900, 450) and result.icc == b"x" and result.indices is None
    assert np.array_equal(np.rint(means(result.pixels, 3)), like.pixels)


def test_alpha_is_exact_as_well():
    rng = np.random.default_rng(0)
    like = Picture(picture(0, 9, 11), rng.choice(np.array([0, 3, 255], np.uint8), (9, 11)))
    result = enlarged(picture(1, 36, 44), like, consistent=True)
    assert np.array_equal(np.rint(means(result.alpha[..., None], 4))[..., 0], like.alpha)


SCALE_TAG, POINT_TAG = Tag(33550, 12, 3, (10.0, 8.0, 0.0)), Tag(33922, 12, 6, (2.0, 3.0, 0.0, 5e5, 5.4e6, 7.0))
AREA_KEYS = Tag(34735, 3, 8, (1, 1, 0, 1, 1025, 0, 1, 1))
POINT_KEYS = Tag(34735, 3, 12, (1, 1, 0, 2, 1024, 0, 1, 1, 1025, 0, 1, 2))
MATRIX_TAG = Tag(34264, 12, 16, (10.0, 1.0, 0, 5e5, 2.0, -8.0, 0, 5.4e6, 0, 0, 0, 0, 0, 0, 0, 1.0))


def ground(tags, i, j):
    """The place on the ground of column i and row j."""
    by_code = {tag.code: tag.value for tag in tags}
    if 34264 in by_code:
        matrix = np.array(by_code[34264]).reshape(4, 4)
        return (matrix @ (i, j, 0, 1))[:2]
    (x, y, _), (a, b, _, e, n, _) = by_code[33550], by_code[33922]
    return np.array([e + (i - a) * x, n - (j - b) * y])


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("keys", [AREA_KEYS, POINT_KEYS])
@pytest.mark.parametrize("georeference", [(SCALE_TAG, POINT_TAG), (MATRIX_TAG,)])
def test_every_corner_of_a_pixel_stays_where_it_was_on_the_ground(scale, keys, georeference):
    tags = (*georeference, keys, Tag(270, 2, 5, b"text"))
    new, half = scale_tags(tags, scale), 0.5 if keys is POINT_KEYS else 0.0  # where a corner is, from what is counted
    for column, row in ((0, 0), (5, 0), (3, 7)):
        before = ground(tags, column - half, row - half)
        after = ground(new, scale * column - half, scale * row - half)
        np.testing.assert_allclose(after, before, rtol=1e-12)
    assert new[-1] == tags[-1] and len(new) == len(tags)
