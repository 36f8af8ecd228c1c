import cv2
import pytest

from tests.conftest import picture
from translate.data.sources.attribute_table import read_attributes
from translate.data.sources.attributes import resolve_labelled
from translate.utils.errors import OptionError, UserError


def write(folder, count, seed=0, suffix=".png"):
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(count):
        cv2.imwrite(str(folder / f"{i:03d}{suffix}"), picture(seed + i, 32, 32))
    return folder


def table(file, *lines):
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


ROWS = [f"{i:03d}.png,{i % 2},{int(i < 3)}" for i in range(12)]


@pytest.fixture
def faces(tmp_path):
    return write(tmp_path / "faces", 12)


def labelled(images, labels="auto", wanted=""):
    return resolve_labelled(str(images), str(labels), wanted, images)


def by_name(found):
    return {source.name: found.rows[source] for source in (*found.images.train, *found.images.test)}


EXPECTED = {f"{i:03d}.png": (i % 2, int(i < 3)) for i in range(12)}


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("attributes.csv", ["file,glasses,blond", *ROWS]),
        ("attributes.tsv", ["image_id\tglasses\tblond", *(row.replace(",", "\t") for row in ROWS)]),
        ("list_attr_celeba.csv", ["file,glasses,blond", *(row.replace(",0", ",-1") for row in ROWS)]),
        (
            "list_attr_celeba.txt",
            ["12", "glasses blond ", *(row.replace(",0", "  -1").replace(",1", "   1") for row in ROWS)],
        ),
    ],
)
@pytest.mark.parametrize("beside", [True, False])
def test_every_form_of_table_gives_the_same_labels(faces, tmp_path, name, lines, beside):
    file = table((faces if beside else tmp_path / "elsewhere").parent / name, *lines)
    if beside:
        file = table(faces / name, *lines)
    for labels in ("auto", file) if beside else (file,):
        found = labelled(faces, labels)
        assert found.names == ("glasses", "blond") and not found.exclusive and by_name(found) == EXPECTED
    assert found.counts.tolist() == found.values(found.images.train).sum(0).tolist()


def test_columns_of_words_become_attributes(faces):
    rows = [f"{i:03d}.png,{('red', 'blue', 'none')[i % 3]},{('none', 'hat')[i % 2]},{i * 1.5}" for i in range(12)]
    table(faces / "factors.csv", "file,hair,hat,angle", *rows)
    found = labelled(faces)
    assert found.names == ("hair=blue", "hair=none", "hair=red", "hat") and by_name(found)["004.png"] == (1, 0, 0, 0)
    assert any("angle" in note for note in found.images.notes)
    assert labelled(faces, wanted="hat, hair").names == ("hat", "hair=blue", "hair=none", "hair=red")


def test_each_split_has_the_table_of_its_folder(tmp_path):
    for split, sign in (("train", 0), ("test", 1)):
        folder = write(tmp_path / "set" / split, 8, seed=sign)
        table(folder / "attributes.csv", "file,glasses", *(f"{i:03d}.png,{(i + sign) % 2}" for i in range(8)))
    found = labelled(tmp_path / "set")
    assert [found.rows[source] for source in found.images.train[:2]] == [(0,), (1,)]
    assert [found.rows[source] for source in found.images.test[:2]] == [(1,), (0,)]


@pytest.mark.parametrize("by_table", [True, False])
def test_classes_are_one_of_several_labels(tmp_path, by_table):
    for k, kind in enumerate(("cats", "dogs", "foxes")):
        write(tmp_path / "set" / kind, 6, seed=10 * k)
    labels = "auto"
    if by_table:
        kinds = [(kind, i) for kind in ("cats", "dogs", "foxes") for i in range(6)]
        labels = table(tmp_path / "set" / "classes.csv", "file,label", *(f"{k}/{i:03d}.png,{k}" for k, i in kinds))
    found = labelled(tmp_path / "set", labels)
    assert found.exclusive and found.names == ("cats", "dogs", "foxes") and found.apart() == []
    assert by_name(found)["dogs/002.png"] == (0, 1, 0) and {sum(row) for row in found.rows.values()} == {1}


def test_attributes_that_never_come_together_are_found(tmp_path):
    faces = write(tmp_path / "faces", 90)
    rows = [f"{i:03d}.png,{int(i % 3 == 0)},{int(i % 3 == 1)},{int(i % 2)}" for i in range(90)]
    table(faces / "attributes.csv", "file,black,blond,hat", *rows)
    assert labelled(faces).apart() == [[0, 1]]


def test_the_rest_of_a_table_is_no_error(faces):
    table(faces / "attributes.csv", "file,glasses,blond", *ROWS, "other.png,1,0")
    found = labelled(faces)
    assert by_name(found) == EXPECTED and any(
        "1 rows of" in note and "other.png" in note for note in found.images.notes
    )


@pytest.mark.parametrize(
    ("lines", "wanted", "message"),
    [
        (ROWS[:10], "", r"2 of 12 pictures have no row in .*attributes.csv: 01\d.png, 01\d.png; add rows"),
        ([*ROWS, "003.png,1,0"], "", r"line 14: 003.png is in line 5 already; remove one of them"),
        (ROWS, "glases", r"--attributes: .*attributes.csv has no column 'glases'; did you mean 'glasses'"),
        ([*ROWS[:5], "005.png,1,x", *ROWS[6:]], "", r"line 7: blond is 'x'; give 0 or 1, or -1 or 1"),
        ([*ROWS[:5], "005.png,1", *ROWS[6:]], "", r"line 7: has 2 cells, and the first line 3"),
        (
            [row[:-1] + "1" for row in ROWS], "",
            r"'blond' is the same in all \d+ pictures \(1\); choose the columns to learn: --attributes glasses",
        ),
        ([row[:-3] + "0,0" for row in ROWS], "", r"'glasses' is the same in all \d+ pictures \(0\); so are 1 more"),
    ],
)  # fmt: skip
def test_wrong_tables_get_one_line(faces, lines, wanted, message):
    table(faces / "attributes.csv", "file,glasses,blond", *lines)
    with pytest.raises(UserError, match=message) as caught:
        labelled(faces, wanted=wanted)
    assert "\n" not in str(caught.value)


def test_without_labels_one_line_says_how_to_give_them(faces, tmp_path):
    with pytest.raises(OptionError, match="no labels given; say --labels: give each class a folder"):
        labelled(faces, "")
    with pytest.raises(OptionError, match="'.*faces' has no labels"):
        labelled(faces)
    with pytest.raises(UserError, match="--labels: there is no file '.*no.csv'; give each class"):
        labelled(faces, tmp_path / "no.csv")
    with pytest.raises(UserError, match=r"empty.csv is empty; name a picture a line"):
        labelled(faces, table(tmp_path / "empty.csv", ""))
    with pytest.raises(UserError, match="is no table of attributes: the first line says file"):
        read_attributes(table(tmp_path / "one.csv", "file,glasses"))
    with pytest.raises(UserError, match="has the column 'hat' twice"):
        read_attributes(table(tmp_path / "twice.csv", "file,hat,hat", "a.png,1,0", "b.png,0,1"))


def test_attributes_are_not_for_classes(tmp_path):
    for kind in ("cats", "dogs"):
        write(tmp_path / "set" / kind, 6)
    with pytest.raises(OptionError, match="--attributes chooses columns of a table, and these are classes"):
        labelled(tmp_path / "set", wanted="cats")


def test_a_single_class_is_refused(tmp_path):
    write(tmp_path / "set" / "cats", 12)
    with pytest.raises(OptionError, match="pictures are of one class, 'cats'"):
        labelled(tmp_path / "set")
