"""What is left out of a folder is told by name, number and way out: the same words in every command."""

import numpy as np
import pytest

from translate.data.checks.full_check import check_data
from translate.data.files.find import find_images, left_out_notes, open_images
from translate.data.files.worklist import Worklist
from translate.data.make_sketches import make_sketches
from translate.data.sources.pair_set import resolve_pairs
from translate.images.foreign import foreign_suffixes
from translate.images.io import IMAGE_SUFFIXES, read_picture, write_picture
from translate.images.picture import Picture
from translate.utils.errors import UserError

CAMERA = ("a.CR2", "b.cr2", "sub/c.NEF", "d.psd", "e.svg", "f.jxl", "Thumbs.db", "notes.txt", "more.txt", "labels.csv")
NOTE = (
    "left out 2 .cr2, 1 .nef, 1 .psd (export as TIFF or JPEG); 1 .jxl (convert to PNG or TIFF); "
    "1 .svg (render as PNG); 3 other files (.txt 2, .db 1)"
)


@pytest.fixture
def folder(tmp_path):
    """A folder with pictures, and what cameras, editors and desktops put beside them."""
    root = tmp_path / "photos"
    for number in range(3):
        pixels = np.random.default_rng(number).integers(0, 255, (48, 64, 3), dtype=np.uint8)
        write_picture(root / f"{number}.png", Picture(pixels))
    for name in CAMERA:
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(b"x")
    (root / ".DS_Store").touch()
    return root


def test_one_note_names_all(folder):
    assert left_out_notes([str(folder)]) == [f"{folder}: {NOTE}"]
    assert left_out_notes([f"{folder}/*.txt"]) == [f"{folder}/*.txt: left out 2 other files (.txt 2)"]
    assert left_out_notes(["", "photos", str(folder / "0.png"), str(folder / "sub/nothing")]) == []


def test_translating_sketching_and_checking_say_it_in_the_same_words(folder, tmp_path):
    expected = f"{folder}: {NOTE}"
    assert expected in Worklist(str(folder), tmp_path / "out").survey().notes
    assert expected in make_sketches(folder, tmp_path / "sketches", progress=False, device="cpu").notes
    assert expected in [finding.words for finding in check_data(images=str(folder)).findings]


def test_masks_that_are_left_out_are_named_too(folder, tmp_path):
    write_picture(tmp_path / "masks/0.png", Picture(np.zeros((48, 64, 3), np.uint8)))
    (tmp_path / "masks/1.psd").touch()
    notes = Worklist(str(folder), tmp_path / "out", masks=tmp_path / "masks").survey().notes
    assert f"{tmp_path / 'masks'}: left out 1 .psd (export as TIFF or JPEG)" in notes


def test_parts_of_a_layout_are_not_left_out(tmp_path):
    write_picture(tmp_path / "0.png", Picture(np.zeros((8, 8, 3), np.uint8)))
    for name in ("labels.csv", "factors.csv", "failed.jsonl", "failed-1of2.jsonl", "train-images-idx3-ubyte.gz"):
        (tmp_path / name).touch()
    assert left_out_notes([str(tmp_path)]) == []


def test_a_folder_of_nothing_else_names_the_way_out(tmp_path):
    (tmp_path / "a.CR3").touch()
    with pytest.raises(UserError, match=r"has 1 file but no image \(.cr3 1\); 1 .cr3: export as TIFF or JPEG$"):
        find_images(str(tmp_path))
    with pytest.raises(UserError, match=r"no picture matches .*; 1 .cr3: export as TIFF or JPEG$"):
        find_images(f"{tmp_path}/*.CR3")


def test_one_file_names_the_way_out(tmp_path):
    (tmp_path / "a.CR3").touch()
    with pytest.raises(UserError, match=r"a.CR3': .CR3 files are not read; export as TIFF or JPEG"):
        open_images(str(tmp_path / "a.CR3"))
    with pytest.raises(UserError, match=r"a.CR3: .CR3 files are not read; export as TIFF or JPEG"):
        read_picture(tmp_path / "a.CR3")


def test_every_format_is_read_or_has_a_way_out():
    assert not IMAGE_SUFFIXES & foreign_suffixes().keys()
    assert {".heic", ".heif", ".cr2", ".dng", ".psd", ".pdf"} <= IMAGE_SUFFIXES | foreign_suffixes().keys()


def test_heic_without_the_package_names_it(tmp_path):
    """In a fresh process in which pillow-heif cannot be found."""
    import subprocess
    import sys

    (tmp_path / "IMG_1.HEIC").touch()
    code = (
        "import importlib.util as util; find = util.find_spec;"
        "util.find_spec = lambda name, *rest: None if name == 'pillow_heif' else find(name, *rest);"
        "from translate.data.files.find import left_out_notes; import sys; print(left_out_notes(sys.argv[1:]))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert "left out 1 .heic (pip install 'image-translate[heic]')" in done.stdout


def test_missing_partners_that_are_not_read_are_named(tmp_path):
    for side in ("a", "b"):
        for name in ("1.png", "2.png"):
            write_picture(tmp_path / side / name, Picture(np.zeros((8, 8, 3), np.uint8)))
    (tmp_path / "b/2.png").rename(tmp_path / "b/2.psd")
    with pytest.raises(UserError, match=r"no partner of the same name for .*; 1 .psd: export as TIFF or JPEG$"):
        resolve_pairs(str(tmp_path / "a"), str(tmp_path / "b"), "", tmp_path)
