import cv2
import numpy as np
import pytest

from translate.inference.tiling.windows import plan_windows

SIZE = 64


def patch(height, width, *boxes):
    hole = np.zeros((height, width), bool)
    for top, left, down, across in boxes:
        hole[top : top + down, left : left + across] = True
    return hole


def scratch(height, width, thickness=3):
    drawn = cv2.line(np.zeros((height, width), np.uint8), (5, 8), (width - 9, height - 4), 1, thickness)
    return drawn.astype(bool)


def salt(height, width, share=0.05):
    return np.random.default_rng(0).random((height, width)) < share


HOLES = {
    "small picture": patch(50, 70, (10, 10, 20, 20)),
    "one box": patch(300, 400, (100, 200, 20, 30)),
    "corners": patch(300, 400, (0, 0, 20, 30), (290, 390, 10, 10), (299, 0, 1, 1)),
    "scratch": scratch(300, 500),
    "salt": salt(200, 260),
    "thick": patch(400, 500, (100, 100, 200, 220)),
    "half": patch(300, 500, (0, 0, 300, 250)),
    "frame": ~patch(300, 300, (120, 120, 60, 60)),
    "strip": patch(20, 1000, (0, 300, 20, 100)),
    "column": patch(1000, 3, (0, 0, 900, 3)),
    "nearly all": ~patch(300, 400, (150, 200, 1, 1)),
    "nested": patch(
        300, 300, (20, 20, 260, 4), (20, 276, 260, 4), (20, 20, 4, 260), (276, 20, 4, 260), (150, 150, 5, 5)
    ),
}  # fmt: skip


@pytest.mark.parametrize("fixed", [0, 48, 128])
@pytest.mark.parametrize("hole", HOLES.values(), ids=HOLES)
def test_windows_fill_each_pixel_once_and_contain_known_pixels(hole, fixed):
    left, longest = hole.copy(), max(hole.shape)
    for view, own, seen in plan_windows(hole, SIZE, fixed):
        rows, columns = view
        assert 0 <= rows.start < rows.stop <= hole.shape[0] and 0 <= columns.start < columns.stop <= hole.shape[1]
        assert own.shape == left[view].shape and own.any() and (left[view] | ~own).all()
        assert not left[view].all()
        if fixed:
            assert max(seen) <= fixed and (max(seen) == fixed or min(hole.shape) < max(hole.shape))
        else:
            assert max(seen) <= max(2 * SIZE, hole.shape[0] * (seen[0] == hole.shape[0]))
        trained = fixed or SIZE
        if own.shape[0] > seen[0] and max(own.shape) < longest:  # seen smaller, and not all of the picture
            thickness = 2 * cv2.distanceTransform(own.astype(np.uint8), cv2.DIST_L2, 5).max()
            assert thickness * seen[0] / own.shape[0] <= trained / 2 + 2
        left[view][own] = False
    assert not left.any()


def test_a_small_picture_is_one_window_of_the_same_size():
    for shape in ((96, 128), (128, 96), (30, 128), (5, 7)):
        hole = patch(*shape, (1, 1, 2, 2))
        ((view, own, seen),) = plan_windows(hole, SIZE)
        assert seen == shape == hole[view].shape and (own == hole).all()
    assert len(list(plan_windows(patch(97, 100, (1, 1, 2, 2)), SIZE))) == 1
    assert next(plan_windows(patch(97, 100, (1, 1, 2, 2)), SIZE)).network_size == (64, 64)


def test_distant_holes_are_centred_in_separate_windows():
    hole = patch(300, 400, (100, 100, 10, 12), (200, 300, 6, 6), (110, 118, 4, 4))  # the last is near the first
    found = list(plan_windows(hole, SIZE))
    assert len(found) == 2
    first, second = sorted(found, key=lambda w: w.view[0].start)
    assert first.target.sum() == 136 and second.target.sum() == 36
    assert second.view == (slice(203 - 32, 203 + 32), slice(303 - 32, 303 + 32))
    assert all(window.network_size == (64, 64) for window in found)


def test_a_long_scratch_is_filled_piece_by_piece_at_full_scale():
    found = list(plan_windows(scratch(300, 500), SIZE))
    assert len(found) >= 500 // 32 and {window.network_size for window in found} == {(64, 64)}


def test_the_window_of_a_thick_hole_is_shrunk():
    ((view, own, seen),) = plan_windows(patch(600, 600, (250, 250, 100, 100)), SIZE)
    side = view[0].stop - view[0].start
    assert side == pytest.approx(64 * 100 / 32, rel=0.05) and seen == (64, 64)
    ((view, _, seen),) = plan_windows(
        patch(600, 800, (0, 0, 600, 400)), SIZE
    )  # one side is known: as hard as twice that
    assert view == (slice(0, 600), slice(0, 800)) and seen == (48, 64)


def test_a_network_of_fixed_size_gets_squares():
    assert [w.network_size for w in plan_windows(patch(50, 50, (10, 10, 5, 5)), SIZE, 128)] == [(128, 128)]
    assert [w.network_size for w in plan_windows(patch(50, 25, (10, 10, 5, 5)), SIZE, 128)] == [
        (128, 64)
    ]  # to be padded
    ((view, _, seen),) = plan_windows(patch(500, 500, (250, 250, 5, 5)), SIZE, 128)
    assert view[0].stop - view[0].start == 128 and seen == (128, 128)
