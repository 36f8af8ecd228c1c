import numpy as np
import pytest
from PIL import Image

from tests.data.label_scenes import COLOURS, FORMS, PALETTE, as_palette, scene
from translate.data.options import DataConfig
from translate.data.sources.class_list import ClassLine, parse_value, read_class_list
from translate.data.sources.label_classes import find_classes
from translate.data.sources.label_scan import MapFile
from translate.utils.errors import OptionError, UserError


def write(folder, form="palette", count=4, start=0, **options):
    folder.mkdir(exist_ok=True, parents=True)
    files = []
    for i in range(start, start + count):
        files.append(MapFile(folder / f"{i}.png"))
        FORMS[form](scene(i, **options)[1]).save(files[-1].path)
    return files


def find(files, test=(), **options):
    return find_classes("maps", files, list(test), DataConfig(one_hot=True, **options))


@pytest.mark.parametrize(("form", "values"), [("palette", (0, 1, 2, 3)), ("gray", (0, 1, 2, 3))])
def test_indices_and_gray_values_with_255_as_unlabelled(tmp_path, form, values):
    classes, notes = find(write(tmp_path, form))
    assert (classes.form, classes.key, classes.values, classes.unlabelled) == (form, "index", values, (255,))
    how = "palette index" if form == "palette" else "value"
    assert notes[0].startswith(
        f"maps: 4 classes, told by {how}, get a channel each; unlabelled: 255, 4.2% of the pixels"
    )
    if form == "palette":
        assert classes.colours == tuple(int(r) << 16 | int(g) << 8 | int(b) for r, g, b in COLOURS)
    assert find(write(tmp_path, form), unlabelled="none")[0].values == (*values, 255)
    assert find(write(tmp_path, form), unlabelled="255,0")[0].values == (1, 2, 3)


def test_16_bits_and_colours(tmp_path):
    deep, _ = find(write(tmp_path / "deep", "gray16", border=False))
    assert (deep.form, deep.values) == ("gray16", (0, 1000, 2000, 3000))
    rgb, _ = find(write(tmp_path / "rgb", "rgb"), unlabelled="#e0e0c0")
    assert (rgb.form, rgb.key, len(rgb), rgb.unlabelled) == ("rgb", "colour", 4, (0xE0E0C0,))
    assert rgb.names == tuple(f"#{value:06x}" for value in rgb.values)
    with pytest.raises(OptionError, match="--unlabelled 255: the classes of these maps are told by colours, such as"):
        find(write(tmp_path / "rgb", "rgb"), unlabelled="255")


def test_the_white_of_a_mask_is_a_class(tmp_path):
    Image.fromarray(np.uint8([[0, 255], [0, 255]]).repeat(8, 0)).save(tmp_path / "m.png")
    assert find([MapFile(tmp_path / "m.png")])[0].values == (0, 255)
    Image.fromarray(np.uint8([[0, 0], [0, 0]])).save(tmp_path / "n.png")
    with pytest.raises(OptionError, match="maps: has 1 class beside the unlabelled ones; one-hot maps need 2"):
        find([MapFile(tmp_path / "n.png")])


def test_palettes_that_contradict_each_other_need_a_word(tmp_path):
    files = write(tmp_path, "palette")
    other = PALETTE.copy()
    other[[2, 3]] = other[[3, 2]]
    as_palette(scene(9)[1], other).save(tmp_path / "other.png")
    both = [*files, MapFile(tmp_path / "other.png")]
    with pytest.raises(
        OptionError, match=r"maps: index 2 is #dc143c in .*0.png, but #464646 in .*other.png; say --data.label"
    ):
        find(both)
    by_colour, _ = find(both, label_key="colour", unlabelled="#e0e0c0")
    assert (by_colour.form, by_colour.key, len(by_colour)) == ("palette", "colour", 4)
    by_index, _ = find(both, label_key="index")
    assert by_index.values == (0, 1, 2, 3) and len(set(by_index.colours)) == 4


def test_two_indices_of_one_colour_need_a_word(tmp_path):
    same = PALETTE.copy()
    same[3] = same[2]
    as_palette(scene(9)[1], same).save(tmp_path / "x.png")
    with pytest.raises(OptionError, match="maps: the indices 2 and 3 both are #dc143c; say --data.label_key index if"):
        find([MapFile(tmp_path / "x.png")])
    assert len(find([MapFile(tmp_path / "x.png")], label_key="colour", unlabelled="none")[0]) == 4
    assert len(set(find([MapFile(tmp_path / "x.png")], label_key="index")[0].colours)) == 4


