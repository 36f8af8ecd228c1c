from pathlib import Path

import pytest

from translate.data.sources.factors import factors_of
from translate.data.sources.labelled_image import LabelledFile
from translate.utils.errors import UserError

TABLE = "file,hair,glasses,turn,always\n0.png,red,none,-3.5,x\n1.png,blue,none,12,x\n2.png,red,glasses,0,x\n"


def sources(folder: Path, count: int = 3):
    return [LabelledFile(f"{i}.png", -1, folder / f"{i}.png") for i in range(count)]


def test_factors_are_ordered_like_the_pictures_without_measurements_and_constants(tmp_path):
    (tmp_path / "factors.csv").write_text(TABLE)
    assert factors_of(sources(tmp_path)[::-1]) == {
        "hair": ["red", "blue", "red"],
        "glasses": ["glasses", "none", "none"],
    }


def test_every_folder_has_its_own_table(tmp_path):
    for folder, word in (("a", "black"), ("b", "white")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "factors.csv").write_text(f"file,hair\n0.png,{word}\n")
    both = sources(tmp_path / "a", 1) + sources(tmp_path / "b", 1)
    assert factors_of(both) == {"hair": ["black", "white"]}


def test_there_are_no_factors_without_a_table_or_a_row(tmp_path):
    assert factors_of(sources(tmp_path)) == {} == factors_of([])
    (tmp_path / "factors.csv").write_text(TABLE)
    assert factors_of(sources(tmp_path, 4)) == {}


def test_a_column_of_very_many_values_is_not_categorical(tmp_path):
    (tmp_path / "factors.csv").write_text(
        "file,name,side\n" + "".join(f"{i}.png,n{i},{'ab'[i % 2]}\n" for i in range(30))
    )
    assert list(factors_of(sources(tmp_path, 30))) == ["side"]


@pytest.mark.parametrize("text", ["", "hair,file\nred,0.png\n"])
def test_a_damaged_table_is_reported_in_one_line(tmp_path, text):
    (tmp_path / "factors.csv").write_text(text)
    with pytest.raises(UserError, match=r"factors.csv: its first line should be file"):
        factors_of(sources(tmp_path))
