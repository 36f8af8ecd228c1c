"""Folders of pictures: browsed below the allowed ones, and unpacked from a zip."""

import io
import struct
import zipfile

import pytest

from translate.studio.training import folders
from translate.studio.training.folders import list_folder, unpack_upload
from translate.utils.errors import OptionError, UserError


@pytest.fixture
def here(tmp_path, monkeypatch):
    work = tmp_path / "work"
    for name in ("photos/summer", "photos/.hidden", "empty"):
        (work / name).mkdir(parents=True)
    for name in ("photos/1.png", "photos/2.JPG", "photos/notes.txt", "photos/summer/3.png"):
        (work / name).touch()
    (work / "link").symlink_to("/")
    monkeypatch.chdir(work)
    return work


def test_folders_are_listed_with_their_pictures(here):
    top = list_folder("", [here])
    assert (top["path"], top["parent"]) == (".", None)
    assert [(one["name"], one["path"], one["pictures"]) for one in top["folders"]] == [
        ("empty", "empty", 0), ("photos", "photos", 2),
    ]  # fmt: skip
    inner = list_folder("photos", [here])
    assert (inner["path"], inner["parent"], inner["pictures"]) == ("photos", ".", 2)
    assert [one["path"] for one in inner["folders"]] == ["photos/summer"]
    both = list_folder("", [here / "empty", here / "photos"])
    assert [one["path"] for one in both["folders"]] == ["empty", "photos"]
    assert list_folder("photos", [here / "empty", here / "photos"])["parent"] == ""


@pytest.mark.parametrize(
    "path", ["..", "/", "/etc", "link", "link/etc", "photos/../..", "photos/1.png", "missing", "~"]
)
def test_other_folders_are_not(here, path):
    with pytest.raises(OptionError, match="no folder that the studio may read"):
        list_folder(path, [here])


def test_what_is_no_path_is_answered_in_a_line(here):
    (here / "loop").symlink_to(here / "loop")
    for path in ("a\0b", "~nobody_of_this_name/x", "loop", "x" * 5000):
        with pytest.raises(OptionError, match="is no path|no folder that the studio may read"):
            list_folder(path, [here])


def pack(entries, **links):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
        for name, target in links.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = 0o120777 << 16
            archive.writestr(info, target)
    return data.getvalue()


def upload(here, data, name="my pictures.zip", limit=10**6):
    (here / "upload.zip").write_bytes(data)
    return unpack_upload(here / "upload.zip", name, here / "data" / "uploads", limit)


def test_a_zip_is_unpacked_into_a_folder_of_its_name(here):
    folder = upload(here, pack({"set/trainA/1.png": b"1", "set/trainB/2.png": b"2", "__MACOSX/x": b"", "set/.DS": b""}))
    assert folder == here / "data" / "uploads" / "my_pictures"
    assert sorted(str(p.relative_to(folder)) for p in folder.rglob("*.png")) == ["trainA/1.png", "trainB/2.png"]
    with pytest.raises(UserError, match="exists already"):
        upload(here, pack({"1.png": b""}))


@pytest.mark.parametrize("name", ["../../x.zip", "/etc/x.zip", "..", "", ".zip", "a\\b.zip", "<script>.zip"])
def test_the_name_of_an_upload_stays_in_its_folder(here, name):
    folder = upload(here, pack({"1.png": b"1"}), name)
    assert folder.parent == here / "data" / "uploads" and not folder.name.startswith(".")


def lying():
    """A zip whose header says that its file has 1 byte, where it has a million."""
    data = bytearray(pack({"1.png": bytes(10**6)}))
    place = data.index(b"PK\x01\x02")
    data[place + 24 : place + 28] = struct.pack("<I", 1)
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (pack({"../../evil.png": b"x"}), "leaves the target folder"),
        (pack({"/etc/evil.png": b"x"}), "leaves the target folder"),
        (pack({"..\\evil.png": b"x"}), "leaves the target folder"),
        (pack({}, link="/etc"), "a link or device"),
        (pack({"bomb.png": bytes(10**7)}), "far too much"),
        (lying(), "damaged"),
        (pack({f"{i}.png": b"" for i in range(30)}), "holds 30 files; at most 20"),
        (pack({}), "holds no files"),
        (b"no zip at all", "no zip, or is damaged"),
        (b"", "no zip, or is damaged"),
        (pack({"1.png": b"x" * 100})[:-30], "no zip, or is damaged"),
    ],
    ids=["up", "absolute", "backslash", "link", "bomb", "lying", "many", "empty", "text", "nothing", "cut"],
)
def test_a_hostile_zip_leaves_nothing_behind(here, monkeypatch, data, message):
    monkeypatch.setattr(folders, "MAX_FILES", 20)
    with pytest.raises(UserError, match=message) as error:
        upload(here, data)
    assert str(here) not in str(error.value)
    assert not list((here / "data" / "uploads").glob("*")) and not (here.parent / "evil.png").exists()
