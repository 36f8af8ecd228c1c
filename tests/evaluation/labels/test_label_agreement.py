import numpy as np
import pytest

from tests.evaluation.labels.test_classifier import shapes, words_of
from translate.evaluation.labels.label_agreement import (
    Labelled,
    score_factors,
    score_labels,
    shares_of,
    total_variation,
)

SIZE, EPOCHS = 20, 14
NAMES = ("bar", "disc", "ring")


@pytest.fixture(scope="module")
def real():
    return [shapes(count, seed, SIZE) for count, seed in ((240, 0), (120, 1))]


def test_agreement_is_that_of_what_samples_show_with_what_was_asked(real):
    train, held_out = (Labelled(pictures, kinds) for pictures, kinds, _ in real)
    pictures, kinds, _ = shapes(150, 2, SIZE)
    asked = kinds.copy()
    asked[(kinds == 0) & (np.arange(150) % 2 == 0)] = 1  # some bars come where discs were asked for
    scores = score_labels(Labelled(pictures, asked), train, held_out, NAMES, epochs=EPOCHS)
    assert scores.accuracy > 0.95 and (scores.judged_on, scores.trained_on) == (120, 240)
    assert scores.agreement == pytest.approx(np.mean(asked == kinds), abs=0.05)
    rows = {row.name: row for row in scores.classes}
    assert list(rows) == list(NAMES) and sum(row.count for row in scores.classes) == 150
    assert rows["disc"].agreement == pytest.approx(np.mean(kinds[asked == 1] == 1), abs=0.08)
    assert rows["disc"].mistaken == "bar"
    assert rows["ring"].variety == pytest.approx(1, abs=0.1)


def test_a_class_that_is_always_the_same_picture_has_no_variety(real):
    train, held_out = (Labelled(pictures, kinds) for pictures, kinds, _ in real)
    one = np.repeat(train.of(2)[:1], 20, axis=0)
    scores = score_labels(Labelled(one, np.full(20, 2)), train, held_out, NAMES, epochs=EPOCHS)
    (row,) = scores.classes
    assert (row.name, row.variety, row.agreement, row.mistaken) == ("ring", 0, 1, "")


def test_unlabelled_pictures_are_no_part_of_the_classifiers_accuracy(real):
    (pictures, kinds, _), (fresh, truth, _) = real
    held_out = Labelled(fresh, np.where(np.arange(120) < 100, truth, -1))
    scores = score_labels(held_out, Labelled(pictures, kinds), held_out, NAMES, epochs=EPOCHS)
    assert scores.judged_on == 100 and scores.accuracy > 0.95


def test_shares_of_factors_are_compared_with_the_real_ones(real):
    (pictures, *known), (fresh, *truth) = real
    red = pictures[np.array(known[1]) == 1]
    rows = {
        row.name: row for row in score_factors(red, pictures, words_of(*known), fresh, words_of(*truth), epochs=EPOCHS)
    }
    real_red = np.mean(known[1])
    assert rows["colour"].away == pytest.approx(1 - real_red, abs=0.02)
    assert rows["colour"].shares["red"] > 0.98 and rows["colour"].shares_real["red"] == pytest.approx(real_red)
    assert rows["colour"].away_real < 0.15 > rows["shape"].away
    assert rows["colour"].accuracy > 0.95
    assert rows["colour"].worst() in (f"{word}: {a:.0%}, should be {b:.0%}" for word, a, b in (
        ("red", rows["colour"].shares["red"], real_red), ("blue", rows["colour"].shares["blue"], 1 - real_red),
    ))  # fmt: skip


def test_total_variation_by_hand():
    one, other = shares_of(["a", "a", "b", "c"], "abc"), shares_of(["a", "b", "b", "b"], "abc")
    assert one == {"a": 0.5, "b": 0.25, "c": 0.25}
    assert total_variation(one, other) == 0.5
    assert total_variation(shares_of(["a"], "ab"), shares_of(["b"], "ab")) == 1
