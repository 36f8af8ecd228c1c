import cv2
import numpy as np
import pytest
import torch

from translate.inference.latent.hog import ORIENTATIONS, cell_size, oriented_gradients, pool_triangular


def stripes(degrees):
    """Waves whose gradient runs at an angle to the x axis."""
    y, x = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    angle = np.deg2rad(degrees)
    return torch.sin((x * np.cos(angle) + y * np.sin(angle)) / 2)[None, None]


@pytest.mark.parametrize("k", range(ORIENTATIONS))
@pytest.mark.parametrize("turned", [0, 180])
def test_each_orientation_has_its_own_vote(k, turned):
    histogram = oriented_gradients(stripes(k * 180 / ORIENTATIONS + turned), 8)[0, :, 2:-2, 2:-2]
    assert (histogram.argmax(0) == k).all() and (histogram[k] > 0.95).all()
    between = oriented_gradients(stripes((k + 0.5) * 180 / ORIENTATIONS), 8)[0, :, 2:-2, 2:-2]
    assert torch.allclose(between[k], between[(k + 1) % ORIENTATIONS], atol=0.1)


def test_an_upright_line_has_orientation_0_at_any_contrast():
    picture = np.full((64, 64), 255, np.uint8)
    cv2.line(picture, (20, 0), (20, 63), 0, 2)
    x = torch.from_numpy(picture)[None, None] / 127.5 - 1
    histogram = oriented_gradients(x, 8)[0]
    assert histogram.shape == (8, 8, 8)
    assert (histogram[0, 1:-1, 2] > 0.9).all() and (histogram[:, :, 5:] < 0.01).all()
    assert torch.allclose(oriented_gradients(0.5 * x, 8)[0, 0, :, 2], histogram[0, :, 2], atol=0.05)


def test_windows_are_triangles():
    x = torch.rand(1, 2, 32, 32, generator=torch.Generator().manual_seed(0))
    weight = np.minimum(np.arange(8) + 0.5, 7.5 - np.arange(8)) / 4
    wanted = np.einsum("i,j,cij->c", weight, weight, x[0, :, 6:14, 2:10].numpy()) / weight.sum() ** 2
    assert pool_triangular(x, 4).shape == (1, 2, 8, 8)
    assert pool_triangular(x, 4)[0, :, 2, 1].numpy() == pytest.approx(wanted, rel=1e-5)


def test_gradients_are_finite_even_on_a_flat_picture():
    flat = torch.zeros(1, 3, 32, 32, requires_grad=True)
    oriented_gradients(flat, cell_size(32)).sum().backward()
    assert torch.isfinite(flat.grad).all()
