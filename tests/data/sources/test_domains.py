import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from translate.data.catalog import catalog
from translate.data.files.find import find_images
from translate.data.sources import domains
from translate.data.sources.domains import Domain, find_domains, resolve_domains
from translate.utils.errors import OptionError, UserError


def fill(folder: Path, count: int, suffix: str = ".png", start: int = 0) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(start, start + count):
        Image.fromarray(np.full((2, 2, 3), number % 256, np.uint8)).save(folder / f"{number:03}{suffix}")
    return folder


def names(paths: list[Path]) -> list[str]:
    return [path.name for path in paths]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def draw(name: str, target: Path, *, train: int, test: int, **_: object) -> None:
    for side in "AB":
        fill(target / f"train{side}", 3)
        fill(target / f"test{side}", 2, start=10)
        fill(target / "truth" / side, 2, start=10)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("translate.synthetic.render", draw)


# --- find_images


def test_a_folder_is_read_recursively_sorted_and_without_hidden_files(tmp_path):
    fill(tmp_path / "b" / "deep", 1, ".JPG")
    fill(tmp_path / "a", 2)
    fill(tmp_path / ".thumbnails", 1)
    fill(tmp_path, 1, ".png", start=9)
    (tmp_path / "a" / ".hidden.png").write_bytes(b"x")
    (tmp_path / "a" / "notes.txt").write_text("x")
    found = find_images(str(tmp_path))
    assert [str(path.relative_to(tmp_path)) for path in found] == [
        "009.png",
        "a/000.png",
        "a/001.png",
        "b/deep/000.JPG",
    ]


def test_links_to_files_are_followed_and_folder_loops_end(tmp_path):
    photos = fill(tmp_path / "photos", 1)
    fill(photos / ".elsewhere", 1, start=7)
    (photos / "linked.png").symlink_to(photos / ".elsewhere" / "007.png")
    (photos / "dead.png").symlink_to(photos / "gone.png")
    (photos / "circle").symlink_to(photos, target_is_directory=True)
    assert names(find_images(str(photos))) == ["000.png", "dead.png", "linked.png"]
    assert names(find_images(str(photos / "**" / "*.png"))) == ["000.png", "dead.png", "linked.png"]
    (tmp_path / "link").symlink_to(photos, target_is_directory=True)
    assert len(find_images(str(tmp_path / "link"))) == 3  # a link that is named itself is followed


def test_patterns_match_pictures_and_folders_except_hidden_ones(here):
    fill(here / "2023-may", 2)
    fill(here / "2023-june", 1, ".jpg")
    fill(here / ".2023", 1)
    assert names(find_images("2023-*")) == ["000.jpg", "000.png", "001.png"]
    assert names(find_images(str(here / "**/*.png"))) == ["000.png", "001.png"]
    with pytest.raises(UserError, match=r"no picture matches '2024-\*'"):
        find_images("2024-*")
    with pytest.raises(UserError, match="no picture matches"):
        find_images(str(here / "nowhere" / "*.png"))


def test_a_folder_whose_name_looks_like_a_pattern_is_that_folder(tmp_path):
    assert len(find_images(str(fill(tmp_path / "raw [2023]", 2)))) == 2


def test_a_single_picture_is_a_set(tmp_path):
    fill(tmp_path, 1)
    assert names(find_images(str(tmp_path / "000.png"))) == ["000.png"]


def test_list_entries_are_relative_to_the_list_and_keep_their_order(tmp_path, monkeypatch):
    fill(tmp_path / "pictures", 3)
    listed = tmp_path / "mine.txt"
    lines = ["# my best", "pictures/002.png", "", f"{tmp_path}/pictures/000.png", "pictures/002.png"]
    listed.write_text("\ufeff" + "\r\n".join(lines), encoding="utf-8")
    assert names(find_images(str(listed))) == ["002.png", "000.png"]


