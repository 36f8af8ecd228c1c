import copy

import pytest
import torch

from tests.tasks.test_tasks import PICTURES, make_batch, make_task
from translate.training.step import seed_step, train_step

PAIRED = PICTURES | {"paired": 1}


def batch_of(paired, count=2):
    return make_batch(count=count) | {"paired": torch.full((count,), int(paired))}


def test_pairs_add_the_distances_to_both_truths(monkeypatch):
    monkeypatch.setattr("translate.tasks.losses.perceptual.roll_together", lambda *pictures: pictures)
    task = make_task("cycle", PAIRED, lambda_pairs=3.0, lambda_pair_features=0.5)
    plain = make_task("cycle")
    plain.load_state_dict(task.state_dict())
    x, without = task(batch_of(paired=True)), plain.losses("G", plain(make_batch()))
    terms, expected = task.losses("G", x), 0.0
    for fake, truth in ((x["fake_a"], x["a"]), (x["fake_b"], x["b"])):
        for one, other in zip(task.features(fake), task.features(truth), strict=True):
            one, other = (y.detach().double().flatten(2) for y in (one, other))
            cosine = (one * other).sum(1) / (one.norm(dim=1) * other.norm(dim=1))
            expected += (2 - 2 * cosine).mean().item()  # |u - v|^2 of unit vectors
    pixels = (x["fake_a"] - x["a"]).abs().mean() + (x["fake_b"] - x["b"]).abs().mean()
    assert terms.pop("pairs").item() == pytest.approx(3 * pixels.item(), rel=1e-5)
    assert terms.pop("pair_features").item() == pytest.approx(0.5 * expected, rel=1e-4)
    assert set(terms) == set(without) and all(torch.equal(terms[name], without[name]) for name in without)
    assert "features" not in terms  # the way back is compared in pixels alone


def test_strangers_learn_as_without_pairs():
    """The terms are there, for the log and for captured steps, but are 0 and have no gradient."""
    task, plain = make_task("cycle", PAIRED), make_task("cycle")
    plain.load_state_dict(task.state_dict())
    logs = []
    for each, batch in ((task, batch_of(paired=False)), (plain, make_batch())):
        seed_step(0, 0)
        optimizers = {phase: torch.optim.SGD(each.parameters_of(phase), 0.1) for phase in each.phases}
        logs.append(train_step(each, batch, optimizers, precision="fp32"))
    assert logs[0].pop("G/pairs") == logs[0].pop("G/pair_features") == 0
    assert logs[0] == logs[1]
    assert all(torch.equal(x, y) for x, y in zip(task.parameters(), plain.parameters(), strict=True))


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_pairs_change_what_is_learned(precision):
    task = make_task("cycle", PAIRED)
    before = copy.deepcopy(task.state_dict())
    optimizers = {"G": torch.optim.SGD(task.parameters_of("G"), 0.1)}
    logs = train_step(task, batch_of(paired=True), optimizers, precision=precision)
    assert logs["G/pairs"] > 0 and logs["G/pair_features"] > 0
    assert any(not torch.equal(before[name], value) for name, value in task.state_dict().items())


def test_without_pretrained_features_pixels_are_compared():
    task = make_task("cycle", PAIRED, features="none")
    assert set(task.losses("G", task(batch_of(paired=True)))) == {"gan_ab", "gan_ba", "cycle", "identity", "pairs"}
    assert make_task("cycle", PAIRED, lambda_pair_features=0.0).features is None


def test_pairs_teach_the_truth_which_cycles_leave_open():
    """B is A with its colours exchanged: with 20 steps on pairs, the translation comes nearer to it than without."""
    batch = make_batch(count=4)
    batch["b"] = batch["a"].flip(1)
    found = []
    for paired in (False, True):
        task = make_task("cycle", PAIRED, lambda_identity=0.0, lambda_pair_features=0.0)
        optimizers = {phase: torch.optim.Adam(task.parameters_of(phase), 2e-3) for phase in task.phases}
        for step in range(20):
            seed_step(0, step)
            train_step(task, batch | {"paired": torch.full((4,), int(paired))}, optimizers, precision="fp32")
        with torch.no_grad():
            found.append((task.G_ab(batch["a"]) - batch["b"]).abs().mean().item())
    assert found[1] < 0.8 * found[0]
