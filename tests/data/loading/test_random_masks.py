import time

import cv2
import numpy as np
import pytest

from translate.data.loading.random_masks import (
    BANDS,
    DEFAULT_KINDS,
    KINDS,
    check_mask_options,
    draw_mask,
    evaluation_mask,
)
from translate.utils.errors import OptionError

SHARED = [kind for kind in KINDS if kind != "centre"]


def rng(*words):
    return np.random.default_rng(words)


@pytest.mark.parametrize("kind", SHARED)
@pytest.mark.parametrize(("height", "width"), [(64, 64), (48, 130), (200, 256)])
def test_each_kind_covers_the_requested_share(kind, height, width):
    for share in (0.05, 0.25, 0.6):
        areas = []
        for seed in range(8):
            mask = KINDS[kind](height, width, rng(seed), share)
            assert mask.dtype == bool and mask.shape == (height, width)
            areas.append(mask.mean())
        assert np.abs(np.array(areas) / share - 1).max() < 0.35
        assert abs(np.mean(areas) / share - 1) < 0.1


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_depends_on_the_generator_alone(kind):
    first, again = (KINDS[kind](64, 80, rng(3), 0.2) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    distinct = {KINDS[kind](64, 80, rng(seed), 0.2).tobytes() for seed in range(10)}
    assert (len(distinct) == 1) if kind == "centre" else (len(distinct) >= 8)  # upright halves are but four


def widths(mask):
    """The width of the widest place, px."""
    inside = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 5)
    return 2 * inside.max()


def pieces(mask):
    return cv2.connectedComponents(mask.astype(np.uint8))[0] - 1


def test_each_kind_has_its_shape():
    drawn = {kind: [KINDS[kind](256, 256, rng(seed), 0.1) for seed in range(12)] for kind in KINDS}
    assert all(widths(mask) > 0.04 * 256 for mask in drawn["strokes"])
    assert all(widths(mask) < 12 for mask in drawn["scratches"])  # several may cross at a point
    assert all(pieces(mask) > 100 for mask in drawn["salt"])
    assert all(pieces(mask) <= 12 for kind in ("strokes", "boxes", "blobs") for mask in drawn[kind])
    for mask in drawn["boxes"]:  # as many rows alike as columns say: all corners are right angles
        assert len({row.tobytes() for row in mask}) <= 1 + 2 * 12
    assert any(pieces(mask) == 1 for mask in drawn["blobs"])
    for mask in drawn["halves"]:
        assert pieces(mask) == 1 and pieces(~mask) == 1
        outline, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        assert cv2.contourArea(cv2.convexHull(outline[0])) < 1.05 * cv2.contourArea(outline[0])
    tops = {(mask[0].all(), mask[-1].all(), mask[:, 0].all(), mask[:, -1].all()) for mask in drawn["halves"]}
    assert len(tops) >= 3


def test_strokes_are_wider_in_larger_holes_and_scratches_in_larger_pictures():
    wide = [np.mean([widths(KINDS["strokes"](128, 128, rng(s), share)) for s in range(15)]) for share in (0.03, 0.3)]
    assert 1.8 * wide[0] < wide[1]
    thin = [np.median([widths(KINDS["scratches"](n, n, rng(s), 0.01)) for s in range(15)]) for n in (256, 1024)]
    assert 2 * thin[0] < thin[1]


def test_the_centre_is_half_of_each_side():
    mask = KINDS["centre"](128, 64, rng(0), 0.9)
    expected = np.zeros((128, 64), bool)
    expected[32:96, 16:48] = True
    np.testing.assert_array_equal(mask, expected)
    np.testing.assert_array_equal(draw_mask(128, 64, rng(1), kinds=("centre",), low=0.4, high=0.5), expected)


@pytest.mark.parametrize(("low", "high"), [(0.02, 0.6), (0.4, 0.42), (0.0, 1.0), (0.9, 0.99)])
def test_a_drawn_mask_has_an_area_between_the_limits(low, high):
    masks = [draw_mask(48, 64, rng(seed), low=low, high=high) for seed in range(60)]
    areas = np.array([mask.mean() for mask in masks])
    assert ((areas >= low) & (areas <= high)).all()
    assert all(mask.any() and not mask.all() for mask in masks)
    assert np.ptp(areas) > 0.5 * (high - low)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(1, 2), (2, 1), (3, 3), (8, 8), (1, 300), (5, 200)])
def test_masks_of_tiny_and_narrow_pictures_are_neither_empty_nor_full(kind, shape):
    for seed in range(5):
        mask = draw_mask(*shape, rng(seed), kinds=(kind,), low=0.05, high=0.2)
        assert mask.shape == shape and mask.any() and not mask.all()


def test_kinds_are_drawn_as_often_as_they_are_named():
    usual = {kind: DEFAULT_KINDS.count(kind) for kind in KINDS}
    assert usual["strokes"] == max(usual.values()) and usual["centre"] == 0
    assert usual["strokes"] + usual["boxes"] + usual["blobs"] > 4 * (usual["halves"] + usual["salt"])
    both = [draw_mask(32, 32, rng(seed), kinds=("centre", "centre", "salt")) for seed in range(90)]
    assert 45 < sum(pieces(mask) == 1 for mask in both) < 75
    assert draw_mask(32, 32, rng(0), kinds=()).any()


def test_thin_kinds_stay_thin_unless_the_range_excludes_it():
    assert max(draw_mask(64, 64, rng(seed), kinds=("scratches",)).mean() for seed in range(20)) <= 0.11
    assert min(draw_mask(64, 64, rng(s), kinds=("scratches",), low=0.3, high=0.5).mean() for s in range(5)) >= 0.3
    assert min(draw_mask(64, 64, rng(seed), kinds=("halves",)).mean() for seed in range(20)) >= 0.29


def test_a_mask_costs_a_millisecond_or_two():
    took = []
    for seed in range(60):
        began = time.perf_counter()
        draw_mask(256, 256, rng(seed % 20))
        took.append(time.perf_counter() - began)
    assert np.median(took) < 0.005  # a busy or an old machine takes several times as long


@pytest.mark.parametrize("band", range(3))
def test_evaluation_masks_lie_in_their_band_and_never_change(band):
    low, high = BANDS[band]
    for shape in ((64, 64), (40, 72)):
        masks = [evaluation_mask(*shape, band, index) for index in range(40)]
        areas = np.array([mask.mean() for mask in masks])
        assert ((areas >= low) & (areas <= high)).all()
        assert np.ptp(areas) > 0.6 * (high - low)
        assert len({mask.tobytes() for mask in masks}) == 40
        np.testing.assert_array_equal(masks[7], evaluation_mask(*shape, band, 7, 0))
        assert (masks[7] != evaluation_mask(*shape, band, 7, seed=1)).any()


def test_the_bands_match_the_literature():
    assert BANDS == ((0.01, 0.2), (0.2, 0.4), (0.4, 0.6))


@pytest.mark.parametrize(
    ("kinds", "low", "high", "message"),
    [
        (("stroke",), 0.1, 0.2, "--mask-kinds: unknown kind 'stroke'; did you mean 'strokes'"),
        ((), 0.3, 0.3, "--mask-low 0.3 and --mask-high 0.3 should"),
        ((), -0.1, 0.3, "between 0 and 1"),
        ((), 0.1, 1.3, "between 0 and 1"),
    ],
)
def test_impossible_mask_options_are_refused(kinds, low, high, message):
    with pytest.raises(OptionError, match=message):
        check_mask_options(kinds, low, high)
    check_mask_options(("boxes", "centre"), 0.0, 1.0)
