import cv2
import numpy as np
import pytest

from translate.metrics.edge_f1 import edge_f1
from translate.utils.errors import UserError


def sheet(*lines: tuple[tuple[int, int], tuple[int, int]], pen: int = 1) -> np.ndarray:
    drawing = np.full((60, 80), 255, np.uint8)
    for start, end in lines:
        cv2.line(drawing, start, end, 0, pen)
    return drawing


LONG, SHORT = ((10, 20), (69, 20)), ((10, 40), (29, 40))  # 60 and 20 px


def test_a_drawing_agrees_with_itself_and_its_reflection_does_not():
    found = edge_f1(sheet(LONG, SHORT), sheet(LONG, SHORT))
    assert (found.f1, found.precision, found.recall) == (1, 1, 1)
    assert edge_f1(sheet(LONG), sheet(SHORT)).f1 == 0


def test_shares_are_counted_in_px_of_line():
    missing = edge_f1(sheet(LONG), sheet(LONG, SHORT))
    assert (missing.precision, missing.recall) == (1, 0.75)
    assert missing.f1 == pytest.approx(2 * 0.75 / 1.75)
    added = edge_f1(sheet(LONG, SHORT), sheet(LONG))
    assert (added.precision, added.recall) == (0.75, 1)


@pytest.mark.parametrize(("shift", "tolerance", "f1"), [(2, 2, 1), (3, 2, 0), (3, 3, 1), (1, 0.5, 0)])
def test_lines_may_be_off_by_the_tolerance(shift, tolerance, f1):
    moved = sheet(((10, 20 + shift), (69, 20 + shift)))
    assert edge_f1(sheet(LONG), moved, tolerance).f1 == f1


def test_distances_match_a_direct_count():
    rng = np.random.default_rng(0)
    one, other = (np.where(rng.random((30, 40)) < 0.03, 0, 255).astype(np.uint8) for _ in range(2))
    here, there = (np.argwhere(drawing == 0) for drawing in (one, other))
    away = np.sqrt(((here[:, None] - there[None]) ** 2).sum(2))
    found = edge_f1(one, other, 2)
    assert found.precision == pytest.approx((away.min(1) <= 2).mean())
    assert found.recall == pytest.approx((away.min(0) <= 2).mean())


def test_a_thick_pen_is_no_worse():
    found = edge_f1(sheet(LONG, SHORT, pen=7), sheet(LONG, SHORT))
    assert found.precision > 0.9 and found.recall > 0.9


def test_a_black_page_is_no_drawing():
    assert edge_f1(np.zeros((60, 80), np.uint8), sheet(LONG)).f1 < 0.2


def test_empty_drawings():
    assert edge_f1(sheet(), sheet()).f1 == 1
    assert edge_f1(sheet(), sheet(LONG)).f1 == edge_f1(sheet(LONG), sheet()).f1 == 0


def test_sizes_must_agree():
    with pytest.raises(UserError, match="one size"):
        edge_f1(sheet(LONG), sheet(LONG)[:50])
