import pytest
import torch
from torch import nn

from translate.networks import EDITORS, EXPORTABLE, LABEL_DISCRIMINATORS
from translate.networks.attribute_resnet import AttributeResnet, Blend, LabelDiscriminator, StarResnet
from translate.utils.errors import OptionError

SMALL = {"attribute_resnet": {"width": 8, "most": 8, "blocks": 1}, "star_resnet": {"width": 4, "blocks": 1}}


@pytest.mark.parametrize("name", EDITORS)
@pytest.mark.parametrize("channels", [1, 3])
def test_wishes_change_the_answer_and_not_its_shape(name, channels):
    torch.manual_seed(0)
    net = EDITORS[name](in_channels=channels, out_channels=channels, z_dim=3, **SMALL[name])
    assert name in EXPORTABLE and not net.random and net.z_dim == 3
    for p in net.parameters():
        if p.ndim == 4:
            nn.init.normal_(p, 0, p[0].numel() ** -0.5)
    x = torch.rand(2, channels, 4 * net.multiple, 3 * net.multiple) * 2 - 1
    answers = [net(x, torch.tensor([z]).expand(2, -1)) for z in ([0.0, 0, 0], [1.0, 0, 0], [0, -1.0, 0])]
    assert all(y.shape == x.shape and y.abs().max() <= 1 for y in answers)
    assert (answers[0] - answers[1]).abs().max() > 1e-4 and (answers[0] - answers[2]).abs().max() > 1e-4


def test_the_mask_decides_what_is_drawn():
    x, content = torch.rand(2, 3, 4, 4), torch.rand(2, 3, 4, 4)
    for mask in (0.0, 0.25, 1.0):
        drawn = torch.cat([content, torch.full((2, 1, 4, 4), 2 * mask - 1)], 1)
        torch.testing.assert_close(Blend()(drawn, x), mask * content + (1 - mask) * x)
    assert torch.equal(Blend()(torch.cat([content, -torch.ones(2, 1, 4, 4)], 1), x), x)


def test_an_untrained_generator_leaves_most_of_the_picture():
    torch.manual_seed(0)
    x = torch.rand(1, 3, 32, 32) * 2 - 1
    y = AttributeResnet(z_dim=2, width=8, most=8, blocks=1)(x, torch.zeros(1, 2))
    assert torch.corrcoef(torch.stack([x.flatten(), y.detach().flatten()]))[0, 1] > 0.95


def test_the_published_networks_have_the_published_sizes():
    """8.4 million weights of G for 5 attributes, 44.8 of D for 8 expressions, at 128 px."""
    count = lambda net: sum(p.numel() for p in net.parameters())  # noqa: E731
    G, D = StarResnet(z_dim=5), LabelDiscriminator(size=128, classes=8)
    assert count(G) == 8_430_528 and count(D) == 44_786_624
    scores, labels = D(torch.zeros(2, 3, 128, 128))
    assert scores.shape == (2, 1, 2, 2) and labels.shape == (2, 8)


@pytest.mark.parametrize("size", [32, 64, 100])
def test_the_discriminator_takes_any_size(size):
    scores, labels = LABEL_DISCRIMINATORS["label"](size=size, classes=4, width=4)(torch.zeros(1, 3, size, size))
    assert labels.shape == (1, 4) and scores.ndim == 4
    with pytest.raises(OptionError, match="discriminator.norm should be one of none, spectral, got 'batch'"):
        LabelDiscriminator(norm="batch")
