from pathlib import Path

import numpy as np
import pytest

from tests.conftest import picture
from translate.data.sources.labelled_image import UNLABELLED, LabelledRow
from translate.inference.latent.neighbours import COPY_DISTANCE, TrainingImageIndex, square_crop
from translate.metrics.dct_features import DctFeatures
from translate.utils.errors import UserError


class Unreadable:
    name, label, file = "bad.png", UNLABELLED, Path("bad.png")

    def read(self):
        raise UserError("bad.png: cannot be read")


def source(seed, name=""):
    return LabelledRow(name or f"{seed}.png", UNLABELLED, Path("rows"), picture(seed, 32, 32))


@pytest.fixture(scope="module")
def bank():
    return TrainingImageIndex([source(0), Unreadable(), *map(source, range(1, 40))], 32)


def test_copies_are_found_even_as_mirror_images(bank):
    assert len(bank.sources) == 40
    copies = np.stack([picture(7, 32, 32), picture(11, 32, 32)[:, ::-1], np.clip(picture(3, 32, 32) + 4.0, 0, 255)])
    found = bank.nearest(copies.astype(np.uint8), 3)
    assert [names[0] for names in found.names] == ["7.png", "11.png", "3.png"]
    assert (found.distances[:2, 0] < 0.05).all() and found.distances[2, 0] < COPY_DISTANCE
    assert (np.diff(found.distances) >= 0).all() and (found.distances[:, 1:] > COPY_DISTANCE).all()
    np.testing.assert_array_equal(found.pictures[0, 0], picture(7, 32, 32))
    assert found.pictures.shape == (3, 3, 32, 32, 3)


def test_new_pictures_are_as_distant_as_training_neighbours(bank):
    fresh = np.stack([picture(seed, 32, 32) for seed in range(100, 130)])
    assert np.median(bank.nearest(fresh, 1).distances) == pytest.approx(1, abs=0.1)


def test_distances_match_a_plain_computation(bank):
    """Both kinds, each over its usual value, in the plainest numpy."""
    pictures = np.stack([picture(seed, 32, 32) for seed in range(40)])
    small = pictures.reshape(40, 16, 2, 16, 2, 3).mean((2, 4)).reshape(40, -1) / 127.5
    import torch

    dct = DctFeatures()(torch.from_numpy(pictures.transpose(0, 3, 1, 2).copy())).numpy()
    total = 0
    for features in (small, dct):
        apart = np.linalg.norm(features[:, None] - features[None], axis=2)
        total = total + (apart / np.median(np.sort(apart, axis=1)[:, 1])) ** 2
    expected = np.sqrt(total / 2)
    unit = np.median(np.sort(expected, axis=1)[:, 1])
    found = bank.nearest(pictures[:1], 40)
    order = [int(name.split(".")[0]) for name in found.names[0]]
    plain = expected[0, order] / unit
    assert (found.distances[0] <= plain + 0.02).all()  # the mirror image may be nearer
    assert np.isclose(found.distances[0], plain, atol=0.02).sum() >= 10


def test_pictures_are_cropped_as_in_training():
    wide = picture(1, 40, 80)
    np.testing.assert_array_equal(square_crop(wide, 40), wide[:, 20:60])
    assert square_crop(wide, 16).shape == (16, 16, 3)
    bank = TrainingImageIndex([LabelledRow("wide", -1, Path("x"), wide), source(2)], 40)
    assert bank.nearest(wide[None, :, 20:60], 1).names == [["wide"]]


def test_equal_training_pictures_cause_no_division_by_zero():
    bank = TrainingImageIndex([source(1, "a"), source(1, "b")], 32)
    assert np.isfinite(bank.nearest(picture(2, 32, 32)[None], 2).distances).all()


def test_progress_is_reported():
    told = []
    TrainingImageIndex([source(seed) for seed in range(300)], 32, told.append)
    assert len(told) == 2 and told[0] == pytest.approx(256 / 300) and told[-1] == 1


def test_mistakes(bank):
    with pytest.raises(UserError, match="--nearest 41 is out of range; there are 40 training pictures"):
        bank.nearest(picture(1, 32, 32)[None], 41)
    with pytest.raises(UserError, match="1 training pictures can be read; comparing takes 2 or more"):
        TrainingImageIndex([source(1), Unreadable()], 32)
