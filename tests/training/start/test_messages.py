"""Training says what it leaves out of the user's folders, once a run, whatever the kind of its data."""

import pytest

from tests.training.test_loop import make_config
from translate.data.options import DataConfig
from translate.training.loop import train
from translate.training.start.messages import print_left_out


def printed(capsys):
    return capsys.readouterr().err.replace("\n", "")


@pytest.mark.parametrize("option", ["a", "b", "root", "images", "masks"])
def test_every_folder_of_a_run_is_looked_at(option, two_folders, capsys):
    (two_folders[0] / "photo.nef").touch()
    print_left_out(DataConfig(**{option: str(two_folders[0])}))
    assert printed(capsys).count("left out 1 .nef (export as TIFF or JPEG)") == 1


def test_a_run_says_once_what_it_left_out(two_folders, tmp_path, tiny, capsys):
    (two_folders[0] / "photo.cr2").touch()
    (two_folders[1] / "Thumbs.db").touch()
    train(make_config(two_folders, tmp_path / "r", tiny, train={"steps": 1}))
    text = printed(capsys)
    assert text.count("reds: left out 1 .cr2 (export as TIFF or JPEG)") == 1
    assert text.count("blues: left out 1 other file (.db 1)") == 1
