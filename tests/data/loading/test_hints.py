import time

import cv2
import numpy as np

from tests.conftest import picture
from translate.data.loading.hints import sample_hints


def draw(photo, seed, **options):
    return sample_hints(photo, np.random.default_rng(seed), **options)


def test_a_fifth_of_the_samples_has_no_hints():
    photo = picture(0, 128, 160, sigma=20)
    hints = [draw(photo, seed) for seed in range(400)]
    assert all(hint.shape == (128, 160, 4) and hint.dtype == np.uint8 for hint in hints)
    empty = sum(not hint.any() for hint in hints)
    assert 55 < empty < 110
    assert not any(draw(photo, seed, absent=1).any() for seed in range(5))
    drawn = [draw(photo, seed, absent=0) for seed in range(100)]
    assert all(set(np.unique(hint[..., 3])) <= {0, 255} for hint in drawn)
    assert all(not hint[hint[..., 3] == 0].any() for hint in drawn)
    counts = [cv2.connectedComponents((hint[..., 3] > 0).astype(np.uint8))[0] - 1 for hint in drawn]
    assert min(counts) >= 1
    assert max(counts) > 8
    assert 2 <= np.median(counts) <= 8  # users draw few
    assert 0.002 < np.mean([(hint[..., 3] > 0).mean() for hint in drawn]) < 0.05


def test_strokes_have_the_colour_of_the_photo_below_and_end_where_it_changes():
    photo = np.zeros((128, 128, 3), np.uint8)
    photo[:, :64], photo[:, 64:] = (200, 30, 40), (20, 60, 180)
    for seed in range(60):
        hint = draw(photo, seed, absent=0)
        rows, columns = np.nonzero(hint[..., 3])
        gap = np.abs(hint[rows, columns, :3].astype(int) - photo[rows, columns]).max(1)
        assert (gap[np.abs(columns - 64) > 4] <= 1).all()  # within half a stroke's width of the border


def test_few_strokes_start_on_white_paper():
    photo = np.full((128, 128, 3), 255, np.uint8)
    photo[40:90, 40:90] = (160, 40, 40)
    on_paper = on_thing = 0
    for seed in range(200):
        hint = draw(photo, seed, absent=0)
        drawn = hint[hint[..., 3] > 0]
        on_paper += (drawn[:, 0] > 235).sum()
        on_thing += (drawn[:, 0] < 200).sum()
        assert drawn.size
    assert 0 < on_paper < on_thing / 2  # the paper has 5.5 times the room


def test_strokes_depend_on_the_generator_and_scale_with_the_picture():
    photo = picture(3, 96, 96, sigma=20)
    assert np.array_equal(draw(photo, 7), draw(photo, 7))
    assert len({draw(photo, seed, absent=0).tobytes() for seed in range(20)}) == 20
    shares = []
    for side in (64, 256):
        flat = np.full((side, side, 3), 90, np.uint8)
        shares.append(np.mean([(draw(flat, seed, absent=0)[..., 3] > 0).mean() for seed in range(60)]))
    assert 0.5 < shares[0] / shares[1] < 2


def test_gray_and_tiny_photos_get_hints():
    gray = picture(2, 60, 60)[..., :1]
    hint = draw(gray, 0, absent=0)
    red, green, blue, alpha = np.moveaxis(hint, 2, 0)
    assert alpha.any() and (red == green).all() and (red == blue).all()
    assert draw(np.zeros((3, 2, 3), np.uint8), 0, absent=0).shape == (3, 2, 4)


def test_a_sample_costs_less_than_a_millisecond():
    photo = picture(0, 256, 256, sigma=20)
    took = []
    for seed in range(40):
        began = time.perf_counter()
        draw(photo, seed, absent=0)
        took.append(time.perf_counter() - began)
    assert min(took) < 0.001
