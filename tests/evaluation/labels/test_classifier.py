import numpy as np
import pytest
import torch

from translate.evaluation.labels.classifier import train_classifier, train_factor_classifier
from translate.utils.errors import UserError

WORDS = {"shape": ("bar", "disc", "ring"), "colour": ("blue", "red")}


def shapes(count, seed, size=20):
    """A disc, a ring or a bar somewhere, red or blue, in noise: pictures and both kinds of labels."""
    rng = np.random.default_rng(seed)
    pictures = rng.integers(0, 60, (count, size, size, 3), np.uint8)
    y, x = np.mgrid[:size, :size]
    kinds, colours = rng.integers(0, 3, count), rng.integers(0, 2, count)
    for i in range(count):
        cy, cx = rng.uniform(0.35, 0.65, 2) * size
        away = np.hypot(y - cy, x - cx)
        inside = (np.abs(y - cy) < size * 0.08, away < size * 0.25, np.abs(away - size * 0.22) < size * 0.06)[kinds[i]]
        pictures[i][inside] = ((30, 40, 220), (220, 40, 30))[colours[i]]
    return pictures, kinds, colours


def words_of(kinds, colours):
    return {"shape": [WORDS["shape"][i] for i in kinds], "colour": [WORDS["colour"][i] for i in colours]}


@pytest.fixture(scope="module")
def judge():
    pictures, kinds, _ = shapes(240, 0)
    return train_classifier(pictures, kinds, classes=3, epochs=12)


def test_it_learns_what_it_is_shown(judge):
    pictures, kinds, _ = shapes(150, 1)
    assert judge.accuracy(pictures, kinds) > 0.95
    labels, sure = judge.predict(pictures)
    assert labels.dtype == np.int64 and sure.shape == (150,) and sure.min() >= 1 / 3 and sure.max() <= 1
    found = np.mean(judge.predict(np.random.default_rng(0).permutation(pictures))[0] == kinds)
    assert found < 0.6  # the pictures decide


def test_the_seed_and_nothing_else_decides():
    pictures, kinds, _ = shapes(40, 0)
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    first = train_classifier(pictures, kinds, classes=3, seed=5, epochs=2).predict(pictures)[1]
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.manual_seed(2)
    np.testing.assert_array_equal(
        train_classifier(pictures, kinds, classes=3, seed=5, epochs=2).predict(pictures)[1], first
    )
    other = train_classifier(pictures, kinds, classes=3, seed=6, epochs=2).predict(pictures)[1]
    assert not np.array_equal(other, first)


def test_pictures_of_another_size_or_gray_are_taken(judge):
    large, kinds, _ = shapes(90, 3, size=96)
    assert judge.accuracy(large, kinds) > 0.8
    gray = train_classifier(large[..., :1] // 2 + large[..., 2:] // 2, kinds, classes=3, epochs=1)
    assert gray.predict(large)[0].shape == (90,)
    assert judge.predict(large[..., :1])[0].shape == (90,)
    assert [len(each) for each in judge.predict(large[:0])] == [0, 0]


def test_pictures_without_a_label_are_left_out():
    pictures, kinds, _ = shapes(60, 0)
    some = np.where(np.arange(60) < 30, kinds, -1)
    known = train_classifier(pictures[:30], kinds[:30], classes=3, epochs=2).predict(pictures)[1]
    np.testing.assert_array_equal(train_classifier(pictures, some, classes=3, epochs=2).predict(pictures)[1], known)


@pytest.mark.parametrize("labels", [[-1] * 6, [2] * 6, []])
def test_one_class_is_nothing_to_tell_apart(labels):
    with pytest.raises(UserError, match="needs pictures of 2 classes, not"):
        train_classifier(np.zeros((len(labels), 8, 8, 1), np.uint8), np.array(labels), classes=3)


def test_factors_are_named_together():
    pictures, *known = shapes(240, 0)
    judge = train_factor_classifier(pictures, words_of(*known), epochs=14)
    assert judge.words == WORDS
    fresh, *truth = shapes(120, 1)
    accuracy = judge.accuracy(fresh, words_of(*truth))
    assert accuracy["colour"] > 0.97 and accuracy["shape"] > 0.9
    named = judge.predict(fresh)
    assert set(named["shape"]) == set(WORDS["shape"]) and len(named["colour"]) == 120
    assert judge.predict(fresh[:0]) == {"shape": [], "colour": []}


@pytest.mark.parametrize(("count", "factors"), [(0, {"shape": []}), (3, {})])
def test_factors_need_pictures_and_words(count, factors):
    with pytest.raises(UserError, match="needs pictures and at least one factor"):
        train_factor_classifier(np.zeros((count, 8, 8, 3), np.uint8), factors)
