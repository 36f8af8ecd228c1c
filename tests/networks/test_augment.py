import pytest
import torch

from translate.networks.augment import ADAPTATION_IMAGES, Augment


def pictures(channels=3):
    return torch.rand(16, channels, 32, 32) * 2 - 1


@pytest.mark.parametrize("channels", [1, 3])
def test_the_given_part_is_changed_and_gradients_flow(channels):
    torch.manual_seed(0)
    x = pictures(channels).requires_grad_()
    out = Augment(0.3)(x)
    assert out.shape == x.shape
    assert out.abs().max() <= 1 + 1e-5
    changed = ((out - x).abs().amax((1, 2, 3)) > 1e-3).float().mean()
    assert 0.2 < changed < 0.95  # 1 - 0.7 * 0.7 * 0.85 = 0.58 in the mean
    (gradient,) = torch.autograd.grad(out.sum(), x)
    assert gradient.abs().sum() > 0


def test_nothing_is_changed_unless_wanted():
    x = pictures()
    assert Augment()(x) is x
    assert Augment(target=0.6)(x) is x  # its strength begins at 0


def test_strength_follows_the_discriminator():
    augment = Augment(target=0.6)
    for _ in range(10):
        augment.adapt(torch.full((100, 1), 2.0))
    assert float(augment.strength) == pytest.approx(1000 / ADAPTATION_IMAGES)
    augment.adapt(torch.full((500, 1), -2.0))
    assert float(augment.strength) == pytest.approx(500 / ADAPTATION_IMAGES)
    fixed = Augment(0.2)
    fixed.adapt(torch.ones(1000, 1))
    assert float(fixed.strength) == pytest.approx(0.2)
    assert "strength" in augment.state_dict()  # a resumed run goes on with it
