from translate.utils.sequences import spread, subsample


def test_spread_reaches_from_end_to_end():
    assert spread(range(10), 4) == [0, 3, 6, 9]
    assert spread([1, 2], 4) == [1, 2]
    assert spread([], 4) == []


def test_subsample_takes_the_first_of_each_part():
    assert subsample(range(10), 4) == [0, 2, 5, 7]
    assert subsample([1, 2], 4) == subsample([1, 2], None) == [1, 2]
