"""The halves of held-out pictures: by name, stable, and about as large as each other."""

from pathlib import Path

from translate.data.files.halves import MIN_HALF, is_choosing, split_halves

NAMES = [f"photo_{i:04d}" for i in range(400)]


def test_every_picture_is_in_one_half_whatever_others_there_are():
    whole = split_halves("photos", NAMES, str)
    assert sorted(whole.choosing + whole.reporting) == NAMES and not set(whole.choosing) & set(whole.reporting)
    assert 170 < len(whole.choosing) < 230
    some = split_halves("photos", NAMES[::3], str)
    assert set(some.choosing) <= set(whole.choosing) and set(some.reporting) <= set(whole.reporting)


def test_the_halves_stay_the_same_in_later_versions():
    expected = [False, True, False, False, True, False, True, True, False, False, True, False]
    assert [is_choosing(name) for name in NAMES[:12]] == expected


def test_the_hash_is_not_the_one_that_holds_pictures_out():
    from translate.data.files.splits import choose_held_out

    held = choose_held_out([Path(f"{name}.png") for name in NAMES], lambda path: path.stem)
    halves = split_halves("photos", held, lambda path: path.stem)
    assert len(held) == 40 and 10 <= len(halves.choosing) <= 30


def test_a_half_has_enough_pictures_from_16_on():
    assert MIN_HALF == 16
    both = split_halves("x", NAMES[:40], str)
    assert both.enough == (min(len(both.choosing), len(both.reporting)) >= 16)
    assert not split_halves("x", NAMES[:20], str).enough
    assert str(split_halves("x", [], str)) == "x has 0 and 0 pictures in its held-out halves"
