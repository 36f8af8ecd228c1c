import numpy as np
import pytest
import torch

from translate.inference.request import blend, choose_variants
from translate.utils.errors import OptionError


def codes(*arguments, **options):
    answers, several = choose_variants(*arguments, **options)
    return [answer.z for answer in answers], several


def test_the_default_is_one_deterministic_variant():
    for z_dim, varies in ((0, False), (0, True), (8, True)):
        (answer,), several = choose_variants(z_dim, varies)
        assert answer.z is None and answer.seed is None and not several


def test_variant_k_is_a_function_of_seed_and_k():
    def seeds(**wanted):
        answers, several = choose_variants(8, True, **wanted)
        assert all(answer.z is None for answer in answers)
        return [answer.seed for answer in answers], several

    four, several = seeds(count=4, seed=5)
    two, _ = seeds(count=2, seed=5)
    one, single = seeds(seed=5)
    assert several and not single
    assert four[:2] == two and four[:1] == one
    assert len({*four, *seeds(count=4, seed=6)[0]}) == 8 and all(0 <= seed < 2**63 for seed in four)
    assert seeds(count=1)[0] == seeds(seed=0)[0]
    assert choose_variants(0, True, count=4, seed=5)[0][3].seed == four[3]


@pytest.mark.parametrize("kind", [np.array, torch.tensor, list])
def test_one_z_is_a_variant_and_rows_are_a_list(kind):
    z = [0.5, -1.0, 2.0]
    (one,), several = codes(3, True, z=kind(z))
    assert one.tolist() == z and one.dtype == torch.float32 and not several
    two, several = codes(3, True, z=kind([z, z]))
    assert [row.tolist() for row in two] == [z, z] and several


@pytest.mark.parametrize(
    "options, message",
    [
        ({"count": 0}, "count 0 is out of range; give a whole number from 1 on"),
        ({"count": -2}, "count -2 is out of range"),
        ({"count": 1.5}, "count 1.5 is out of range"),
        ({"count": True}, "count True is out of range"),
        ({"count": "4"}, "count '4' is out of range"),
        ({"seed": -1}, "seed -1 is out of range; give a whole number from 0 on"),
        ({"z": np.zeros(3), "seed": 1}, "z says which answers are meant; leave out count and seed"),
        ({"z": np.zeros(3), "count": 2}, "z says which answers are meant"),
        ({"z": np.zeros(4)}, r"z has shape \(4,\); this model takes \(3,\) or \(n, 3\)"),
        ({"z": np.zeros((2, 2, 3))}, r"z has shape \(2, 2, 3\)"),
        ({"z": np.zeros((0, 3))}, r"z has shape \(0, 3\)"),
        ({"z": np.float32(1)}, r"z has shape \(\)"),
        ({"z": "abc"}, r"z is a str that is no array of numbers; give \(3,\) numbers"),
        ({"z": np.array([0, np.nan, 0])}, "not finite"),
    ],
)
def test_wrong_requests_are_refused_in_one_line(options, message):
    with pytest.raises(OptionError, match=message) as caught:
        choose_variants(3, True, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("option", ["count", "seed"])
def test_a_deterministic_model_refuses_variants(option):
    with pytest.raises(OptionError, match=f"this model has one answer per picture; leave out {option}"):
        choose_variants(0, False, **{option: 1})
    for varies in (False, True):
        with pytest.raises(OptionError, match="this model has no z; leave it out"):
            choose_variants(0, varies, z=np.zeros(8))


# ---- from one look to another


def test_a_blend_is_an_even_arc_around_the_origin():
    steps = blend(np.array([2.0, 0, 0]), np.array([0, 4.0, 0]), 5)
    assert steps.shape == (5, 3) and steps.dtype == np.float32
    assert np.allclose(steps[0], [2, 0, 0]) and np.allclose(steps[-1], [0, 4, 0], atol=1e-6)
    assert np.allclose(np.linalg.norm(steps, axis=1), [2, 2.5, 3, 3.5, 4])
    assert np.allclose(np.degrees(np.arctan2(steps[:, 1], steps[:, 0])), [0, 22.5, 45, 67.5, 90])


def test_parallel_style_codes_are_blended_linearly():
    for one, two in [([1, 1], [3, 3]), ([0, 0], [2, 4]), ([1, 0], [1, 0]), ([1, 0], [-1, 0])]:
        steps = blend(torch.tensor(one, dtype=torch.float32), two, 3)
        assert np.allclose(steps, [one, (np.array(one) + two) / 2, two])


def test_style_codes_that_cannot_be_blended():
    with pytest.raises(OptionError, match=r"shapes \(2,\) and \(3,\) cannot be blended"):
        blend(np.zeros(2), np.zeros(3), 4)
    with pytest.raises(OptionError, match="1 steps lead from no look to another; give 2 or more"):
        blend(np.zeros(2), np.ones(2), 1)