def test_a_list_with_missing_files_names_them(tmp_path):
    fill(tmp_path, 1)
    listed = tmp_path / "mine.txt"
    listed.write_text("000.png\n" + "\n".join(f"gone{i}.png" for i in range(5)))
    with pytest.raises(UserError, match=r"mine\.txt' names 5 missing files: .*gone0.png, .*gone2.png and 2 more; "):
        find_images(str(listed))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"# nothing\n\n", "names no picture"),
        (b"PK\x03\x04\0\0", "neither a folder, a picture nor a text file"),
        ("Bär".encode("latin-1"), "lists are UTF-8"),
    ],
)
def test_other_files_than_lists_are_refused(tmp_path, content, message):
    (tmp_path / "what.bin").write_bytes(content)
    with pytest.raises(UserError, match=message):
        find_images(str(tmp_path / "what.bin"))


def test_an_archive_is_to_be_unpacked(tmp_path):
    (tmp_path / "faces.ZIP").write_bytes(b"PK\x03\x04\0\0")
    with pytest.raises(UserError, match=r"faces.ZIP' is neither .* but an archive; unpack it, and give the folder"):
        find_images(str(tmp_path / "faces.ZIP"))


def test_the_error_about_a_folder_without_pictures_describes_it(tmp_path):
    with pytest.raises(UserError, match="is empty"):
        find_images(str(tmp_path))
    for name in ("a.txt", "b.txt", "c.TXT"):
        (tmp_path / name).write_text("x")
    with pytest.raises(UserError, match=rf"{tmp_path}.* has 3 files but no image \(\.txt 3\)"):
        find_images(str(tmp_path))
    (tmp_path / "more").symlink_to(tmp_path.parent, target_is_directory=True)
    with pytest.raises(UserError, match="links to other folders"):
        find_images(str(tmp_path))


def test_a_missing_path_gets_a_suggestion(here):
    (here / "paintings").mkdir()
    with pytest.raises(UserError, match="no file or folder 'painting'; did you mean 'paintings'"):
        find_images("painting")
    with pytest.raises(UserError, match=r"did you mean '.*/paintings'"):
        find_images(str(here / "paintngs"))
    with pytest.raises(UserError, match="there is no folder '/nowhere'"):
        find_images("/nowhere/all")
    with pytest.raises(UserError, match="give a folder of pictures$"):
        find_images("qqqq")
    with pytest.raises(OptionError, match="empty path"):
        find_images("")


def test_a_forbidden_folder_is_reported_in_one_line(tmp_path, monkeypatch):
    secret = fill(tmp_path / "photos" / "secret", 1)
    scan = os.scandir

    def guarded(path):  # root, who may run the tests, is let in everywhere
        if Path(path) == secret:
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", guarded)
    with pytest.raises(UserError, match="cannot read '.*/secret': Permission denied; check its permissions"):
        find_images(str(tmp_path / "photos"))


def test_system_errors_are_reported_in_one_line():
    with pytest.raises(UserError, match="cannot read .*too long"):
        find_images("x" * 5000)
    with pytest.raises(UserError, match="cannot read .*too long"):
        resolve_domains("x" * 5000, "b", "", Path("data"))


# --- hold-out


@pytest.mark.parametrize(("count", "held_out"), [(1, 0), (2, 1), (4, 1), (30, 3), (1000, 100), (1500, 100)])
def test_the_hold_out_is_a_tenth_from_one_to_a_hundred(count, held_out):
    paths = [Path(f"x/{i}.png") for i in range(count)]
    domain = domains._hold_out(Domain("x", paths, []))
    assert (len(domain.train), len(domain.test)) == (count - held_out, held_out)
    assert sorted(domain.train + domain.test) == sorted(paths)
    assert domains._hold_out(Domain("x", paths, paths[:1])).train == paths


def stems_held_out(paths: list[Path]) -> set[str]:
    return {path.stem for path in domains._hold_out(Domain("x", paths, [])).test}


