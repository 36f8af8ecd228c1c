import pytest

from translate.cli.parsing import complete_words
from translate.cli.run import main


def test_a_range_that_begins_with_a_minus_belongs_to_its_option():
    words = ["--a", "x", "--value-range", "-1000,3000", "--steps", "3"]
    assert complete_words(words, {}) == ["--a", "x", "--value-range=-1000,3000", "--steps", "3"]
    with pytest.raises(SystemExit) as caught:
        main("translate-folder", ["--model", "m", "--input", "i", "--output", "o", "--value-range", "-1"])
    assert caught.value.code in (1, 2)


def test_an_option_without_its_value_gets_one_and_a_value_of_the_same_name_does_not():
    bare = {"labels": "auto", "grow": "0.5"}
    words = ["--images", "labels", "--labels", "--grow", "0.3", "--grow"]
    completed = ["--images", "labels", "--labels", "auto", "--grow", "0.3", "--grow", "0.5"]
    assert complete_words(words, bare) == completed
