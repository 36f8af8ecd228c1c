import numpy as np
import pytest
import torch

from translate.evaluation.memorization import check_memory
from translate.utils.errors import UserError


def pictures(count, seed):
    return torch.randn(count, 12, generator=torch.Generator().manual_seed(seed))


def flipped(rows):
    return rows.flip(1)


TRAIN, HELD_OUT = pictures(300, 0), pictures(300, 1)


def test_new_pictures_are_not_flagged():
    check = check_memory(pictures(300, 2), TRAIN, HELD_OUT)
    assert check.median == pytest.approx(1, abs=0.05) and check.low > 0.6
    assert not check.remembers and check.verdict().startswith("no sign")
    assert check.copies < 0.02 and check.copies_real < 0.02


def test_numbers_are_those_of_the_definition():
    samples, train, held_out = pictures(20, 2), TRAIN[:30], HELD_OUT[:30]
    away = [[np.linalg.norm(s - t, axis=1).min() for s in samples.numpy()] for t in (train.numpy(), held_out.numpy())]
    ratios = np.array(away[0]) / np.array(away[1])
    check = check_memory(samples, train, held_out)
    assert check.median == pytest.approx(np.median(ratios), rel=1e-5)
    assert check.low == pytest.approx(np.quantile(ratios, 0.05), rel=1e-5)
    assert check.copies == np.mean(ratios < 0.5)
    real = [np.delete(held_out.numpy(), i, 0) for i in range(30)]
    others = [np.linalg.norm(h - rest, axis=1).min() for h, rest in zip(held_out.numpy(), real, strict=True)]
    known = [np.linalg.norm(h - train.numpy(), axis=1).min() for h in held_out.numpy()]
    assert check.low_real == pytest.approx(np.quantile(np.array(known) / others, 0.05), rel=1e-4)


@pytest.mark.parametrize("seed", range(6))
def test_simple_sets_where_twins_come_by_chance_are_not_flagged(seed):
    simple = [pictures(count, 10 * seed + i)[:, :2] for i, count in enumerate((600, 900, 600))]
    check = check_memory(*simple)
    assert check.low < 0.5 and check.copies > 0.1  # by the bare limits it would be
    assert not check.remembers
    check = check_memory(simple[1][:100] + 1e-4, *simple[1:])
    assert check.remembers


@pytest.mark.parametrize("share", [1.0, 0.1])
def test_remembered_pictures_are_flagged_even_if_few(share):
    samples = pictures(300, 2)
    count = int(300 * share)
    samples[:count] = TRAIN[:count] + 0.01 * samples[:count]
    check = check_memory(samples, TRAIN, HELD_OUT)
    assert check.remembers and "WARNING" in check.verdict()
    assert check.copies == pytest.approx(share, abs=0.02)


def test_copies_are_found_in_a_training_set_much_larger_than_the_held_out_one():
    check = check_memory(TRAIN[1:200:10], TRAIN, HELD_OUT[:20])
    assert (check.compared, check.training) == (20, 300)
    assert check.median > 0.9 and check.copies == 1 and check.remembers


def test_mirrored_copies_count_where_training_mirrors():
    samples = flipped(TRAIN)
    assert not check_memory(samples, TRAIN, HELD_OUT).remembers
    check = check_memory(samples, TRAIN, HELD_OUT, flipped)
    assert check.remembers and check.copies == 1 and check.copies_real < 0.02


def test_twins_among_real_pictures_are_no_sign():
    both = pictures(100, 3)  # the same pictures were put into both parts
    check = check_memory(both, both, both)
    assert check.median == check.low == 1 and check.copies == 0
    assert check.copies_real == 1 and not check.remembers


@pytest.mark.parametrize(("samples", "train", "held_out"), [(0, 9, 9), (5, 1, 9), (5, 9, 1)])
def test_too_few_pictures(samples, train, held_out):
    with pytest.raises(UserError, match="2 pictures of each set"):
        check_memory(TRAIN[:samples], TRAIN[:train], HELD_OUT[:held_out])