def test_the_hold_out_depends_on_names_alone():
    paths = [Path(f"x/{i}.png") for i in range(50)]
    chosen = stems_held_out(paths)
    assert stems_held_out(paths[::-1]) == chosen
    assert stems_held_out([Path("y/z") / f"{path.stem}.jpg" for path in paths]) == chosen
    assert chosen != {str(i) for i in range(5)}  # a sorted list's head would often be one scene


# --- resolve_domains: what is given


@pytest.mark.parametrize(
    ("a", "b", "data", "message"),
    [
        ("", "", "", "no pictures given; say --a FOLDER --b FOLDER, or --data ROOT"),
        ("x", "", "", "--a is given without --b"),
        ("", "x", "", "--b is given without --a"),
        ("x", "y", "z", "either --data, or --a and --b"),
        ("", "y", "z", "either --data, or --a and --b"),
    ],
)
def test_too_few_or_too_many_are_refused(a, b, data, message):
    with pytest.raises(OptionError, match=message):
        resolve_domains(a, b, data, Path("data"))


def test_two_folders_are_split_and_named(tmp_path):
    a, b = fill(tmp_path / "my photos", 20), fill(tmp_path / "monet", 30)
    first, second = resolve_domains(str(a), str(b), "", tmp_path / "data")
    assert (first.name, len(first.train), len(first.test), first.truth) == ("my_photos", 18, 2, None)
    assert (second.name, len(second.train), len(second.test), second.truth) == ("monet", 27, 3, None)
    assert not set(first.train) & set(first.test)


@pytest.mark.parametrize("style", ["train{}", "train_{}"])
@pytest.mark.parametrize("held_out", ["test", "val"])
def test_a_layout_by_its_root(tmp_path, style, held_out):
    root = tmp_path / "maps"
    for side in "AB":
        fill(root / style.format(side), 4)
        fill(root / style.format(side).replace("train", held_out), 2, start=90)
    fill(root / "truth" / "A", 2, start=90)
    first, second = resolve_domains("", "", str(root), tmp_path / "data")
    assert (first.name, second.name) == ("mapsA", "mapsB")
    assert [len(first.train), len(first.test), len(second.train), len(second.test)] == [4, 2, 4, 2]
    assert first.truth == root / "truth" / "A"
    assert second.truth is None
    assert names(first.test) == ["090.png", "091.png"]


def test_test_is_preferred_to_val_and_without_both_pictures_are_held_out(tmp_path):
    root = tmp_path / "maps"
    fill(root / "trainA", 10), fill(root / "trainB", 10)
    fill(root / "testA", 1, start=50), fill(root / "valA", 1, start=60)
    first, second = resolve_domains("", "", str(root), tmp_path)
    assert names(first.test) == ["050.png"]
    assert (len(second.train), len(second.test)) == (9, 1)


def test_separate_train_folders_use_their_test_folders(tmp_path):
    fill(tmp_path / "horses" / "train", 4), fill(tmp_path / "horses" / "test", 1, start=50)
    fill(tmp_path / "old" / "trainB", 4), fill(tmp_path / "old" / "testB", 2, start=50)
    fill(tmp_path / "old" / "truth" / "B", 2, start=50)
    first, second = resolve_domains(str(tmp_path / "horses/train"), str(tmp_path / "old/trainB"), "", tmp_path)
    assert (first.name, len(first.train), len(first.test), first.truth) == ("horses", 4, 1, None)
    assert (second.name, len(second.train), len(second.test)) == ("oldB", 4, 2)
    assert second.truth == tmp_path / "old" / "truth" / "B"


def test_domains_are_named_after_patterns_and_lists(here):
    fill(here / "shoots" / "spring", 3)
    fill(here / "paintings", 3)
    Path("impressionists.v2.txt").write_text("\n".join(f"paintings/00{i}.png" for i in range(3)))
    first, second = resolve_domains("shoots/spring/*.png", "impressionists.v2.txt", "", here / "data")
    assert (first.name, second.name) == ("spring", "impressionists.v2")


