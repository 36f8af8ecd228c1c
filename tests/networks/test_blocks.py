import pytest
import torch
import torch.nn.functional as F

from translate.networks.blocks import InstanceNorm, reflect_pad
from translate.networks.patchgan import box_blur

LAYOUTS = (torch.contiguous_format, torch.channels_last)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("size", [(5, 7), (40, 36), (150, 130)])
def test_instance_norm_and_its_gradient_are_those_of_the_library(size, layout):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(3, 6, *size, generator=generator, dtype=torch.float64).mul(3).add(1)
    dy = torch.randn(x.shape, generator=generator, dtype=torch.float64).to(memory_format=layout)
    x = x.to(memory_format=layout).requires_grad_()
    y, expected = InstanceNorm(6)(x), F.instance_norm(x)
    torch.testing.assert_close(y, expected)
    torch.testing.assert_close(*(torch.autograd.grad(out, x, dy)[0] for out in (y, expected)))
    assert y.is_contiguous(memory_format=layout)


def test_in_bf16_the_gradient_is_right_to_its_precision_and_keeps_its_layout():
    x = torch.randn(2, 8, 40, 40, generator=torch.Generator().manual_seed(0)) + 2
    dy = torch.randn(2, 8, 40, 40, generator=torch.Generator().manual_seed(1))
    exact = x.clone().requires_grad_()
    (expected,) = torch.autograd.grad(F.instance_norm(exact), exact, dy)
    rough = x.bfloat16().to(memory_format=torch.channels_last).requires_grad_()
    (found,) = torch.autograd.grad(InstanceNorm(8)(rough), rough, dy.bfloat16())
    assert (found.float() - expected).norm() < 0.02 * expected.norm()
    assert found.is_contiguous(memory_format=torch.channels_last)


def test_the_formula_for_compilers_is_the_same_function():
    x = torch.randn(2, 4, 9, 9, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(InstanceNorm(4)._by_formula(x), F.instance_norm(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_mean_around_a_pixel_is_that_of_25(layout):
    x = torch.rand(2, 4, 12, 9, generator=torch.Generator().manual_seed(0)).to(memory_format=layout)
    expected = F.avg_pool2d(F.pad(x, (2, 2, 2, 2), mode="reflect"), 5, stride=1)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(box_blur(x), expected)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("border", "size"), [(1, (5, 4)), (1, (2, 2)), (3, (4, 9)), (3, (7, 7))])
def test_a_mirrored_border_and_its_gradient_are_those_of_the_library(border, size, layout):
    x = torch.rand(2, 3, *size, dtype=torch.float64).to(memory_format=layout).requires_grad_()
    expected = F.pad(x, (border,) * 4, mode="reflect")
    weights = torch.rand_like(expected)
    found = reflect_pad(x, border)
    assert torch.equal(found, expected)
    mine, theirs = (torch.autograd.grad((out * weights).sum(), x)[0] for out in (found, expected))
    torch.testing.assert_close(mine, theirs)
    assert mine.is_contiguous(memory_format=layout)


@pytest.mark.parametrize("size", [(130, 140), (1000, 1100)])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_large_plane_is_normalised_exactly(layout, size):
    """In float32, a sum over a megapixel loses four of its seven digits."""
    torch.manual_seed(0)
    x = (torch.randn(2, 3, *size) + torch.tensor([0.0, 1.0, 5.0])[:, None, None]).contiguous(memory_format=layout)
    variance, mean = torch.var_mean(x.double(), (2, 3), correction=0, keepdim=True)
    y = InstanceNorm(3)(x)
    assert (y - (x - mean) / (variance + 1e-5).sqrt()).abs().max() < 2e-5
    assert y.is_contiguous(memory_format=layout)
