import cv2
import numpy as np
import pytest

from tests.conftest import picture
from translate.data.checks.contents import MIN_EXCESS, excess_variation, layouts_of
from translate.data.checks.full_check import check_data


def scene(seed, *, painted=False, snow=False):
    """Sky above ground of varying brightness; a painting has other colours, less contrast and coarse strokes."""
    rng = np.random.default_rng(seed)
    pixels = np.empty((64, 64, 3), np.float64)
    horizon = int(rng.integers(26, 38))
    pixels[:horizon] = rng.uniform(140, 220) * np.array([1.0, 0.9, 0.7])
    pixels[horizon:] = rng.uniform(60, 120) * np.array([0.6, 1.0, 0.5])
    pixels += (picture(seed, 64, 64, 6.0).astype(float) - 127) * 0.4
    if snow:
        pixels[horizon:] = 235
    if painted:
        pixels = 40 + 0.7 * pixels[..., ::-1] + 12 * rng.standard_normal((32, 32, 3)).repeat(2, 0).repeat(2, 1)
    return np.clip(pixels, 0, 255).astype(np.uint8)


def layouts(count, start, **options):
    small = [cv2.resize(scene(start + i, **options), (32, 32), interpolation=cv2.INTER_AREA) for i in range(count)]
    return layouts_of(np.stack(small))


def test_layouts_are_means_of_cells():
    thumbnail = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), np.uint8)
    found = layouts_of(thumbnail).reshape(2, 8, 8)
    expected = thumbnail[1, 8:12, 20:24].mean((0, 1)) @ (0.299, 0.587, 0.114) / 255
    assert found[1, 2, 5] == pytest.approx(expected, rel=1e-5)


def test_a_style_is_no_content_and_snow_is():
    photos = layouts(100, 0)
    assert excess_variation(photos, layouts(100, 1000)) < MIN_EXCESS / 2
    assert excess_variation(photos, layouts(100, 1000, painted=True)) < MIN_EXCESS
    some = np.concatenate([layouts(60, 1000, painted=True), layouts(40, 2000, painted=True, snow=True)])
    assert excess_variation(photos, some) > MIN_EXCESS
    assert excess_variation(photos, some) == excess_variation(photos, some)


def test_equal_pictures_have_no_excess():
    assert abs(excess_variation(np.ones((60, 64)), np.ones((60, 64)))) < 1e-6


def test_the_check_names_the_domain_that_varies(tmp_path):
    for name, kinds in (
        ("photos", [{}] * 70),
        ("monet", [{"painted": True}] * 40 + [{"painted": True, "snow": True}] * 30),
    ):
        (tmp_path / name).mkdir()
        for i, kind in enumerate(kinds):
            cv2.imwrite(str(tmp_path / name / f"{i:02d}.png"), scene(1000 * len(name) + i, **kind))
    names = [str(tmp_path / name) for name in ("photos", "monet")]
    [finding] = [one for one in check_data(*names).findings if one.kind == "contents"]
    assert finding.words.startswith("monet vary more in their layout than photos (") and not finding.problem
