"""Statistics of neighbourhoods against their definition, and against those of the whole picture."""

import numpy as np
import pytest
import torch

from tests.inference.tiling.test_tiling import made, run, translator
from translate.inference.tiling.feature_maps import MemoryPlan
from translate.inference.tiling.local_norm import LocalMoments
from translate.inference.tiling.regions import Region, crop, tiles
from translate.utils.errors import OptionError

WHOLE = Region(0, 40, 0, 60)


def gathered(x, cell, tile):
    moments = LocalMoments(*x.shape[2:], cell)
    for region in tiles(*x.shape[2:], tile):
        moments.merge(moments.partial(crop(x, WHOLE, region), region))
    return moments


def by_definition(x, cell):
    """Each cell with its neighbours by explicit sums; linear between the centres by numpy."""
    _, channels, height, width = x.shape
    rows, columns = round(height / cell), round(width / cell)
    at = [np.linspace(0, height, rows + 1).round().astype(int), np.linspace(0, width, columns + 1).round().astype(int)]
    result = np.empty((channels, height, width))
    for c in range(channels):
        found = np.empty((2, rows, columns))
        for i in range(rows):
            for j in range(columns):
                values, weights = [], []
                for k in range(max(0, i - 1), min(rows, i + 2)):
                    for m in range(max(0, j - 1), min(columns, j + 2)):
                        part = x[0, c, at[0][k] : at[0][k + 1], at[1][m] : at[1][m + 1]].ravel()
                        values.append(part)
                        weights.append(np.full(len(part), (2 - abs(i - k)) * (2 - abs(j - m))))
                values, weights = np.concatenate(values), np.concatenate(weights)
                mean = np.average(values, weights=weights)
                found[:, i, j] = mean, np.average((values - mean) ** 2, weights=weights)
        maps = []
        for grid in found:
            along = [np.interp(np.arange(width) + 0.5, (at[1][:-1] + at[1][1:]) / 2, row) for row in grid]
            down = (at[0][:-1] + at[0][1:]) / 2
            maps.append(np.stack([np.interp(np.arange(height) + 0.5, down, line) for line in np.array(along).T], 1))
        result[c] = (x[0, c] - maps[0]) / np.sqrt(maps[1] + 1e-5)
    return result


@pytest.mark.parametrize("cell", [10, 13.0, 20])
@pytest.mark.parametrize("tile", [16, 23, 60])
def test_local_moments_match_their_definition(cell, tile):
    x = torch.randn(1, 3, 40, 60) * torch.linspace(0.5, 3, 60) + torch.linspace(-2, 4, 40)[:, None]
    moments = gathered(x, cell, tile)
    expected = torch.from_numpy(by_definition(x.double().numpy(), cell))[None].float()
    torch.testing.assert_close(moments.normalise(x, WHOLE, 1e-5), expected, rtol=1e-4, atol=1e-4)
    part = Region(7, 31, 20, 55)
    found = moments.normalise(crop(x, WHOLE, part), part, 1e-5)
    torch.testing.assert_close(found, crop(expected, WHOLE, part), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", ["resnet", "resnet, batch norm", "style_resnet"])
def test_a_single_cell_gives_the_moments_of_the_whole_picture(kind):
    net, x = made(kind), torch.rand(1, 3, 64, 48) * 2 - 1
    z = torch.randn(1, 4) if net.z_dim else None
    exact = run(net, x, z, MemoryPlan(32))
    torch.testing.assert_close(run(net, x, z, MemoryPlan(32, norm_cell=512)), exact, rtol=0, atol=1e-5)


def test_halves_are_normalised_separately_without_a_step_between_them():
    net = made("resnet")
    torch.manual_seed(1)
    x = torch.rand(1, 3, 64, 512) * 0.2
    x[..., 256:] = x[..., 256:] * 4 - 1
    alone = run(net, x[..., :256], None, MemoryPlan(64, norm_cell=64))
    both = run(net, x, None, MemoryPlan(64, norm_cell=64))
    exact = run(net, x, None, MemoryPlan(64))
    far = (..., slice(0, 64))  # three cells and the reach of the network away from the other half
    assert (both[far] - alone[far]).abs().max() < 0.1 * (exact[far] - alone[far]).abs().max()
    steps = (both[..., 1:] - both[..., :-1]).abs().mean((0, 1, 2))
    assert steps[[63, 127, 191, 319, 383, 447]].max() < 1.5 * steps.median()  # where cells meet


def test_a_translator_with_local_statistics(monkeypatch):
    t = translator("resnet")
    image = np.random.default_rng(0).integers(0, 255, (70, 90, 3), np.uint8)
    local = t.with_norm_statistics("local")
    assert np.abs(local(image).astype(int) - t(image)).max() <= 1  # smaller than a neighbourhood
    monkeypatch.setattr("translate.inference.runner.LOCAL_NORM_CELL_PX", 24)
    assert np.abs(local(image).astype(int) - t(image)).max() > 1


def test_models_of_drawings_have_no_local_statistics():
    t = translator("resnet")
    t.recipe.facts["sketch"] = True
    with pytest.raises(OptionError, match="local statistics are not for models of line drawings or with hints"):
        t.with_norm_statistics("local")
