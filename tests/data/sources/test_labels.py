from pathlib import Path

import pytest

from translate.data.files.csv_tables import check_files_exist
from translate.data.sources.labels import classes_of, labels_by_folder, read_label_table
from translate.utils.errors import UserError


def table(folder, text, **options):
    (folder / "table.csv").write_text(text)
    return read_label_table(folder / "table.csv", **options)


def test_folders_are_classes():
    base = Path("x")
    files = [base / name for name in ("a.png", "cat/1.png", "cat/deep/2.png", "unlabelled/3.png", "Unlabeled/4.png")]
    assert list(labels_by_folder(files, base).values()) == ["", "cat", "cat", "", ""]


def test_classes_are_ordered_by_number_then_by_word():
    assert classes_of(["10", "b", "2", "", "a", "2"]) == ("2", "10", "a", "b")
    assert classes_of(["", ""]) == ()


@pytest.mark.parametrize(
    "text",
    [
        "file,label\na.png,x\nb.png,y\nc.png,\n",
        "a.png,x\nb.png,y\nc.png,\n",
        "Label;Path\nx;a.png\ny; b.png\n;c.png\n\n",
        "\ufefffilename\tclass\na.png\tx\nb.png\ty\nc.png\n",
    ],
)
def test_tables_of_the_usual_kinds(tmp_path, text):
    found = table(tmp_path, text)
    assert found.labels == {tmp_path / "a.png": "x", tmp_path / "b.png": "y", tmp_path / "c.png": ""}
    assert set(found.splits.values()) == {"train"}
    assert found.labelled


def test_a_column_states_the_split(tmp_path):
    found = table(tmp_path, "file,split\na.png,test\nb.png,\nc.png,VAL\n")
    assert list(found.splits.values()) == ["test", "train", "val"]
    assert not found.labelled


def test_a_list_of_files_has_no_labels(tmp_path):
    assert not table(tmp_path, "a.png\nb.png\n").labelled


def test_missing_paths_are_looked_up_in_another_folder(tmp_path):
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "a.png").touch()
    found = table(tmp_path, "a.png,1\nb.png,2\n", also=tmp_path / "pictures")
    assert list(found.labels) == [tmp_path / "pictures" / "a.png", tmp_path / "b.png"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "names no picture; write one a line: its path, a comma, its label"),
        ("file,label\n", "names no picture"),
        ("file,label\n,x\n", "line 2: names no file"),
        ("file,label\na.png,x\na.png,y\n", "line 3: a.png is 'x' above and 'y' here; remove one line"),
        ("file,split\na.png,train\na.png,test\n", "line 3: a.png is in both train and test; remove one line"),
        ("file,label,split\na.png,x,tset\n", "line 2: the split is 'tset'; it should be train, test or val"),
        ("file,label\n\xe9".encode("latin-1"), "is no UTF-8 text; save the table as CSV UTF-8"),
    ],
)
def test_wrong_tables_are_reported_in_one_line(tmp_path, text, message):
    (tmp_path / "t.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UserError, match=message) as raised:
        read_label_table(tmp_path / "t.csv")
    assert "\n" not in str(raised.value) and str(tmp_path / "t.csv") in str(raised.value)


def test_missing_files_are_named(tmp_path):
    found = table(tmp_path, "picture,kind\na.png,x\n")  # no known names: taken for a picture
    with pytest.raises(UserError, match=r"names 2 missing files: .*picture, .*a.png; .* says file,label"):
        check_files_exist(tmp_path / "table.csv", found.labels, "file,label")
