"""The history of scores: the best, the improvement by a standard error, patience, and the state."""

import torch
from torch import nn

from translate.metrics.kernel_distance import KernelDistance, kernel_distance, mean_distance
from translate.training.scores.advice import advise
from translate.training.scores.history import History
from translate.training.scores.scorers import Score


def score_of(value, spread=0.1):
    """A score whose subsets share their noise, as those of the same pictures do, save for `spread`."""
    noise = torch.randn(100, generator=torch.Generator().manual_seed(0)) + spread * torch.randn(
        100, generator=torch.Generator().manual_seed(int(1000 * value) if value > 0 else 0)
    )
    noise = noise - noise.mean()
    return Score(KernelDistance(value, float(noise.std()), 8, tuple((value + noise).tolist())), {"l1": value})


def history_of(values, steps=None, spread=0.1):
    history = History()
    for step, value in zip(steps or range(10, 10 * len(values) + 1, 10), values, strict=True):
        history.add(step, score_of(value, spread), nn.ModuleDict({"G": constant(value)}))
    return history


def constant(value):
    net = nn.Linear(1, 1, bias=False)
    nn.init.constant_(net.weight, value)
    return net


def test_the_best_score_and_its_weights_are_kept():
    history = history_of([5.0, 3.0, 4.0, float("nan"), 3.5])
    assert history.best.step == 20 and history.weights["G.weight"].item() == 3.0
    assert [one.step for one in history.scored] == [10, 20, 30, 40, 50]
    assert history_of([float("nan")]).best is None


def test_a_score_improves_only_by_a_standard_error_of_the_paired_difference():
    """The noise that all scores share, 1.0, does not count; the rest, 0.14 between two of them, does."""
    history = history_of([5.0, 4.95, 4.5, 4.45])
    assert history.best.step == 40 and history.improved.step == 30


def test_patience_needs_both_the_share_and_three_scores():
    history = history_of([5.0, 6.0, 6.0, 6.0])
    assert [history_of([5.0] + [6.0] * n).is_stale(10 * (n + 1), 0.3) for n in range(4)] == [False, False, False, True]
    assert not history.is_stale(40, 0.0) and not history.is_stale(40, 0.8)  # 30 steps of 40 are 0.75 of them
    assert history.is_stale(40, 0.75)
    assert not history_of([float("nan")] * 5).is_stale(50, 0.3)  # nothing to go back to


def test_the_state_holds_all_of_it():
    history, other = history_of([5.0, 3.0, 4.0]), History()
    history.pictures = "abc"
    other.load_state_dict(history.state_dict())
    assert other.scored == history.scored and other.best == history.best and other.improved == history.improved
    assert torch.equal(other.weights["G.weight"], history.weights["G.weight"]) and other.pictures == "abc"
    empty = History()
    empty.load_state_dict(History().state_dict())
    assert empty.best is None and empty.weights is None and not empty.scored


def test_advice_names_the_weights_and_the_reason():
    assert advise(history_of([5.0, 4.0, 3.0]), 30).startswith(
        "use the last weights: they score best, kernel distance 3000"
    )
    within = advise(history_of([5.0, 3.0, 3.05]), 30)
    assert "use the last weights" in within and "step 20 scored best" in within and "within a standard error" in within
    better = advise(history_of([5.0, 3.0, 4.0]), 30)
    assert better.startswith("use the best weights, of step 20, with --weights best: kernel distance 3000.0")
    assert "against kernel distance 4000.0" in better
    assert advise(History(), 30) == "" and advise(history_of([5.0]), 20) == ""


def test_the_mean_distance_of_two_directions_has_the_error_of_the_mean():
    x = torch.randn(3, 40, 6, generator=torch.Generator().manual_seed(1))
    one, other = (kernel_distance(rows + shift, x[2]) for rows, shift in zip(x[:2], (0.5, 1.0), strict=True))
    mean = mean_distance([one, other])
    assert mean.value == (one.value + other.value) / 2
    pairs = torch.tensor([one.subsets, other.subsets]).mean(0)
    assert abs(mean.error - float(pairs.std(correction=0))) < 1e-6
    assert mean_distance([one]) == one
