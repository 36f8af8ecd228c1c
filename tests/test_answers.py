import numpy as np
import pytest
import torch

from translate.answers import blend, choose_answers
from translate.errors import OptionError


def codes(*arguments, **options):
    answers, several = choose_answers(*arguments, **options)
    return [answer.z for answer in answers], several


def test_without_a_wish_there_is_one_answer_without_chance():
    for z_dim, varies in ((0, False), (0, True), (8, True)):
        (answer,), several = choose_answers(z_dim, varies)
        assert answer.z is None and answer.seed is None and not several


def test_answer_k_is_a_function_of_seed_and_k_alone():
    state = torch.get_rng_state()
    four, several = codes(8, True, count=4, seed=5)
    two, _ = codes(8, True, count=2, seed=5)
    (one,), single = codes(8, True, seed=5)
    assert several and not single
    assert all(torch.equal(a, b) for a, b in zip(four, two, strict=False)) and torch.equal(four[0], one)
    assert not torch.equal(four[0], four[1]) and not torch.equal(one, codes(8, True, seed=6)[0][0])
    assert torch.equal(codes(8, True, count=1)[0][0], codes(8, True, seed=0)[0][0])
    assert torch.equal(torch.get_rng_state(), state)
    for k, z in enumerate(four):
        entropy = int(np.random.SeedSequence([5, k]).generate_state(1, np.uint64)[0]) // 2
        assert torch.equal(z, torch.randn(8, generator=torch.Generator().manual_seed(entropy)))


def test_the_drawn_looks_are_normal():
    z = torch.stack(codes(8, True, count=500)[0])
    assert z.mean().abs() < 0.05 and abs(z.std() - 1) < 0.05 and torch.corrcoef(z.T).fill_diagonal_(0).abs().max() < 0.2


def test_models_with_chance_but_no_z_get_seeds():
    answers, _ = choose_answers(0, True, count=3, seed=1)
    seeds = [answer.seed for answer in answers]
    assert len(set(seeds)) == 3 and all(0 <= seed < 2**63 for seed in seeds) and answers[0].z is None
    assert seeds[:2] == [answer.seed for answer in choose_answers(0, True, count=2, seed=1)[0]]


@pytest.mark.parametrize("kind", [np.array, torch.tensor, list])
def test_a_given_z_is_one_answer_and_rows_are_a_list(kind):
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
def test_wrong_wishes_are_one_line(options, message):
    with pytest.raises(OptionError, match=message) as caught:
        choose_answers(3, True, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("option", ["count", "seed"])
def test_a_model_with_one_answer_says_so(option):
    with pytest.raises(OptionError, match=f"this model has one answer per picture; leave out {option}"):
        choose_answers(0, False, **{option: 1})
    for varies in (False, True):
        with pytest.raises(OptionError, match="this model has no z; leave it out"):
            choose_answers(0, varies, z=np.zeros(8))


# ---- from one look to another


def test_a_blend_goes_evenly_round_the_origin():
    steps = blend(np.array([2.0, 0, 0]), np.array([0, 4.0, 0]), 5)
    assert steps.shape == (5, 3) and steps.dtype == np.float32
    assert np.allclose(steps[0], [2, 0, 0]) and np.allclose(steps[-1], [0, 4, 0], atol=1e-6)
    assert np.allclose(np.linalg.norm(steps, axis=1), [2, 2.5, 3, 3.5, 4])
    assert np.allclose(np.degrees(np.arctan2(steps[:, 1], steps[:, 0])), [0, 22.5, 45, 67.5, 90])


def test_looks_on_one_line_are_blended_straight():
    for one, two in [([1, 1], [3, 3]), ([0, 0], [2, 4]), ([1, 0], [1, 0]), ([1, 0], [-1, 0])]:
        steps = blend(torch.tensor(one, dtype=torch.float32), two, 3)
        assert np.allclose(steps, [one, (np.array(one) + two) / 2, two])


def test_looks_that_do_not_blend():
    with pytest.raises(OptionError, match=r"shapes \(2,\) and \(3,\) cannot be blended"):
        blend(np.zeros(2), np.zeros(3), 4)
    with pytest.raises(OptionError, match="1 steps lead from no look to another; give 2 or more"):
        blend(np.zeros(2), np.ones(2), 1)
