import numpy as np
import pytest
from PIL import Image

from translate.data.sources.pair_table import read_pair_table
from translate.utils.errors import UserError


@pytest.fixture
def table(tmp_path):
    for side in ("in", "out"):
        (tmp_path / side).mkdir()
        for i in range(4):
            Image.fromarray(np.zeros((2, 2), np.uint8)).save(tmp_path / side / f"{i}.png")

    def write(text, encoding="utf-8"):
        (tmp_path / "pairs.csv").write_text(text, encoding=encoding)
        return tmp_path / "pairs.csv"

    return write


def told(pairs):
    return [(pair.name, pair.a.name, pair.b.name) for pair in pairs]


@pytest.mark.parametrize(
    "text",
    [
        "a,b\nin/0.png,out/1.png\nin/1.png,out/0.png\n",
        "in/0.png,out/1.png\n\nin/1.png,out/0.png",
        "\ufefftarget;note;Source\r\nout/1.png;x;in/0.png\r\nout/0.png;;in/1.png\r\n",
        'source\ttarget\n"in/0.png"\tout/1.png\nin/1.png\t out/0.png\n',
    ],
)
def test_columns_are_found_by_name_or_position(table, text):
    train, test = read_pair_table(table(text))
    assert told(train) == [("in/0", "0.png", "1.png"), ("in/1", "1.png", "0.png")]
    assert [(pair.a.parent.name, pair.b.parent.name) for pair in train] == [("in", "out")] * 2
    assert test == []


def test_the_split_column(table):
    rows = "a,b,split\nin/0.png,out/0.png,train\nin/1.png,out/1.png,\nin/2.png,out/2.png,VAL\n"
    train, test = read_pair_table(table(rows))
    assert [pair.name for pair in train] == ["in/0", "in/1"]
    assert [pair.name for pair in test] == ["in/2"]
    _, test = read_pair_table(table(rows + "in/3.png,out/3.png,test\n"))
    assert [pair.name for pair in test] == ["in/3"]


def test_a_source_with_two_targets_has_two_names(table):
    train, _ = read_pair_table(table("in/0.png,out/0.png\nin/0.png,out/1.png"))
    assert told(train) == [("in/0", "0.png", "0.png"), ("in/0-2", "0.png", "1.png")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "lists no pair"),
        ("a,b\n", "lists no pair"),
        ("in/0.png,out/0.png\nin/1.png\n", r"pairs.csv, line 2: a pair needs two paths"),
        ("in/0.png,out/0.png\nin/1.png,\n", r"pairs.csv, line 2: a pair needs two paths"),
        ("a,b,split\nin/0.png,out/0.png,tset\n", "line 2: the split is 'tset'; it should be train, test or val"),
        ("in/0.png,in/0.png\n", "line 1: .*0.png is paired with itself"),
        ("input,output\nin/0.png,out/9.png\n", "names 3 missing files: .*/input, .*/output, .*9.png; paths count"),
        ("a,b,split\nin/0.png,out/0.png,test\n", "no line whose split is train"),
        ("a,b,split\nin/0.png,out/0.png,test\nin/0.png,out/0.png,train\n", "0.png and its partner are in both train"),
        ('a,b\n"in/0.png,out/0.png\x00', "not CSV|lists no pair|needs two"),
    ],
)
def test_wrong_tables_are_reported_in_one_line(table, text, message):
    with pytest.raises(UserError, match=message) as raised:
        read_pair_table(table(text))
    assert "\n" not in str(raised.value)


def test_other_encodings_are_refused(table):
    with pytest.raises(UserError, match="no UTF-8 text"):
        read_pair_table(table("in/ä.png,out/0.png", encoding="latin-1"))
