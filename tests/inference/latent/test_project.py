import cv2
import numpy as np
import pytest
import torch

from translate.images.tensors import to_tensor
from translate.inference.latent.image_distance import build_pyramid, pyramid_distances
from translate.inference.latent.optimise import gradient_descent
from translate.inference.latent.project import project
from translate.inference.latent.style_prior import fit_style_prior
from translate.utils.errors import OptionError, UserError


def far(pictures, target):
    """The distance, once more, in numpy."""
    total = np.zeros(len(pictures))
    a, b = (x.astype(np.float64) / 127.5 - 1 for x in (pictures, target[None]))
    for level in range(3):
        d = a - b
        total += np.abs(d).mean((1, 2, 3))
        total += np.abs(np.diff(d, axis=1)).mean((1, 2, 3)) + np.abs(np.diff(d, axis=2)).mean((1, 2, 3))
        a, b = (x.reshape(len(x), 16 >> level, 2, 16 >> level, 2, 3).mean((2, 4)) for x in (a, b))
    return total / 3


def test_the_distance_matches_another_computation(sampler):
    pictures = sampler(5)
    x = torch.cat([to_tensor(p) for p in pictures])
    mine = pyramid_distances(x, build_pyramid(to_tensor(pictures[2]))).numpy()
    assert mine == pytest.approx(far(pictures, pictures[2]), rel=1e-4) and mine[2] == 0


@pytest.mark.parametrize("name", ["style_synthesis", "dcgan"])
def test_a_picture_of_the_model_itself_is_found_again(make_sampler, name):
    sampler = make_sampler(name)
    picture = sampler(seed=1234)[0]
    found = project(sampler, picture, starts=4, steps=100)
    others = far(sampler(200, seed=5000), picture)
    assert found.distance < 0.25 * others.min()
    assert found.distance == found.tried.min() == pytest.approx(far(found.picture[None], picture)[0], abs=0.01)
    assert found.w.shape == (sampler.w_dim,) and (sampler.draw(found.w[None])[0] == found.picture).all()


def test_several_starts_are_never_worse_than_one(sampler):
    for seed in range(3):
        picture = cv2.GaussianBlur(np.random.default_rng(seed).integers(0, 256, (32, 32, 3), np.uint8), (0, 0), 3)
        one, more = (project(sampler, picture, starts=n, steps=15, seed=seed) for n in (1, 4))
        assert one.tried.shape == (1,) and more.tried.shape == (4,)
        assert more.distance <= one.distance + 1e-5
        assert more.tried[0] == pytest.approx(one.distance, abs=1e-4)


def test_the_result_is_the_same_each_time_and_follows_the_seed(sampler):
    picture = sampler(seed=7)[0]
    first, again, other = (project(sampler, picture, starts=3, steps=5, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(first.w, again.w) and (first.tried == again.tried).all()
    assert (first.tried[1:] != other.tried[1:]).any() and first.tried[0] == pytest.approx(other.tried[0], abs=1e-5)


def test_the_result_stays_in_the_domain_for_any_picture(sampler, monkeypatch):
    prior = fit_style_prior(sampler)
    strange = prior.unwhiten(6 * prior.whiten(sampler.styles_of([11])))
    picture = sampler.draw(strange)[0]
    found = project(sampler, picture, starts=2, steps=100)
    monkeypatch.setattr("translate.inference.latent.project.OUTLIER_WEIGHT", 0)
    free = project(sampler, picture, starts=2, steps=100)
    one, other = (float(prior.outlier_penalty(prior.whiten(p.w[None]))) for p in (found, free))
    assert 2 * one < other


def test_the_outlier_penalty_is_zero_for_typical_styles(sampler):
    prior = fit_style_prior(sampler)
    w = sampler.styles_of(range(9000, 9200))
    u = prior.whiten(w)
    assert torch.allclose(prior.unwhiten(u), w, atol=1e-2)
    assert u.mean(0).abs().max() < 0.35 and (u.std(0) - 1).abs().max() < 0.3
    assert (prior.outlier_penalty(u) == 0).float().mean() > 0.85
    assert (prior.outlier_penalty(6 * u) > 1).float().mean() > 0.95
    alone = torch.zeros_like(u[:1])
    alone[0, 0] = 3 * prior.max_abs[0]
    assert prior.outlier_penalty(alone)[0] > 0


def test_the_search_keeps_the_label(labelled):
    picture = labelled(seed=77, label="dogs")[0]
    right, wrong = (project(labelled, picture, starts=3, steps=60, label=label) for label in ("dogs", "birds"))
    anywhere = project(labelled, picture, starts=3, steps=60)
    assert right.distance < 0.5 * wrong.distance and anywhere.distance < wrong.distance


@pytest.mark.parametrize("shape", [(1, 1), (9, 70), (200, 50)], ids=str)
def test_a_picture_of_any_size_is_resized_to_the_models(make_sampler, shape):
    gray = make_sampler(out_channels=1)
    picture = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    found = project(gray, picture, starts=1, steps=2)
    assert found.picture.shape == (32, 32, 3) and (found.picture[..., 0] == found.picture[..., 2]).all()


@pytest.mark.parametrize("picture", [np.zeros((8, 8), np.uint8), np.zeros((8, 8, 3)), np.zeros((0, 8, 3), np.uint8)])
def test_arrays_that_are_no_picture_are_refused(sampler, picture):
    with pytest.raises(UserError, match="give \\(H, W, 3\\) uint8, RGB"):
        project(sampler, picture)


@pytest.mark.parametrize("wrong", [{"starts": 0}, {"steps": 0}, {"label": "dogs"}], ids=str)
def test_wrong_options(sampler, wrong):
    with pytest.raises(OptionError):
        project(sampler, np.zeros((8, 8, 3), np.uint8), **wrong)


def test_a_descent_finds_the_minimum_on_independent_paths():
    aim = torch.tensor([1.0, -2.0])
    starts = torch.randn(5, 2, generator=torch.Generator().manual_seed(0))
    cost = lambda x: (x - aim).square().sum(1) + 0.5  # noqa: E731
    together, costs = gradient_descent(cost, starts, steps=200, rate=0.1, batch=5)
    apart, _ = gradient_descent(cost, starts, steps=200, rate=0.1, batch=2)
    assert torch.equal(together, apart)
    assert torch.allclose(together, aim.expand(5, 2), atol=0.01) and torch.allclose(costs, torch.tensor(0.5), atol=1e-3)


def test_a_descent_slows_down_towards_its_end():
    starts = torch.linspace(-1, 1, 21)[:, None]
    _, costs = gradient_descent(lambda x: (x - 0.03).abs().sum(1), starts, steps=40, rate=0.3, batch=21)
    assert costs.max() < 0.01


def test_a_descent_never_ends_above_its_start():
    starts = torch.tensor([[0.01], [3.0]])
    points, costs = gradient_descent(lambda x: x.abs().sum(1), starts, steps=3, rate=10.0, batch=2)
    assert (costs <= starts[:, 0]).all() and torch.allclose(points.abs()[:, 0], costs)
