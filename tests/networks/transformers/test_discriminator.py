import pytest
import torch

from translate.networks.transformers.discriminator import VitDiscriminator
from translate.tasks.losses.multiscale import all_scores, as_scales, judge, shows_features
from translate.utils.errors import OptionError


def make(**options):
    torch.manual_seed(0)
    return VitDiscriminator(**{"width": 8, "layers": 2, "heads": 2} | options)


@pytest.mark.parametrize(("size", "scored"), [((16, 16), (2, 2)), ((33, 70), (4, 8)), ((64, 40), (8, 5))])
@pytest.mark.parametrize("norm", ["spectral", "none"])
def test_every_patch_gets_a_score(size, scored, norm):
    net = make(in_channels=5, norm=norm, detail=2.0)
    (layers,) = net(torch.rand(2, 5, *size))
    assert [tuple(layer.shape) for layer in layers] == [*[(2, 8, *scored)] * 3, (2, 1, *scored)]
    assert layers[-1].dtype == torch.float32 and shows_features(net)
    layers[-1].square().sum().backward()
    assert [name for name, p in net.named_parameters() if p.grad is None] == []


def test_a_patch_of_another_side():
    (layers,) = make(patch=16)(torch.rand(1, 3, 64, 96))
    assert layers[-1].shape == (1, 1, 4, 6)


def test_every_score_depends_on_the_whole_picture():
    x = torch.rand(1, 3, 64, 64, requires_grad=True)
    make(norm="none")(x)[0][-1][0, 0, 0, 0].backward()
    assert (x.grad[..., -8:, -8:] != 0).any()


def test_real_and_fake_are_judged_in_one_call():
    net = make().eval()  # spectral norms at rest
    real, fake = torch.rand(2, 3, 32, 32), torch.rand(2, 3, 32, 32)
    judged = judge(net, {"real": real, "fake": fake})
    torch.testing.assert_close(all_scores(judged["fake"]), all_scores(as_scales(net(fake))))


def test_spectral_norm_bounds_every_layer():
    net = make(patch=4).train()
    for _ in range(200):
        net(torch.rand(1, 3, 16, 16))
    layers = [m for m in net.modules() if isinstance(m, torch.nn.Conv2d | torch.nn.Linear)]
    assert len(layers) == 2 + 2 * 5
    for layer in layers:
        assert torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item() == pytest.approx(1, abs=0.05)


def test_what_it_cannot_be_is_refused():
    with pytest.raises(OptionError, match=r"unknown discriminator.norm 'spektral'; did you mean 'spectral'"):
        make(norm="spektral")
    with pytest.raises(OptionError, match="patch should be an even number of px from 2 on, got 5"):
        make(patch=5)
