import math

import pytest
import torch

from translate.tasks.losses.drifting import drift_field, drifting_loss


def points(seed, count, dim=5, shift=0.0):
    return torch.randn(count, dim, generator=torch.Generator().manual_seed(seed)) + shift


def plain_field(x, y, temperatures, group_x, group_y):
    """The field of Deng et al., with one loop for every index, in double precision."""
    x, y = x.double().tolist(), y.double().tolist()
    everything = y + x
    groups = group_y + group_x
    pairs = [
        math.dist(p, q) for p, g in zip(x, group_x, strict=True) for q, h in zip(y, group_y, strict=True) if g == h
    ]
    mean = sum(pairs) / len(pairs)
    total = [[0.0] * len(x[0]) for _ in x]
    for t in temperatures:
        weight = [
            [
                math.exp(-math.dist(p, q) / mean / t) if group_x[i] == groups[j] and j != len(y) + i else 0.0
                for j, q in enumerate(everything)
            ]
            for i, p in enumerate(x)
        ]
        rows = [sum(row) for row in weight]
        columns = [sum(row[j] for row in weight) for j in range(len(everything))]
        field = []
        for i in range(len(x)):
            k = [w / math.sqrt(rows[i] * columns[j]) if w else 0.0 for j, w in enumerate(weight[i])]
            pull, push = sum(k[: len(y)]), sum(k[len(y) :])
            field.append(
                [
                    sum(k[j] * push * q[d] for j, q in enumerate(y))
                    - sum(k[len(y) + j] * pull * p[d] for j, p in enumerate(x))
                    for d in range(len(x[0]))
                ]
            )
        rms = math.sqrt(sum(v * v for row in field for v in row) / (len(x) * len(x[0])))
        total = [
            [a + v / rms / len(temperatures) for a, v in zip(*both, strict=True)]
            for both in zip(total, field, strict=True)
        ]
    return torch.tensor(total, dtype=torch.float64)


@pytest.mark.parametrize("grouped", [False, True])
def test_the_field_is_that_of_plain_loops(grouped):
    x, y, temperatures = points(0, 6), points(1, 9, shift=0.5), (0.2, 0.5)
    group_x, group_y = ([0, 1] * 3, [0, 1, 1] * 3) if grouped else ([0] * 6, [0] * 9)
    groups = {"generated_group": torch.tensor(group_x), "real_group": torch.tensor(group_y)} if grouped else {}
    field = drift_field(x, y, temperatures=temperatures, **groups)
    expected = plain_field(x, y, temperatures, group_x, group_y)
    torch.testing.assert_close(field.double(), expected, rtol=1e-3, atol=1e-4)


def test_samples_drift_towards_real_data():
    x = points(2, 4)
    assert (drift_field(x, points(3, 40, shift=2.0)).mean(0) > 0.3).all()


def test_samples_that_collapsed_are_spread_over_the_data():
    real = torch.cat([points(5, 40) * 0.1 - 2, points(6, 40) * 0.1 + 2])
    x = (points(7, 32) * 0.01).requires_grad_()
    for step in range(150):  # the field has a constant length, so that its steps have to become shorter
        (gradient,) = torch.autograd.grad(drifting_loss(x, real), x)
        x = (x - 0.2 * (1 - step / 150) * gradient * x.numel()).detach().requires_grad_()
    side = x.mean(1) > 0
    assert 10 <= side.sum() <= 22
    assert (x.abs() - 2).abs().mean(1).median() < 0.7  # it was 2 between both


def test_a_point_sees_its_own_group_alone():
    x, y = points(0, 4), points(1, 8)
    group_x, group_y = torch.tensor([0, 0, 1, 1]), torch.tensor([0] * 4 + [1] * 4)
    field = drift_field(x, y, temperatures=(0.3,), generated_group=group_x, real_group=group_y)
    moved = y.clone()
    moved[4:] = moved[4:].flip(0)  # the same set of points
    again = drift_field(x, moved, temperatures=(0.3,), generated_group=group_x, real_group=group_y)
    torch.testing.assert_close(again, field)
    alone = drift_field(x[:2], y[:4], temperatures=(0.3,))
    together = field[:2] / field[:2].norm()
    torch.testing.assert_close(together, alone / alone.norm(), rtol=0.3, atol=0.05)  # other means and scales


def test_without_a_neighbour_there_is_no_drift():
    x, y = points(0, 3), points(1, 4)
    lone = drift_field(x, y, generated_group=torch.tensor([0, 0, 1]), real_group=torch.tensor([0, 0, 1, 1]))
    assert lone[2].abs().max() == 0 and lone[:2].abs().max() > 0
    unseen = drift_field(x, y, generated_group=torch.tensor([2, 2, 2]), real_group=torch.tensor([0, 0, 1, 1]))
    assert torch.equal(unseen, torch.zeros(3, 5))


def test_the_loss_moves_samples_alone_and_its_size_has_no_unit():
    x, y = points(0, 8).requires_grad_(), points(1, 16).requires_grad_()
    loss = drifting_loss(x, y)
    (gradient,) = torch.autograd.grad(loss, x, retain_graph=True)
    field = drift_field(x, y)
    torch.testing.assert_close(-gradient / gradient.norm(), field / field.norm())
    assert torch.autograd.grad(loss, y, allow_unused=True) == (None,)
    assert 0.05 < loss.item() <= 1
    torch.testing.assert_close(drifting_loss(100 * x, 100 * y), loss, rtol=1e-3, atol=1e-5)


def test_the_field_is_computed_in_float32_under_autocast():
    x, y = points(0, 8), points(1, 16)
    with torch.autocast("cpu", torch.bfloat16):
        inside = drifting_loss(x, y)
    assert inside.dtype == torch.float32
    assert torch.equal(inside, drifting_loss(x, y))