def test_equal_names_are_distinguished(here):
    for place in ("paris", "rome"):
        fill(here / place / "photos" / "deep", 2)
    first, second = resolve_domains("paris/photos", "rome/photos", "", here / "data")
    assert (first.name, second.name) == ("paris_photos", "rome_photos")
    for half in ("x", "y"):
        (here / half).mkdir()
    Path("x/best.txt").write_text("../paris/photos/deep/000.png")
    Path("y/best.txt").write_text("../paris/photos/deep/001.png")
    pair = resolve_domains("x/best.txt", "y/best.txt", "", here / "data")
    assert pair[0].name != pair[1].name


def test_relative_folders_are_named(here, monkeypatch):
    fill(here / "monet", 2)
    fill(here / "photos" / "sub", 2)
    monkeypatch.chdir(here / "photos" / "sub")
    first, second = resolve_domains(".", "../../monet", "", here / "data")
    assert (first.name, second.name) == ("sub", "monet")
    assert find_domains("..", "../../monet", here)[0].name == "photos"


def test_two_equal_domains_are_refused(here):
    fill(here / "photos", 4)
    (here / "link").symlink_to(here / "photos", target_is_directory=True)
    Path("list.txt").write_text("\n".join(f"photos/00{i}.png" for i in range(4)))
    for other in ("photos", "./photos/", str(here / "photos"), "link", "list.txt", "photos/*"):
        with pytest.raises(OptionError, match="both domains are the same 4 pictures"):
            resolve_domains("photos", other, "", here / "data")


def test_one_domain_inside_the_other_is_refused(here):
    fill(here / "pictures", 3), fill(here / "pictures" / "monet", 2)
    with pytest.raises(OptionError, match="every picture of 'monet' is in .* too"):
        resolve_domains("pictures", "pictures/monet", "", here / "data")


def test_a_root_of_two_domains_is_not_a_domain(tmp_path):
    fill(tmp_path / "maps" / "trainA", 2), fill(tmp_path / "maps" / "trainB", 2)
    with pytest.raises(OptionError, match=r"holds both domains; say --data .*maps"):
        find_domains(str(tmp_path / "maps"), str(tmp_path / "maps" / "trainB"), tmp_path)


def test_the_error_about_a_wrong_root_describes_it(tmp_path):
    fill(tmp_path / "train", 1), (tmp_path / "val").mkdir()
    with pytest.raises(UserError, match=r"no trainA \(it has train, val\); its train folder looks like combined"):
        resolve_domains("", "", str(tmp_path), tmp_path)
    with pytest.raises(UserError, match=r"no trainA \(it has no folder\); give a root"):
        resolve_domains("", "", str(tmp_path / "val"), tmp_path)
    with pytest.raises(UserError, match="'./nowhere' is not a folder"):
        resolve_domains("", "", "./nowhere", tmp_path)


# --- resolve_domains: the catalog


@pytest.mark.usefixtures("drawn")
def test_catalog_domains_are_prepared_on_first_use(here):
    first, second = resolve_domains("photos", "monet", "", Path("data"))
    assert isinstance(first, Domain)
    assert (first.name, second.name) == ("photos", "monet")
    assert first.train[0] == Path("data/photos2monet/trainA/000.png")
    assert second.truth == Path("data/photos2monet/truth/B")
    assert names(second.test) == ["010.png", "011.png"] == names(find_images(str(second.truth)))
    by_data = resolve_domains("", "", "photos2monet", Path("data"))
    assert by_data == (first, second)
    assert resolve_domains("", "", "data/photos2monet", Path("data")) == (first, second)
    assert resolve_domains("monet", "photos", "", Path("data")) == (second, first)


@pytest.mark.usefixtures("drawn")
def test_a_local_path_is_preferred_to_a_catalog_name(here):
    fill(here / "photos", 4)
    first, second = resolve_domains("photos", "monet", "", Path("data"))
    assert first.train[0].parent == Path("photos")
    assert second.train[0].parent == Path("data/photos2monet/trainB")


@pytest.mark.usefixtures("drawn")
def test_a_written_path_is_never_a_catalog_name(here):
    with pytest.raises(UserError, match="no file or folder './photos'"):
        resolve_domains("./photos", "monet", "", Path("data"))
    assert not Path("data").exists()


