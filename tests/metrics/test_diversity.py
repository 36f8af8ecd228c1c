import numpy as np
import pytest
import torch

from translate.metrics.diversity import nearest_neighbours, pairwise_spread, thumbnails


def test_spread_is_the_mean_distance_of_the_pairs_of_small_copies():
    x = torch.rand(5, 3, 48, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    small = x.reshape(5, 3, 16, 3, 16, 2).mean(dim=(3, 5)).numpy()
    pairs = [np.sqrt(np.mean((small[i] - small[j]) ** 2)) for i in range(5) for j in range(i)]
    assert pairwise_spread(x) == pytest.approx(np.mean(pairs), rel=1e-5)


def test_spread_tells_a_collapse_and_no_grain():
    g = torch.Generator().manual_seed(0)
    varied = torch.rand(8, 1, 4, 4, generator=g).repeat_interleave(8, 2).repeat_interleave(8, 3) * 2 - 1
    grain = varied[:1] + 0.1 * torch.randn(8, 1, 32, 32, generator=g)
    assert pairwise_spread(varied[:1].expand(8, -1, -1, -1)) == 0
    assert pairwise_spread(grain) < 0.15 * pairwise_spread(varied)
    assert pairwise_spread(torch.stack([torch.ones(3, 8, 8), -torch.ones(3, 8, 8)])) == 2


def test_nearest_is_that_of_brute_force_and_equal_rows_are_0_apart():
    g = torch.Generator().manual_seed(0)
    samples, bank = torch.randn(30, 7, generator=g) + 100, torch.randn(50, 7, generator=g) + 100
    samples[3] = bank[41]
    away, places = nearest_neighbours(samples, bank)
    brute = ((samples[:, None] - bank[None]) ** 2).sum(2).sqrt().numpy()
    np.testing.assert_allclose(away.numpy(), brute.min(1), rtol=1e-5)
    np.testing.assert_array_equal(places.numpy(), brute.argmin(1))
    assert away[3] == 0 and places[3] == 41


def test_small_copies_of_bfloat16_with_gradients_are_plain_numbers():
    x = torch.zeros(2, 1, 20, 20, dtype=torch.bfloat16, requires_grad=True)
    copies = thumbnails(x)
    assert copies.shape == (2, 256) and copies.dtype == torch.float32 and not copies.requires_grad
