"""Translations of folders keep camera data on request, and else say what they left out."""

import pytest

from tests.images.test_metadata import XMP, read_tags, source
from tests.inference.folder.folders import run
from translate.images.encode import FORMATS
from translate.images.io import read_picture

NOTE = "the camera data (EXIF) of 1 file is not in the results; --keep-metadata keeps it"


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif", ".avif", ".heic"])
def test_camera_data_stays_private_unless_it_is_asked_for(suffix, translator, tmp_path):
    if suffix not in FORMATS:
        pytest.skip("needs pillow-heif")
    (tmp_path / "in").mkdir()
    path = source(suffix, tmp_path / "in")
    report = run(translator, tmp_path / "in", tmp_path / "out")
    assert NOTE in report.notes
    assert b"Maker" not in (tmp_path / "out" / path.name).read_bytes()
    report = run(translator, tmp_path / "in", tmp_path / "kept", keep_metadata=True)
    assert not [note for note in report.notes if "camera" in note or "XMP" in note]
    result = read_picture(tmp_path / "kept" / path.name)
    assert read_tags(result.metadata.exif)[0x010F] == "Maker"
    assert result.metadata.xmp == XMP.replace(b'"6"', b'"1"')


def test_another_wish_makes_results_again(translator, tmp_path):
    (tmp_path / "in").mkdir()
    source(".jpg", tmp_path / "in")
    run(translator, tmp_path / "in", tmp_path / "out")
    again = run(translator, tmp_path / "in", tmp_path / "out", keep_metadata=True, overwrite=True)
    assert again.done == 1
    assert run(translator, tmp_path / "in", tmp_path / "out", keep_metadata=True).skipped == 1
