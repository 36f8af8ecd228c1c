"""Power-function averages against the averages of all weights, by the definition."""

import pytest
import torch
from torch import nn

from translate.metrics.kernel_distance import KernelDistance
from translate.tasks import Task
from translate.training.scores.average_choice import choose_average
from translate.training.scores.least_squares import exponent_of
from translate.training.scores.power_ema import LENGTHS, PowerAverages, remove_snapshots
from translate.training.scores.scorers import Score


class Tiny(Task):
    data, exports = "images", ("G",)

    def __init__(self):
        super().__init__()
        self.G, self.D = nn.Sequential(nn.Linear(2, 1), nn.BatchNorm1d(1)), nn.Linear(1, 1)


def trajectory(step):
    return torch.sin(torch.tensor(step / 300)).item() + step / 1000


def run(folder, steps=1200, snapshots=8, stop=None):
    """Averages of weights on a known path; resumed from their state at step `stop`."""
    torch.manual_seed(0)
    task = Tiny()
    averages = PowerAverages(task, folder)
    for step in range(1, steps + 1):
        with torch.no_grad():
            task.G[0].weight.fill_(trajectory(step))
        averages.update(step)
        if step % (steps // snapshots) == 0:
            averages.write_snapshot()
        if step == stop:
            state, averages = averages.state_dict(), PowerAverages(Tiny(), folder)
            averages.load_state_dict(state)
            averages.task = task
    return task, averages


def exact(length, steps=1200):
    gamma = exponent_of(length)
    edges = [(step / steps) ** (gamma + 1) for step in range(steps + 1)]
    return sum((edges[step] - edges[step - 1]) * trajectory(step) for step in range(1, steps + 1))


def test_rare_updates_come_near_the_definition(tmp_path):
    _, averages = run(tmp_path / "averages")
    for average, length in zip(averages.averages, LENGTHS, strict=True):
        assert {*average} == {"G.0.weight", "G.0.bias", "G.1.weight", "G.1.bias", "G.1.running_mean", "G.1.running_var"}
        assert average["G.0.weight"][0, 0].item() == pytest.approx(exact(length), abs=0.01)


def test_a_resumed_average_has_the_same_bits(tmp_path):
    (_, one), (_, other) = run(tmp_path / "a"), run(tmp_path / "b", stop=700)
    for mine, theirs in zip(one.averages, other.averages, strict=True):
        assert all(torch.equal(mine[name], theirs[name]) for name in mine)


def test_lengths_are_chosen_after_the_run_by_their_scores(tmp_path):
    task, averages = run(tmp_path / "averages")
    nets = nn.ModuleDict({"G": task.G}).eval()
    before = task.G[0].weight.clone()

    def score(candidate):
        """The nearer to the average of length 0.15, the better."""
        value = (candidate["G"][0].weight[0, 0].item() - exact(0.15)) ** 2
        return Score(KernelDistance(value, 0.1, 8, (value,) * 4))

    found = choose_average(averages.profiles(), nets, score)
    assert [one.length for one in found][0] == 0.15 and len(found) == 4
    assert found[0].weights["G.0.weight"][0, 0].item() == pytest.approx(exact(0.15), abs=0.02)
    assert torch.equal(task.G[0].weight, before) and found[0].step == averages.step
    assert found[0].weights.keys() == nets.state_dict().keys()


def test_snapshots_of_later_steps_are_removed(tmp_path):
    _, averages = run(tmp_path / "averages", steps=80, snapshots=4)
    names = lambda: sorted(path.name for path in (tmp_path / "averages").glob("*"))  # noqa: E731
    assert names() == [f"step_{step:07d}.safetensors" for step in (20, 40, 60, 80)]
    assert [profile.step for profile, _ in averages.profiles()] == [20, 20, 40, 40, 60, 60, 80, 80]
    remove_snapshots(tmp_path / "averages", after=50)
    assert len(names()) == 2
    remove_snapshots(tmp_path / "averages")
    assert not (tmp_path / "averages").exists()
