import numpy as np
import pytest

from translate.metrics.class_overlap import Overlap, count_classes


def pictures(seed, count=12, classes=4):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, (count, 9, 7)).astype(np.uint8)
    answer = np.where(rng.random(truth.shape) < 0.6, truth, rng.integers(0, classes, truth.shape)).astype(np.uint8)
    truth[rng.random(truth.shape) < 0.1] = 255
    return answer, truth


def reference(answer, truth, classes):
    """IoU and accuracy pixel by pixel, in sets."""
    known = truth != 255
    ious = []
    for k in range(classes):
        a = set(np.flatnonzero((answer == k) & known))
        t = set(np.flatnonzero((truth == k) & known))
        ious.append(len(a & t) / len(a | t) if t else np.nan)
    return ious, (answer[known] == truth[known]).mean()


@pytest.mark.parametrize("classes", [4, 6])  # two of which no truth has
def test_against_sets_of_pixels(classes):
    answer, truth = pictures(0)
    overlap = Overlap.of([count_classes(a, t, classes) for a, t in zip(answer, truth, strict=True)])
    ious, accuracy = reference(answer, truth, classes)
    np.testing.assert_allclose(overlap.ious, ious)
    assert overlap.mean_iou == pytest.approx(np.nanmean(ious))
    assert overlap.accuracy == pytest.approx(accuracy)
    np.testing.assert_allclose(overlap.shares, [(truth == k).sum() / (truth < 9).sum() for k in range(classes)])


def test_a_class_that_only_the_answer_has_lowers_those_that_it_takes():
    truth, answer = np.zeros((4, 4), np.uint8), np.zeros((4, 4), np.uint8)
    answer[0] = 1
    overlap = Overlap.of([count_classes(answer, truth, 2)])
    assert overlap.ious[0] == 0.75 and np.isnan(overlap.ious[1])
    assert (overlap.mean_iou, overlap.accuracy) == (0.75, 0.75)
    nothing = Overlap.of([count_classes(answer, np.full((4, 4), 255, np.uint8), 2)])
    assert np.isnan(nothing.mean_iou) and np.isnan(nothing.accuracy)


def test_standard_errors_are_those_of_repeated_draws():
    """Over many sets of pictures, the scores vary as much as the jackknife of one set says."""
    found, errors = [], []
    for seed in range(60):
        overlap = Overlap.of([count_classes(a, t, 4) for a, t in zip(*pictures(seed), strict=True)])
        found.append((overlap.mean_iou, overlap.accuracy))
        errors.append(overlap.errors())
    np.testing.assert_allclose(np.mean(errors, axis=0), np.std(found, axis=0), rtol=0.35)
    halves = overlap.mean_ious_of_halves(1)
    assert halves == overlap.mean_ious_of_halves(1) and np.std(halves) == pytest.approx(errors[-1][0], rel=0.5)
