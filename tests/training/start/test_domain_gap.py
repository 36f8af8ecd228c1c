import tomllib

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tests.training.test_loop import assert_same, everything, make_config
from translate.networks.features import load
from translate.training.callbacks import StopTraining
from translate.training.loop import train
from translate.training.start import domain_gap
from translate.training.start.domain_gap import DomainGap, describe_gap, measure_gap, shuffle_tiles


def features(x):
    """See a picture's layout, as 4 x 4 means, and its colours and contrast."""
    layout = F.adaptive_avg_pool2d(x, 4).flatten(1)[..., None, None]
    return [layout.expand(-1, -1, 2, 2), x]


def pictures(seed, *, top=0, contrast=20, count=40, side=48, dtype=np.uint8):
    """Draw noise around gray, `top` levels brighter in the upper half and darker in the lower one."""
    rng = np.random.default_rng(seed)
    shift = np.where(np.arange(side) < side // 2, top, -top)[:, None, None]
    values = (128 + shift + contrast * rng.normal(size=(count, side, side, 3))).clip(0, 255).astype(np.uint8)
    return list(values if dtype == np.uint8 else values.astype(dtype) / dtype(255))


def test_texture_is_seen_in_tiles():
    gap = measure_gap(pictures(0, contrast=20), pictures(1, contrast=40), features)
    assert gap.tiles > 0.95
    assert not gap.is_layout
    assert "texture or colour tells photos from monet" in describe_gap(gap, ("photos", "monet"))


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_layout_is_seen_in_whole_pictures_alone(dtype):
    """Bright above against bright below: the same tiles."""
    gap = measure_gap(pictures(0, top=40, dtype=dtype), pictures(1, top=-40, dtype=dtype), features)
    assert gap.whole > 0.95
    assert gap.tiles < 0.75
    assert gap.is_layout
    assert "layout or shape tells a from b" in describe_gap(gap, ("a", "b"))


def test_equal_domains_are_near_chance():
    gap = measure_gap(pictures(0), pictures(1), features)
    assert max(gap.tiles, gap.whole) < 0.75
    assert "hardly be told apart" in describe_gap(DomainGap(0.5, 0.55), ("a", "b"))


def test_the_seed_decides():
    a, b = pictures(0, top=4), pictures(1)
    first = measure_gap(a, b, features, seed=3)
    torch.rand(5)  # the global generator has no part in it
    assert measure_gap(a, b, features, seed=3) == first
    state = torch.get_rng_state()
    measure_gap(a, b, features)
    assert torch.equal(torch.get_rng_state(), state)


def test_few_pictures_tell_nothing():
    assert measure_gap(pictures(0, count=5), pictures(1), features) is None


def test_shuffled_tiles_keep_every_pixel_and_move_it():
    x = torch.arange(2 * 3 * 32 * 64).float().view(2, 3, 32, 64)
    shuffled = shuffle_tiles(x, 16, torch.Generator().manual_seed(0))
    assert torch.equal(shuffled.flatten(2).sort(-1).values, x.flatten(2))
    assert not torch.equal(shuffled, x)
    tile = shuffled[0, 0, :16, :16]
    assert tile.max() - tile.min() == 15 * 64 + 15  # from one place, turned


def stop_at_2(step, terms):
    if step == 2:
        raise StopTraining


def test_a_new_run_with_automatic_crops_says_it_once_and_keeps_its_bits(
    two_folders, tmp_path, tiny, monkeypatch, capsys
):
    changes = {"data": {"crop": "auto", "size": 64}, "train": {"steps": 4, "save_minutes": 0.0, "previews": 0}}
    measured = []
    monkeypatch.setattr(domain_gap, "load_features", lambda name: features)
    whole = train(make_config(two_folders, tmp_path / "whole", tiny, **changes))  # of too few pictures to measure
    assert "classifier" not in capsys.readouterr().err
    monkeypatch.setattr(domain_gap, "measure_gap", lambda *a: measured.append(a) or DomainGap(0.5, 1.0))
    config = make_config(two_folders, tmp_path / "broken", tiny, **changes)
    train(config, on_step=stop_at_2)
    assert "layout or shape tells reds from blues" in " ".join(capsys.readouterr().err.split())
    broken = train(config)
    assert "classifier" not in capsys.readouterr().err
    assert len(measured) == 1
    for one, other in zip(everything(whole), everything(broken), strict=True):
        assert_same(one, other)
    assert tomllib.loads((broken / "config.toml").read_text())["plan"]["crop"] == 32


@pytest.mark.parametrize("crop", [0, 32])
def test_a_given_crop_is_not_questioned(two_folders, tmp_path, tiny, monkeypatch, crop):
    monkeypatch.setattr(domain_gap, "load_features", lambda name: pytest.fail("measured"))
    train(make_config(two_folders, tmp_path / "run", tiny, data={"crop": crop}, train={"steps": 1}))


def test_without_features_nothing_is_said(two_folders, tmp_path, tiny, monkeypatch, capsys):
    monkeypatch.setattr(load, "PACKAGE", "no_such_package")
    train(make_config(two_folders, tmp_path / "run", tiny, data={"crop": "auto"}, train={"steps": 1}))
    assert "classifier" not in capsys.readouterr().err
