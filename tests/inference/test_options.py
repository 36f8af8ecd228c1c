from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from translate.inference.options import FolderOptions, VideoOptions, build_request
from translate.utils.errors import OptionError


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        (FolderOptions, {"quality": 0}, "quality 0 is out of range; choose 1 to 100"),
        (VideoOptions, {"quality": 101}, "quality 101 is out of range; choose 1 to 100"),
        (FolderOptions, {"seed": 1, "looks": ["x.png"]}, "leave out --look or --seed"),
        (VideoOptions, {"seed": 1, "looks": ["x.png"]}, "leave out --look or --seed"),
        (FolderOptions, {"looks": ["x.png"], "count": 2}, "give one --look, without --count, or two with --count N"),
        (FolderOptions, {"looks": ["x.png", "y.png"]}, "or two with --count N: the steps from one to the other"),
        (FolderOptions, {"invert_masks": True}, "are about --masks; give these too"),
        (FolderOptions, {"resize_masks": True}, "are about --masks; give these too"),
        (VideoOptions, {"looks": ["x.png", "y.png"]}, "a film has one look; give --look once"),
    ],
)
def test_options_that_are_wrong_for_any_model(kind, options, message):
    with pytest.raises(OptionError, match=message):
        kind(**options)


def test_options_do_not_change():
    with pytest.raises(FrozenInstanceError):
        FolderOptions().count = 2


class Model:
    """Records requests; the style code of photo "k" is (k, 1)."""

    def request(self, direction, **options):
        return direction, options

    def style_code(self, photo):
        return np.array([float(photo), 1.0])


def test_a_request_has_the_seed_or_the_style_codes():
    options = FolderOptions(direction="ab", count=2, seed=3, scale="native")
    assert build_request(Model(), options, options.count) == (
        "ab",
        {"count": 2, "seed": 3, "strength": None, "to": None, "scale": "native"},
    )
    _, one = build_request(Model(), VideoOptions(looks=["5"]))
    assert one["z"].tolist() == [5, 1] and one["scale"] == "fit"
    _, steps = build_request(Model(), FolderOptions(looks=["0", "3"], count=3), 3)
    assert steps["z"].shape == (3, 2) and np.allclose(steps["z"][[0, -1]], [[0, 1], [3, 1]])
