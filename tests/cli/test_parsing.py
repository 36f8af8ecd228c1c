import pytest

from translate.cli.parsing import complete_words
from translate.cli.run import main


def test_a_range_that_begins_with_a_minus_belongs_to_its_option():
    words = ["--a", "x", "--value-range", "-1000,3000", "--steps", "3"]
    assert complete_words(words, {}) == ["--a", "x", "--value-range=-1000,3000", "--steps", "3"]
    with pytest.raises(SystemExit) as caught:
        main("translate-folder", ["--model", "m", "--input", "i", "--output", "o", "--value-range", "-1"])
    assert caught.value.code in (1, 2)


def test_options_without_a_value_get_their_implied_value():
    implied = {"labels": "auto", "grow": "0.5"}
    assert complete_words(["--labels"], implied) == ["--labels", "auto"]
    assert complete_words(["--labels", "--steps", "3", "--grow"], implied) == [
        "--labels",
        "auto",
        "--steps",
        "3",
        "--grow",
        "0.5",
    ]
    assert complete_words(["--labels", "x.csv", "--grow=0.2"], implied) == ["--labels", "x.csv", "--grow=0.2"]
    assert complete_words(["--labels"], {}) == ["--labels"]
    # a value with the name of an option is no option
    assert complete_words(["--images", "labels", "--grow"], implied) == ["--images", "labels", "--grow", "0.5"]
