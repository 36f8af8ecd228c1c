import numpy as np
import pytest
import torch

from translate.inference.latent.directions import draw_along_direction, find_directions, principal_components
from translate.utils.errors import OptionError


def styles_of(sampler, count, label=None):
    return sampler.styles_of(range(count), label).numpy().astype(np.float64)


@pytest.mark.parametrize("label", [None, "dogs"])
def test_directions_are_the_principal_components_of_styles(labelled, label):
    found = find_directions(labelled, count=4, samples=300, label=label)
    styles = styles_of(labelled, 300, label)
    values, vectors = np.linalg.eigh(np.cov(styles.T))
    assert np.allclose(found.mean, styles.mean(0), atol=1e-5)
    assert np.allclose(found.stds, np.sqrt(values[::-1][:4]), rtol=1e-4)
    _, _, right = np.linalg.svd(styles - styles.mean(0))
    for mine, one, other in zip(found.vectors.numpy(), vectors.T[::-1][:4], right, strict=False):
        assert abs(mine @ one) == pytest.approx(1, abs=1e-4)
        assert abs(mine @ other) == pytest.approx(1, abs=1e-4)


def test_the_sign_is_fixed(sampler):
    styles = sampler.styles_of(range(100))
    axes, mirrored = principal_components(styles, 5), principal_components(-styles, 5)
    assert (axes.vectors.gather(1, axes.vectors.abs().argmax(1, keepdim=True)) > 0).all()
    assert torch.allclose(axes.vectors, mirrored.vectors, atol=1e-5)
    again = find_directions(sampler, count=5)
    assert torch.equal(again.vectors, find_directions(sampler, count=5).vectors)


def test_a_slider_moves_along_one_direction_by_standard_deviations(sampler):
    directions = find_directions(sampler, count=3)
    w = sampler.styles_of([5])[0]
    pictures = draw_along_direction(sampler, w, directions, 1, [-2, 0, 2.5])
    assert pictures.shape == (3, 32, 32, 3) and pictures.dtype == np.uint8
    assert (pictures[1] == sampler(seed=5)[0]).all()
    moved = w + 2.5 * directions.stds[1] * directions.vectors[1]
    assert (pictures[2] == sampler.draw(moved[None])[0]).all()
    assert (pictures[0] != pictures[2]).any()


def test_the_first_direction_changes_pictures_more_than_the_last(sampler):
    directions = find_directions(sampler, count=8)
    w = sampler.styles_of([5])[0]
    change = [
        np.ptp(draw_along_direction(sampler, w, directions, which, [-1, 1]).astype(int), axis=0).mean()
        for which in (0, 7)
    ]
    assert change[0] > change[1]


@pytest.mark.parametrize("count", [0, 13])
def test_more_directions_than_dimensions(sampler, count):
    with pytest.raises(OptionError, match=f"{count} directions: this model's styles have 1 to 12"):
        find_directions(sampler, count=count)


@pytest.mark.parametrize("which", [-1, 2])
def test_a_direction_that_does_not_exist(sampler, which):
    directions = find_directions(sampler, count=2, samples=50)
    with pytest.raises(OptionError, match=f"direction {which} does not exist; choose 0 to 1"):
        draw_along_direction(sampler, directions.mean, directions, which, [1])


def test_an_unknown_label(labelled):
    with pytest.raises(OptionError, match="fish"):
        find_directions(labelled, label="fish")
