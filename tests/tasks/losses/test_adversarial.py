import math

import pytest
import torch

from translate.tasks.losses.adversarial import GAN_LOSSES, PAIRED_GAN_LOSSES, chance_loss, smoothness

REAL, FAKE = torch.tensor([0.5, 2.0]), torch.tensor([-0.5, 1.0])


@pytest.mark.parametrize(
    ("name", "d", "g"),
    [
        ("lsgan", 0.5 * ((0.25 + 1) / 2 + (0.25 + 1) / 2), (2.25 + 0) / 2),
        ("hinge", (0.5 + 0) / 2 + (0.5 + 2) / 2, -0.25),
    ],
)
def test_adversarial_losses_by_hand(name, d, g):
    assert GAN_LOSSES[name].d(REAL, FAKE).item() == pytest.approx(d)
    assert GAN_LOSSES[name].g(FAKE).item() == pytest.approx(g)


@pytest.mark.parametrize("name", GAN_LOSSES)
def test_both_players_pull_in_opposite_directions(name):
    fake = torch.zeros(3, requires_grad=True)
    (up,) = torch.autograd.grad(GAN_LOSSES[name].g(fake), fake)
    (down,) = torch.autograd.grad(GAN_LOSSES[name].d(torch.ones(3), fake + 0.1), fake)
    assert (up < 0).all()
    assert (down > 0).all()


def test_chance_loss_is_the_least_loss_of_equal_scores():
    expected = {"lsgan": 0.25, "hinge": 2.0, "vanilla": math.log(2), "relativistic": math.log(2), "wgan": None}
    for name, loss in PAIRED_GAN_LOSSES.items():
        assert chance_loss(loss) == pytest.approx(expected[name])
    assert chance_loss(None) is None


def test_smoothness_is_about_the_squared_gradient():
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 5), torch.nn.Softplus(), torch.nn.Conv2d(8, 1, 5))
    real = torch.rand(64, 3, 9, 9, requires_grad=True)  # one score for each picture
    (gradient,) = torch.autograd.grad(net(real).sum(), real)
    exact = gradient.square().sum((1, 2, 3)).mean()
    estimates = [smoothness(net, real.detach(), net(real.detach())).item() for _ in range(50)]
    assert sum(estimates) / 50 == pytest.approx(exact.item(), rel=0.1)
