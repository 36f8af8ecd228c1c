import cv2
import numpy as np
import pytest
import torch

from translate.inference.latent.edit import edit
from translate.inference.latent.style_prior import fit_style_prior
from translate.utils.errors import OptionError, UserError

CLEAR = np.zeros((32, 32, 4), np.uint8)


def square_of(colour, side=32):
    layer = np.zeros((side, side, 4), np.uint8)
    layer[side // 8 : side // 2, side // 8 : side // 2] = (*colour, 255)
    return layer


def off(pictures, layer):
    """How far from a layer's strokes pictures are: mean square difference of levels, where strokes are."""
    strokes = layer[..., 3] > 0
    return np.square(pictures[:, strokes].astype(float) - layer[strokes][:, :3]).mean((1, 2))


def colour_of(sampler, seed):
    """The mean colour of the square's area in another picture: one that the model can draw."""
    return sampler(seed=seed)[0][4:16, 4:16].mean((0, 1)).round().astype(np.uint8)


def test_strokes_change_colours_and_the_best_match_is_first(sampler):
    layer = square_of(colour_of(sampler, 60))
    found = edit(sampler, layer, candidates=6, steps=30)
    assert found.pictures.shape[1:] == (32, 32, 3) and found.w.shape == (len(found.costs), sampler.w_dim)
    assert (sampler.draw(found.w) == found.pictures).all()
    assert (np.diff(found.costs) >= 0).all()
    assert off(found.pictures, layer)[0] < 0.5 * np.median(off(sampler(100, seed=500), layer))


def test_without_a_start_the_best_of_a_pool_are_optimised(sampler, monkeypatch):
    layer = square_of(colour_of(sampler, 60))
    best = edit(sampler, layer, candidates=3, steps=2)
    monkeypatch.setattr("translate.inference.latent.edit.POOL_FACTOR", 1)
    assert best.costs.mean() < edit(sampler, layer, candidates=3, steps=2).costs.mean()


@pytest.mark.parametrize("start_seed", [3, None])
def test_results_stay_in_the_domain(sampler, monkeypatch, start_seed):
    prior = fit_style_prior(sampler)
    picture = sampler.draw(prior.unwhiten(6 * prior.whiten(sampler.styles_of([11]))))[0]
    layer = np.dstack((picture, np.full((32, 32), 255, np.uint8)))
    monkeypatch.setattr("translate.inference.latent.edit.START_WEIGHT", 0)
    found = edit(sampler, layer, candidates=3, steps=60, start_seed=start_seed)
    monkeypatch.setattr("translate.inference.latent.edit.OUTLIER_WEIGHT", 0)
    free = edit(sampler, layer, candidates=3, steps=60, start_seed=start_seed)
    one, other = (float(prior.outlier_penalty(prior.whiten(edits.w)).max()) for edits in (found, free))
    assert 4 * one < other


def test_the_style_stays_near_the_given_one(sampler, monkeypatch):
    prior, layer = fit_style_prior(sampler), square_of(colour_of(sampler, 60))
    origin = prior.whiten(sampler.styles_of([3]))
    near = edit(sampler, layer, candidates=6, steps=30, start_seed=3)
    monkeypatch.setattr("translate.inference.latent.edit.START_WEIGHT", 0)
    free = edit(sampler, layer, candidates=6, steps=30, start_seed=3)
    one, other = (float((prior.whiten(edits.w) - origin).square().mean()) for edits in (near, free))
    assert one < 0.8 * other


def test_a_given_picture_changes_mostly_under_the_stroke(sampler):
    start = sampler(seed=3)
    layer = square_of(colour_of(sampler, 60))
    near, free = (edit(sampler, layer, candidates=6, steps=30, start_seed=seed) for seed in (3, None))
    assert off(near.pictures, layer)[0] < 0.6 * off(start, layer)[0]
    change = [np.abs(found.pictures[0].astype(int) - start[0])[:, 18:].mean() for found in (near, free)]
    assert change[0] < change[1]


def test_a_stroke_that_the_picture_has_already_changes_nothing(sampler):
    start = sampler(seed=3)[0]
    layer = np.dstack((start, square_of((0, 0, 0))[..., 3]))
    found = edit(sampler, layer, candidates=3, steps=20, start_seed=3)
    assert np.abs(found.pictures[0].astype(int) - start).mean() < 3 and found.costs[0] < 0.01


def test_lines_give_edges_of_equal_place_and_orientation(sampler):
    sketch = np.full((64, 64), 255, np.uint8)
    cv2.line(sketch, (30, 8), (30, 56), 0, 3)
    found = edit(sampler, None, sketch, candidates=6, steps=40)

    def upright(pictures):
        gray = pictures.astype(float).mean(3)[:, 6:26]
        across, along = np.abs(np.diff(gray, axis=2))[:, 1:, 12:18], np.abs(np.diff(gray, axis=1))[:, :, 12:18]
        return across.mean((1, 2)) / (along.mean((1, 2)) + 1)

    assert upright(found.pictures)[:3].mean() > 1.3 * np.median(upright(sampler(100, seed=500)))


def test_lines_may_be_of_any_kind(sampler):
    white = np.full((32, 32, 3), 255, np.uint8)
    cv2.line(white, (4, 4), (26, 20), (0, 0, 0), 2)
    clear = np.zeros((32, 32, 4), np.uint8)
    clear[..., 3] = 255 - white[..., 0]
    opaque = np.dstack((white, np.full((32, 32), 255, np.uint8)))
    kinds = [white[..., 0], white, clear, opaque]
    costs = [edit(sampler, CLEAR, sketch, candidates=2, steps=2).costs for sketch in kinds]
    assert all((other == costs[0]).all() for other in costs[1:])


def test_the_result_is_the_same_each_time_and_follows_the_seed(sampler):
    layer = square_of((200, 30, 30))
    for start_seed in (None, 3):
        first, again, other = (
            edit(sampler, layer, candidates=3, steps=4, seed=seed, start_seed=start_seed) for seed in (1, 1, 2)
        )
        assert (first.pictures == again.pictures).all() and torch.equal(first.w, again.w)
        assert first.w.shape != other.w.shape or (first.w != other.w).any()


def test_of_pictures_that_look_the_same_only_the_best_is_kept(sampler):
    start = sampler(seed=3)[0]
    whole = np.dstack((start, np.full((32, 32), 255, np.uint8)))
    found = edit(sampler, whole, candidates=8, steps=60, start_seed=3)
    assert len(found.costs) < 8
    unit = found.pictures.astype(float) / 127.5
    for i in range(len(unit)):
        for j in range(i):
            assert np.sqrt(np.square(unit[i] - unit[j]).mean()) > 0.1


def test_a_larger_canvas_gives_the_same_result(make_sampler):
    gray = make_sampler(out_channels=1)
    small, large = (edit(gray, square_of((180, 60, 60), side), candidates=2, steps=3) for side in (32, 256))
    assert np.allclose(small.costs, large.costs, atol=1e-3)
    assert (small.pictures[..., 0] == small.pictures[..., 1]).all()


def test_the_label_is_kept(labelled):
    found = edit(labelled, square_of((200, 30, 30)), candidates=2, steps=3, label="dogs")
    assert len(found.costs)
    with pytest.raises(OptionError, match="fish"):
        edit(labelled, square_of((200, 30, 30)), label="fish")


@pytest.mark.parametrize(
    ("layer", "sketch"), [(CLEAR, None), (None, None), (CLEAR, np.full((32, 32), 255, np.uint8))], ids=str
)
def test_nothing_is_drawn(sampler, layer, sketch):
    with pytest.raises(UserError, match="nothing is drawn: .*draw one of the two"):
        edit(sampler, layer, sketch)


def test_a_canvas_of_another_aspect(sampler):
    with pytest.raises(UserError, match="the layer of strokes is 48 x 32 px, but the pictures are square; draw on 32"):
        edit(sampler, np.ones((32, 48, 4), np.uint8))
    with pytest.raises(UserError, match="the sketch is 48 x 32 px"):
        edit(sampler, None, np.ones((32, 48), np.uint8))


def test_strokes_without_transparency(sampler):
    with pytest.raises(UserError, match="the layer of strokes has no alpha channel; give .*RGBA"):
        edit(sampler, np.ones((32, 32, 3), np.uint8))


@pytest.mark.parametrize("layer", [np.ones((32, 32, 4)), np.ones(4, np.uint8), np.ones((0, 0, 4), np.uint8)], ids=str)
def test_arrays_that_are_no_layer_are_refused(sampler, layer):
    with pytest.raises(UserError, match="the layer of strokes has shape .*; give \\(H, H, 4\\) uint8"):
        edit(sampler, layer)


@pytest.mark.parametrize("wrong", [{"candidates": 0}, {"steps": 0}, {"start_seed": -1}], ids=str)
def test_wrong_options(sampler, wrong):
    with pytest.raises(OptionError):
        edit(sampler, square_of((200, 30, 30)), **wrong)
