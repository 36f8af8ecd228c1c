"""The terms of CUT that its paper does not have, against loops in float64."""

import math

import numpy as np
import pytest
import torch

from tests.tasks.test_tasks import make_batch, make_task
from translate.tasks.losses.patch_nce import patch_nce
from translate.tasks.losses.patch_relations import negative_log_weights, relation_consistency
from translate.tasks.losses.path_energy import STEP, draw_places, path_energy
from translate.utils.errors import OptionError

LAYERS, PICTURES, PLACES = 2, 2, 5


def features(seed):
    """Features of unit length, (layers, pictures, places, dim) in float64, of which some are alike."""
    x = np.random.default_rng(seed).standard_normal((LAYERS, PICTURES, PLACES, 3))
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def as_layers(x):
    return [torch.from_numpy(layer).float().requires_grad_() for layer in x]


def plain_weights(k, hardness):
    weights = np.ones((PLACES, PLACES))
    for i in range(PLACES):
        others = [j for j in range(PLACES) if j != i]
        total = sum(math.exp(hardness * k[i] @ k[j]) for j in others)
        for j in others:
            weights[i, j] = (PLACES - 1) * math.exp(hardness * k[i] @ k[j]) / total
    return weights


@pytest.mark.parametrize("hardness", [0.5, 4.0])
def test_hard_negatives_count_more(hardness):
    queries, keys = features(0), features(1)
    expected = []
    for q, k in zip(queries.reshape(-1, PLACES, 3), keys.reshape(-1, PLACES, 3), strict=True):
        weights = plain_weights(k, hardness)
        for i in range(PLACES):
            terms = [weights[i, j] * math.exp(q[i] @ k[j] / 0.07) for j in range(PLACES)]
            expected.append(-math.log(terms[i] / sum(terms)))
    q, k = as_layers(queries), as_layers(keys)
    loss = patch_nce(q, k, 0.07, hardness)
    assert loss.item() == pytest.approx(np.mean(expected), rel=1e-4)
    loss.backward()
    assert all(x.grad.isfinite().all() and x.grad.any() for x in q) and all(x.grad is None for x in k)


def test_the_mean_weight_of_a_negative_is_one():
    k = as_layers(features(1))[0]
    weights = negative_log_weights(k, 3.0).exp()
    torch.testing.assert_close(weights.sum(-1), torch.full((PICTURES, PLACES), float(PLACES)))
    expected = np.stack([plain_weights(one.detach().double().numpy(), 3.0) for one in k])
    torch.testing.assert_close(weights.double(), torch.from_numpy(expected), rtol=1e-4, atol=1e-5)
    assert not weights.requires_grad
    assert torch.equal(negative_log_weights(k, 0.0).exp().round(decimals=5), torch.ones(PICTURES, PLACES, PLACES))


def test_relations_are_compared_by_the_jensen_shannon_divergence():
    queries, keys = features(0), features(1)
    expected = []
    for q, k in zip(queries.reshape(-1, PLACES, 3), keys.reshape(-1, PLACES, 3), strict=True):
        for i in range(PLACES):
            others = [j for j in range(PLACES) if j != i]
            ours, theirs = (np.exp([x[i] @ x[j] for j in others]) for x in (q, k))
            ours, theirs = ours / ours.sum(), theirs / theirs.sum()
            middle = (ours + theirs) / 2
            expected.append(sum((p * np.log(p / middle)).sum() for p in (ours, theirs)) / 2)
    q, k = as_layers(queries), as_layers(keys)
    loss = relation_consistency(q, k)
    assert loss.item() == pytest.approx(np.mean(expected), rel=1e-4)
    loss.backward()
    assert all(x.grad.isfinite().all() and x.grad.any() for x in q) and all(x.grad is None for x in k)


def test_equal_relations_cost_nothing_though_all_features_are_turned():
    q = as_layers(features(0))
    turn, _ = torch.linalg.qr(torch.randn(3, 3))
    assert relation_consistency(q, [x @ turn for x in q]).item() == pytest.approx(0, abs=1e-6)


def test_the_energy_of_a_linear_generator_is_known():
    source, answer = (torch.rand(2, 3, 4, 4, requires_grad=True) for _ in "ab")
    factor = torch.tensor(2.0, requires_grad=True)
    loss = path_energy(lambda x: factor * x + 1, source, answer, torch.tensor([0.0, 0.7]))
    change = (answer - source).detach().square().mean()
    assert loss.item() == pytest.approx(4 * change.item(), rel=1e-4)
    loss.backward()
    assert factor.grad.item() == pytest.approx(4 * change.item(), rel=1e-4)  # 2 factor change
    assert source.grad is None and answer.grad is None
    assert path_energy(lambda x: 0 * x, source, answer, torch.zeros(2)) == 0


def test_the_energy_is_that_at_its_place_of_the_way():
    """x^2 from 0 to 1 changes by about 2 t."""
    for t in (0.0, 0.5, 0.9):
        source, answer = torch.zeros(1, 1, 2, 2), torch.ones(1, 1, 2, 2)
        found = path_energy(torch.square, source, answer, torch.tensor([t])).item()
        assert found == pytest.approx((2 * t + STEP) ** 2, rel=1e-4)
    drawn = draw_places(torch.zeros(1000, 1))
    assert 0 <= drawn.min() < 0.05 and 1 - STEP - 0.05 < drawn.max() <= 1 - STEP


def test_the_terms_are_off_by_default_and_each_is_logged():
    task = make_task("cut")
    assert set(task.losses("G", task(make_batch()))) == {"gan", "nce"}
    task = make_task("cut", negative_hardness=2.0, lambda_relation=0.1, lambda_path=0.1)
    terms = task.losses("G", task(make_batch()))
    assert set(terms) == {"gan", "nce", "relation", "path"} and all(term > 0 for term in terms.values())
    torch.stack([terms["relation"], terms["path"]]).sum().backward()
    grads = [p.grad for p in task.G.parameters()]
    assert all(grad is not None and grad.isfinite().all() for grad in grads)


def test_a_way_between_pictures_of_unlike_channels_is_refused():
    with pytest.raises(OptionError, match="--lambda-path mixes pictures .* A has 1 channels and B 3"):
        make_task("cut", channels={"a": 1, "b": 3}, nce_identity=False, lambda_path=0.1)