@pytest.mark.usefixtures("drawn")
def test_a_catalog_domain_beside_the_users_own_folder(here):
    fill(here / "holiday", 20)
    first, second = resolve_domains("holiday", "monet", "", Path("data"))
    assert (first.name, second.name) == ("holiday", "monet")


def test_a_misspelt_domain_gets_a_suggestion(here):
    with pytest.raises(UserError, match="no file or folder 'phots'; did you mean 'photos'"):
        resolve_domains("phots", "monet", "", Path("data"))
    with pytest.raises(UserError, match="or a catalog name: aerial_photos, apples, "):
        resolve_domains("qqqq", "monet", "", Path("data"))
    with pytest.raises(UserError, match="no folder or data set 'photo2monet'; did you mean 'photos2monet'"):
        resolve_domains("", "", "photo2monet", Path("data"))


def test_a_data_set_given_as_a_domain_is_explained(here):
    with pytest.raises(OptionError, match="--data horse2zebra, or --a horses --b zebras"):
        resolve_domains("horse2zebra", "monet", "", Path("data"))
    with pytest.raises(OptionError, match="'maps' is a data set of two domains; say --data maps$"):
        resolve_domains("maps", "monet", "", Path("data"))


def test_a_single_set_is_refused_as_two_domains(here, monkeypatch):
    monkeypatch.setattr(catalog, "prepare", lambda *_: pytest.fail("drawn"))
    told = "'digits' is one set of pictures, not two domains; .* python tools/train_gan.py --images digits --labels$"
    with pytest.raises(OptionError, match=told):
        resolve_domains("digits", "monet", "", Path("data"))
    with pytest.raises(OptionError, match=told):
        resolve_domains("", "", "digits", Path("data"))
    (here / "data" / "digits" / "train").mkdir(parents=True)
    with pytest.raises(OptionError, match=told):
        resolve_domains("", "", "data/digits", Path("data"))


def test_half_of_a_combined_set_is_refused_before_the_download(here, monkeypatch):
    monkeypatch.setattr(catalog, "prepare", lambda *_: pytest.fail("fetched"))
    with pytest.raises(OptionError, match="one half of the combined pictures of 'maps'; use --data maps"):
        resolve_domains("aerial_photos", "street_maps", "", Path("data"))
    with pytest.raises(OptionError, match="pairs; train on it with python tools/train_pix2pix.py --data maps"):
        resolve_domains("", "", "maps", Path("data"))


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ("photos", "monett", "no file or folder 'monett'; did you mean 'monet'"),
        ("photos", "./nowhere", "no file or folder './nowhere'"),
        ("photos", "empty", "'empty' is empty"),
        ("photos", "horse2zebra", "--data horse2zebra"),
        ("photos", "photos", "both domains are 'photos'"),
        ("photos", "street_maps", "one half of the combined pictures"),
    ],
)
def test_both_names_are_checked_before_anything_is_prepared(here, monkeypatch, a, b, message):
    monkeypatch.setattr(catalog, "prepare", lambda *_, **__: pytest.fail("prepared"))
    (here / "empty").mkdir()
    for first, second in ((a, b), (b, a)):
        with pytest.raises(UserError, match=message):
            resolve_domains(first, second, "", Path("data"))


def test_an_empty_test_folder_is_no_test_folder(here, capsys):
    fill(here / "x" / "trainA", 20), fill(here / "x" / "trainB", 20, start=100)
    (here / "x" / "testA").mkdir()
    (here / "x" / "testA" / "notes.txt").write_text("none yet")
    first, _ = resolve_domains("", "", "x", Path("data"))
    assert (len(first.train), len(first.test)) == (18, 2)
    assert "'x/testA' has no pictures and counts as no test folder" in capsys.readouterr().err.replace("\n", " ")
    fill(here / "x" / "testA", 3, start=50)
    assert len(resolve_domains("", "", "x", Path("data"))[0].test) == 3
