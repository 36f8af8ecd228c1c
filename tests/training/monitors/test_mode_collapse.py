import numpy as np
import pytest
import torch

from translate.training.monitors.mode_collapse import CollapseMonitor


@pytest.fixture
def pictures():
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (300, 4, 4, 3), np.uint8)
    return coarse.repeat(4, 1).repeat(4, 2)


def tensor(pictures):
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1


def test_new_pictures_of_the_same_kind_have_no_faults(pictures):
    report = CollapseMonitor(tensor(pictures[:32]), pictures[100:]).assess([tensor(pictures[32:96])])
    assert report.spread == pytest.approx(1, abs=0.1)
    assert report.nearness == pytest.approx(1, abs=0.1)
    assert report.findings == []
    assert "differ" in str(report)


def test_pictures_that_are_not_square_are_compared_by_their_centers(pictures):
    wide = np.pad(pictures[100:], ((0, 0), (0, 0), (5, 6), (0, 0)))
    square, padded = (
        CollapseMonitor(tensor(pictures[:32]), pictures[100:]),
        CollapseMonitor(tensor(pictures[:32]), wide),
    )
    assert torch.equal(square.bank, padded.bank)


def test_one_picture_again_and_again_is_a_collapse(pictures):
    same = tensor(pictures[32:33]).expand(64, -1, -1, -1) + 0.01 * torch.randn(64, 3, 16, 16)
    monitor = CollapseMonitor(tensor(pictures[:32]), pictures[100:])
    assert monitor.assess([same], young=True).findings == []
    report = monitor.assess([same])
    assert report.spread < 0.1
    assert len(report.findings) == 1
    assert "COLLAPSES" in str(report)


def test_one_picture_of_each_class_is_a_collapse_though_the_classes_differ(pictures):
    labels = np.arange(200) % 10
    each = tensor(pictures[100:110])
    same = [(picture.expand(8, -1, -1, -1) + 0.01 * torch.randn(8, 3, 16, 16)) for picture in each]
    monitor = CollapseMonitor(tensor(pictures[:32]), pictures[100:], labels)
    report = monitor.assess(same)
    assert report.spread > 0.8
    assert report.within < 0.1
    assert "of one class 0.0" in str(report)
    assert str(report.findings[0]).startswith("it COLLAPSES to few pictures of each class")
    well = monitor.assess(list(tensor(pictures[32:96]).split(8)))
    assert well.within == pytest.approx(1, abs=0.1)
    assert well.findings == []


def test_memorized_training_pictures_are_reported(pictures):
    report = CollapseMonitor(tensor(pictures[:32]), pictures[100:]).assess([tensor(pictures[100:164])])
    assert report.nearness < 0.1
    assert "LEARNS PICTURES BY HEART" in str(report)


def test_gray_samples_with_three_channels(pictures):
    gray = pictures[..., :1]
    report = CollapseMonitor(tensor(gray[:32]), gray[100:]).assess([tensor(gray[32:96]).expand(-1, 3, -1, -1)])
    assert report.spread == pytest.approx(1, abs=0.1)