def test_too_many_colours_say_so_and_a_list_helps(tmp_path):
    path = tmp_path / "x.jpg"
    FORMS["rgb"](scene(1, border=False)[1]).save(path, quality=60)
    with pytest.raises(
        OptionError, match=r"maps: has .* colours, .* of them in .*x.jpg, as JPEG and soft .*--class-names FILE"
    ):
        find([MapFile(path)])
    names = tmp_path / "classes.txt"
    names.write_text("# my classes\n#4682b4 sky\n107 142 35 ground\n220,20,60,disc\n#464646\n")
    classes, notes = find([MapFile(path)], class_names=str(names))
    assert classes.names == ("sky", "ground", "disc", "#464646") and classes.nearest
    assert notes == ["maps: 4 classes, told by the nearest colour, get a channel each"]


def test_instance_numbers_are_no_classes(tmp_path):
    Image.fromarray((np.arange(900).reshape(30, 30) + 26000).astype(np.uint16)).save(tmp_path / "x.png")
    with pytest.raises(
        OptionError, match="maps: has 900 values, more than 255 classes, as instance numbers make; list"
    ):
        find([MapFile(tmp_path / "x.png")])


def test_names_and_listed_values(tmp_path):
    files, names = write(tmp_path, "gray"), tmp_path / "names.txt"
    names.write_text("sky\nground\ndisc\nbox\n")
    assert find(files, class_names=str(names))[0].names == ("sky", "ground", "disc", "box")
    names.write_text("3 box\n2: disc\n7 moon\n")
    classes, notes = find(files, class_names=str(names))
    assert (classes.values, classes.names) == ((3, 2, 7), ("box", "disc", "moon"))
    assert any("2 values in no list count as unlabelled: 0, 1," in note for note in notes)
    assert any("1 classes are rare and hardly learned: moon (never)" in note for note in notes)
    names.write_text("#ff0000 box\n")
    with pytest.raises(OptionError, match="the maps of maps tell classes by values; list them so, '7 name' a line"):
        find(files, class_names=str(names))


def test_values_of_held_out_maps_alone_are_told(tmp_path):
    files, test = write(tmp_path, "gray"), tmp_path / "t.png"
    Image.fromarray(np.full((10, 10), 9, np.uint8)).save(test)
    classes, notes = find(files, [MapFile(test)])
    assert 9 not in classes.values
    assert "maps: 1 value in held-out maps alone count as unlabelled: 9, 100.00% of the pixels" in notes


def test_kinds_do_not_mix_and_unreadable_files_are_left_out(tmp_path):
    files = write(tmp_path, "gray", count=2)
    (tmp_path / "bad.png").write_text("no picture")
    assert len(find([*files, MapFile(tmp_path / "bad.png")])[0]) == 4
    with pytest.raises(UserError, match="maps: none of 1 label maps can be read"):
        find([MapFile(tmp_path / "bad.png")])
    with pytest.raises(OptionError, match=r"0.png is gray and .*7.png is RGB; convert the label maps to one kind"):
        find([*files, *write(tmp_path, "rgb", count=1, start=7)])


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "is empty; give a class a line"), ("1 a\nb\n", "mixes names, values and colours"),
        ("1 a\n#ff0000 b\n", "mixes names"), ("1 a\n1 b\n", "has the value 1 twice"),
    ],
)  # fmt: skip
def test_a_wrong_list_gets_a_line(tmp_path, text, word):
    (tmp_path / "c.txt").write_text(text)
    with pytest.raises(UserError, match=f"^--class-names .*c.txt: {word}"):
        read_class_list(str(tmp_path / "c.txt"))


def test_values_are_read_in_every_spelling(tmp_path):
    (tmp_path / "c.txt").write_bytes("\ufeff0, Straße\n\n 33\tcar\n".encode())
    assert read_class_list(str(tmp_path / "c.txt")) == [ClassLine(0, "Straße", False), ClassLine(33, "car", False)]
    with pytest.raises(UserError, match="nowhere.txt: cannot be read as text"):
        read_class_list(str(tmp_path / "nowhere.txt"))
    assert parse_value(" 255 ") == (255, False)
    assert parse_value("#0000ff") == (255, True)
    with pytest.raises(OptionError, match="'void' is no value of a label map; give a number such as 255, or a colour"):
        parse_value("void")
