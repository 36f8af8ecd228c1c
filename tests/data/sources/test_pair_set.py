from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from translate.data.catalog import catalog
from translate.data.sources.domains import resolve_domains
from translate.data.sources.pair import Pair, read_pair
from translate.data.sources.pair_set import parts_map, resolve_pairs, right_answers
from translate.utils.errors import OptionError, UserError


def fill(folder: Path, count: int, suffix: str = ".png", start: int = 0, width: int = 2) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(start, start + count):
        Image.fromarray(np.full((2, width, 3), number % 256, np.uint8)).save(folder / f"{number:03}{suffix}")
    return folder


def names(pairs: list[Pair]) -> list[str]:
    return [pair.name for pair in pairs]


def from_root(root: Path, direction: str = "ab"):
    return resolve_pairs("", "", str(root), root.parent / "data", direction)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def draw(name: str, target: Path, *, train: int, test: int, **_: object) -> None:
    for side in "AB":
        fill(target / f"train{side}", 3)
        fill(target / f"test{side}", 2, start=10)
    for number in (10, 11):
        fill(target / "truth" / "A" / f"{number:03}", 0)
        for answer in range(11):
            Image.new("RGB", (2, 2)).save(target / "truth" / "A" / f"{number:03}" / f"{answer}.png")
    fill(target / "truth" / "parts", 1, start=10)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A catalog with one rendered set of pairs."""
    (tmp_path / "shelf").mkdir()
    for name, kind, domains in (("sketch2cup", "paired", "cup_sketches cups"), ("day2dusk", "unpaired", "day dusk")):
        first, second = domains.split()
        (tmp_path / "shelf" / f"{name}.toml").write_text(
            f'title = "x"\ndescription = "x"\nlicence = "x"\ncitation = "x"\nkind = "{kind}"\n'
            f'domains = {{ {first} = "A", {second} = "B" }}\ncounts = {{ trainA = 3 }}\n'
            '[render]\nname = "cups"\ntrain = 3\ntest = 2\n'
        )
    monkeypatch.setattr(catalog, "package_folder", lambda _: tmp_path / "shelf")
    catalog._load.cache_clear()
    monkeypatch.setattr("translate.synthetic.render", draw)
    yield
    catalog._load.cache_clear()


# --- layouts


@pytest.mark.parametrize("held", ["test", "val"])
@pytest.mark.parametrize("tree", ["{split}{side}", "{split}_{side}", "{split}/{side}", "{side}/{split}"])
def test_trees_are_matched_by_name(tmp_path, tree, held):
    root = tmp_path / "cups"
    for side, suffix in (("A", ".png"), ("B", ".jpg")):
        fill(root / tree.format(split="train", side=side), 4, suffix)
        fill(root / tree.format(split=held, side=side), 2, suffix, start=90)
    pairs = from_root(root)
    assert (pairs.names, pairs.title, pairs.direction, pairs.truth) == (("cupsA", "cupsB"), "cups", "ab", None)
    assert names(pairs.train) == ["000", "001", "002", "003"]
    assert names(pairs.test) == ["090", "091"]
    for pair in pairs.train + pairs.test:
        assert (pair.a.name, pair.b.name) == (f"{pair.name}.png", f"{pair.name}.jpg")
        assert pair.a.is_relative_to(root)
        assert not pair.combined
    assert pairs.train[0].a.parent == root / tree.format(split="train", side="A")


def test_test_is_preferred_to_val_and_without_both_pairs_are_held_out_by_name(tmp_path):
    root = tmp_path / "cups"
    for side in "AB":
        fill(root / side, 30)
    pairs = from_root(root)
    assert (len(pairs.train), len(pairs.test)) == (27, 3)
    assert sorted(names(pairs.train) + names(pairs.test)) == [f"{i:03}" for i in range(30)]
    reverse = from_root(root, "ba")
    assert names(reverse.test) == names(pairs.test)  # both directions are tested on the same pairs
    first, _ = resolve_domains(str(root / "A"), str(root / "B"), "", tmp_path)
    assert {path.stem for path in first.test} == set(names(pairs.test))
    tree = tmp_path / "trees"
    for side in "AB":
        fill(tree / f"train{side}", 3), fill(tree / f"val{side}", 1, start=60), fill(tree / f"test{side}", 1, start=50)
    assert names(from_root(tree).test) == ["050"]


@pytest.mark.parametrize("held", ["test", "val", None])
def test_combined_pictures(tmp_path, held):
    root = tmp_path / "maps"
    fill(root / "train", 20, width=4)
    if held:
        fill(root / held, 2, start=90, width=4)
    pairs = from_root(root)
    assert (len(pairs.train), len(pairs.test)) == ((20, 2) if held else (18, 2))
    assert all(pair.combined and not pair.swapped for pair in pairs.train + pairs.test)
    assert pairs.names == ("mapsA", "mapsB")
    turned = from_root(root, "ba")
    assert (turned.names, turned.title, turned.direction) == (("mapsB", "mapsA"), "maps_ba", "ba")
    assert all(pair.combined and pair.swapped for pair in turned.train + turned.test)
    assert names(turned.train) == names(pairs.train)


def test_a_flat_folder_of_combined_pictures(tmp_path):
    pairs = from_root(fill(tmp_path / "maps", 20, width=4))
    assert (len(pairs.train), len(pairs.test), pairs.title) == (18, 2, "maps")
    assert from_root(fill(tmp_path / "streets" / "train", 5, width=4)).names == ("streetsA", "streetsB")


def test_a_table(tmp_path):
    fill(tmp_path / "x", 20), fill(tmp_path / "y", 20)
    lines = [f"x/{i:03}.png,y/{(i + k) % 20:03}.png" for i in range(20) for k in (1, 2)]
    (tmp_path / "my pairs.csv").write_text("\n".join(["source,target", *lines]))
    pairs = from_root(tmp_path / "my pairs.csv")
    assert (pairs.names, pairs.title) == (("my_pairsA", "my_pairsB"), "my_pairs")
    assert (len(pairs.train), len(pairs.test)) == (36, 4)
    assert not {pair.a for pair in pairs.train} & {pair.a for pair in pairs.test}  # all answers to a source together
    assert all((int(p.b.stem) - int(p.a.stem)) % 20 in (1, 2) for p in pairs.train + pairs.test)
    turned = from_root(tmp_path / "my pairs.csv", "ba")
    assert [(pair.b, pair.a) for pair in turned.train] == [(pair.a, pair.b) for pair in pairs.train]


def test_two_folders_patterns_and_lists(here):
    fill(here / "sketches", 20), fill(here / "photos", 20, ".jpg")
    Path("some.txt").write_text("\n".join(f"photos/{i:03}.jpg" for i in range(19, -1, -1)))
    for a, b, title in (
        ("sketches", "photos", "sketches2photos"),
        ("sketches/*.png", "photos/*", "sketches2photos"),
        ("sketches", "some.txt", "sketches2some"),
    ):
        pairs = resolve_pairs(a, b, "", here / "data")
        assert pairs.title == title == "2".join(pairs.names)
        assert (len(pairs.train), len(pairs.test)) == (18, 2)
        assert all(pair.a.stem == pair.b.stem == pair.name for pair in pairs.train + pairs.test)
    turned = resolve_pairs("sketches", "photos", "", here / "data", "ba")
    assert (turned.names, turned.title) == (("photos", "sketches"), "photos2sketches")
    assert turned.train[0].a.suffix == ".jpg"


def test_separate_train_folders_use_their_test_folders(tmp_path):
    for side in "AB":
        fill(tmp_path / "cups" / f"train{side}", 4), fill(tmp_path / "cups" / f"test{side}", 2, start=50)
    pairs = resolve_pairs(str(tmp_path / "cups/trainA"), str(tmp_path / "cups/trainB"), "", tmp_path)
    assert (pairs.names, len(pairs.train), names(pairs.test)) == (("cupsA", "cupsB"), 4, ["050", "051"])


# --- the catalog


@pytest.mark.usefixtures("drawn")
def test_a_rendered_set_has_names_right_answers_and_parts(here):
    pairs = resolve_pairs("", "", "sketch2cup", Path("data"))
    assert (pairs.names, pairs.title) == (("cup_sketches", "cups"), "sketch2cup")
    assert (names(pairs.train), names(pairs.test)) == (["000", "001", "002"], ["010", "011"])
    assert pairs.truth == Path("data/sketch2cup/truth/A")
    answers = right_answers(pairs, "010")
    assert [path.name for path in answers] == [f"{i}.png" for i in range(11)]
    assert answers[0].parent == pairs.truth / "010"
    assert right_answers(pairs, "000") == []
    assert parts_map(pairs, "010") == Path("data/sketch2cup/truth/parts/010.png")
    assert parts_map(pairs, "011") is None
    assert resolve_pairs("", "", "data/sketch2cup", Path("data")) == pairs
    by_sides = resolve_pairs("cup_sketches", "cups", "", Path("data"))
    assert (by_sides.train, by_sides.test, by_sides.truth) == (pairs.train, pairs.test, pairs.truth)
    assert by_sides.title == "cup_sketches2cups"


@pytest.mark.usefixtures("drawn")
def test_the_reverse_direction_has_no_right_answers(here):
    pairs = resolve_pairs("", "", "sketch2cup", Path("data"), "ba")
    assert (pairs.names, pairs.title, pairs.truth) == (("cups", "cup_sketches"), "sketch2cup_ba", None)
    assert right_answers(pairs, "010") == []
    assert parts_map(pairs, "010") is None
    assert pairs.train[0].a.parent.name == "trainB"


@pytest.mark.usefixtures("drawn")
def test_a_side_of_a_rendered_set_is_an_unpaired_domain_too(here):
    fill(here / "mugs", 5)
    first, second = resolve_domains("mugs", "cups", "", Path("data"))
    assert (first.name, second.name, len(second.train), len(second.test)) == ("mugs", "cups", 3, 2)
    first, second = resolve_domains("", "", "sketch2cup", Path("data"))
    assert (first.name, second.name) == ("cup_sketches", "cups")
    assert first.truth == Path("data/sketch2cup/truth/A")


def test_a_single_set_is_refused_as_pairs(tmp_path):
    root = tmp_path / "data"
    with pytest.raises(
        OptionError, match="'digits' is one set of pictures.* python tools/train_gan.py --images digits --labels$"
    ):
        resolve_pairs("", "", "digits", root)
    assert not root.exists()
    (root / "digits" / "train").mkdir(parents=True)
    with pytest.raises(OptionError, match="'digits' is one set of pictures"):
        resolve_pairs("", "", str(root / "digits"), root)


@pytest.mark.usefixtures("drawn")
def test_an_unpaired_set_is_refused_before_it_is_prepared(here):
    with pytest.raises(
        OptionError, match="are no pairs; train on them with python tools/train_cycle.py --data day2dusk"
    ):
        resolve_pairs("", "", "day2dusk", Path("data"))
    assert not Path("data").exists()
    with pytest.raises(OptionError, match="'day2dusk' are no pairs"):
        resolve_pairs("day", "dusk", "", Path("data"))
    with pytest.raises(OptionError, match="'day2dusk' are no pairs"):
        resolve_pairs("", "", "data/day2dusk", Path("data"))


def test_a_single_picture_is_the_right_answer(tmp_path):
    root = tmp_path / "cups"
    for side in "AB":
        fill(root / f"train{side}", 2), fill(root / f"test{side}", 2, start=5)
    fill(root / "truth" / "B", 1, start=5)
    pairs = from_root(root, "ba")
    assert right_answers(pairs, "005") == [root / "truth" / "B" / "005.png"]
    assert right_answers(pairs, "006") == []


# --- bad input


def test_wrong_options_are_refused(tmp_path):
    with pytest.raises(OptionError, match=r"--direction is 'AtoB'; it should be ab .* or ba"):
        resolve_pairs("", "", str(tmp_path), tmp_path, "AtoB")
    with pytest.raises(OptionError, match="no pictures given"):
        resolve_pairs("", "", "", tmp_path)
    with pytest.raises(OptionError, match="either --data, or --a and --b"):
        resolve_pairs("x", "", "y", tmp_path)
    fill(tmp_path / "x", 3)
    with pytest.raises(OptionError, match="both domains are the same 3 pictures"):
        resolve_pairs(str(tmp_path / "x"), str(tmp_path / "x"), "", tmp_path)


def test_the_error_about_a_folder_without_pairs_describes_it(here):
    (here / "cups" / "pictures").mkdir(parents=True)
    with pytest.raises(UserError, match=r"'cups' has no pairs \(it has pictures\); give a folder of combined"):
        resolve_pairs("", "", "cups", Path("data"))
    fill(here / "half" / "trainA", 2)
    with pytest.raises(UserError, match="'half' has trainA but no trainB; pairs need both"):
        resolve_pairs("", "", "half", Path("data"))
    fill(here / "half" / "trainB", 2), fill(here / "half" / "testB", 2)
    with pytest.raises(UserError, match="'half' has testB but no testA"):
        resolve_pairs("", "", "half", Path("data"))
    for wrong in ("./nowhere", "half/trainA/000.png", "gone.csv"):
        with pytest.raises(UserError, match="is neither a folder nor a CSV file of pairs"):
            resolve_pairs("", "", wrong, Path("data"))
    with pytest.raises(UserError, match="no folder or data set 'sketch2sho'"):
        resolve_pairs("", "", "sketch2sho", Path("data"))


def test_unmatched_and_duplicate_names_are_refused(tmp_path):
    fill(tmp_path / "cups" / "trainA", 5), fill(tmp_path / "cups" / "trainB", 3)
    with pytest.raises(UserError, match=r"no partner of the same name for 2 of 5 pictures in '.*trainA' \(003.png, 0"):
        from_root(tmp_path / "cups")
    fill(tmp_path / "maps", 2, width=4), fill(tmp_path / "maps", 1, ".jpg", width=4)
    with pytest.raises(UserError, match=r"000.jpg and 000.png have the same stem"):
        from_root(tmp_path / "maps")


# --- pixels


def test_a_combined_picture_is_halved(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (6, 16, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "x.png")
    pair = Pair("x", tmp_path / "x.png", tmp_path / "x.png")
    for each, halves in ((pair, (pixels[:, :8], pixels[:, 8:])), (pair.reverse(), (pixels[:, 8:], pixels[:, :8]))):
        for read, expected in zip(read_pair(each), halves, strict=True):
            np.testing.assert_array_equal(read, expected)
    assert pair.reverse().reverse() == pair


@pytest.mark.parametrize(("width", "message"), [(513, "is 513 px wide: two halves need an even width"),
                                                (20, "is 20 x 30 px, which does not look like two")])  # fmt: skip
def test_a_picture_that_cannot_be_halved_is_named(tmp_path, width, message):
    file = tmp_path / "odd.png"
    Image.new("RGB", (width, 30)).save(file)
    with pytest.raises(UserError, match=f"{file} {message}"):
        read_pair(Pair("odd", file, file))


def test_aspect_ratios_must_agree(tmp_path):
    a, b = tmp_path / "a.png", tmp_path / "b.png"
    Image.new("RGB", (60, 40), "red").save(a)
    for size in ((61, 40), (120, 80), (30, 20), (90, 61)):
        Image.new("RGB", size, "blue").save(b)
        first, second = read_pair(Pair("x", a, b))
        assert first.shape == second.shape == min((40, 60, 3), (size[1], size[0], 3))
    for size in ((60, 60), (40, 60), (63, 40)):
        Image.new("RGB", size).save(b)
        with pytest.raises(UserError, match=rf"a.png is 60 x 40 px but .*b.png is {size[0]} x {size[1]} px"):
            read_pair(Pair("x", a, b))


def test_a_label_map_of_another_size_is_not_interpolated(tmp_path):
    labels = np.kron(np.random.default_rng(1).integers(0, 2, (8, 8), np.uint8) * 200, np.ones((5, 5), np.uint8))
    Image.fromarray(labels).save(tmp_path / "a.png")
    Image.new("RGB", (27, 27)).save(tmp_path / "b.png")
    pair = Pair("x", tmp_path / "a.png", tmp_path / "b.png")
    assert set(np.unique(read_pair(pair, "a")[0])) == {0, 200}
    assert len(np.unique(read_pair(pair)[0])) > 2


def test_an_empty_test_folder_is_no_test_folder(here, capsys):
    for side in "AB":
        fill(here / "x" / f"train{side}", 20)
    (here / "x" / "testA").mkdir()
    fill(here / "x" / "testB", 2)
    assert len(from_root(here / "x").test) == 2
    assert "counts as no test folder" in capsys.readouterr().err.replace("\n", " ")
    fill(here / "y" / "train", 20, width=4)
    (here / "y" / "test").mkdir()
    pairs = from_root(here / "y")
    assert (len(pairs.train), len(pairs.test)) == (18, 2)
