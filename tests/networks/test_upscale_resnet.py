import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tests.conftest import picture
from translate.images.samples import cubic_weights
from translate.images.tensors import to_tensor
from translate.networks.upscale_resnet import Enlarge, Trunk, UpscaleResnet
from translate.utils.errors import OptionError


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_it_starts_as_the_bicubic_enlargement_at_the_larger_size(scale):
    torch.manual_seed(0)
    x = to_tensor(picture(0, 11, 17))
    y = UpscaleResnet(scale=scale, width=16, blocks=2)(x)
    assert y.shape == (1, 3, 11 * scale, 17 * scale)
    assert (y - Enlarge(scale)(x)).abs().mean() < 0.1


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_enlargement_is_the_cubic_of_the_literature(scale):
    """Against Pillow's, which has the same coefficient, away from the border, where it normalises differently."""
    from PIL import Image

    gray = picture(1, 20, 24)[..., 0].astype(np.float32)
    expected = np.asarray(Image.fromarray(gray).resize((24 * scale, 20 * scale), Image.Resampling.BICUBIC))
    found = Enlarge(scale)(torch.from_numpy(gray)[None, None])[0, 0].numpy()
    inner = slice(3 * scale, -3 * scale)
    np.testing.assert_allclose(found[inner, inner], expected[inner, inner], atol=1e-2)
    np.testing.assert_allclose(cubic_weights(scale).sum(1), 1, atol=1e-6)
    assert torch.equal(
        Enlarge(scale)(torch.full((1, 1, 5, 5), 0.25)).round(decimals=5), torch.full((1, 1, 5 * scale, 5 * scale), 0.25)
    )


def test_an_untrained_network_draws_no_screen_of_blocks():
    """On flat ground, all pixels of a block are equal but for the border."""
    torch.manual_seed(0)
    net = UpscaleResnet(width=16, blocks=2)
    torch.nn.init.normal_(net.head.weight, 0, 0.3)
    y = net(torch.full((1, 3, 20, 20), 0.3))[..., 32:48, 32:48]
    assert y.std(dim=(2, 3)).max() < 1e-5


def test_a_trunk_reaches_as_far_as_it_says():
    torch.manual_seed(0)
    trunk, x = Trunk(3, 8, 2), torch.rand(1, 3, 31, 31, requires_grad=True)
    grad = torch.autograd.grad(trunk(x)[0, :, 15, 15].sum(), x)[0].abs().sum((0, 1))
    rows = torch.nonzero(grad.sum(1)).flatten()
    assert (rows.min().item(), rows.max().item()) == (15 - trunk.reach, 15 + trunk.reach)


def test_wrong_options_get_one_line():
    with pytest.raises(OptionError, match="--scale should be 2, 3 or 4, got 5"):
        UpscaleResnet(scale=5)
    with pytest.raises(OptionError, match="a picture of 3 channels is enlarged to as many"):
        UpscaleResnet(out_channels=1)


def test_the_middle_of_a_block_is_that_of_opencv():
    gray = picture(2, 16, 16)[..., 0].astype(np.float32)
    ours = Enlarge(2)(torch.from_numpy(gray)[None, None])[0, 0].numpy()
    theirs = cv2.resize(gray, (32, 32), interpolation=cv2.INTER_CUBIC)
    assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.999
    assert F.mse_loss(torch.from_numpy(ours), torch.from_numpy(theirs)) < 20
