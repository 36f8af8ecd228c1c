import gzip
import json
import os
import shutil

import pytest

from tests.training.test_loop import make_config, stop_after
from translate.training.loop import train


@pytest.fixture
def stopped(two_folders, tmp_path, tiny, monkeypatch):
    """The configuration of a run that was killed at step 3 of 6."""
    config = make_config(two_folders, tmp_path / "r", tiny, train={"steps": 6, "save_minutes": 0.0})
    with monkeypatch.context() as patch:
        killed = stop_after(patch, 3)
        with pytest.raises(killed):
            train(config)
    return config


def change(folder):
    """Add a picture, remove two, change one."""
    names = sorted(folder.iterdir())
    shutil.copy(names[0], folder / "new.png")
    for path in names[-2:]:
        path.unlink()
    os.utime(names[1], (1, 1))


def note(capsys):
    return capsys.readouterr().err.replace("\n", " ")


def test_pictures_that_changed_since_the_run_began_are_reported(stopped, two_folders, capsys):
    change(two_folders[0])
    capsys.readouterr()
    train(stopped)
    said = note(capsys)
    assert "since the run began, reds has 1 more (new.png), 2 fewer (010.png, 011.png), 1 changed (001.png)" in said
    assert "its result will not have the bits of an uninterrupted run; --extend accepts them" in said
    assert "blues" not in said.partition("since")[2]
    # reported at every start, until they are accepted
    train(stopped)
    assert "the model has not learned from that; --extend" in note(capsys)


def test_an_extension_accepts_other_pictures(stopped, two_folders, tmp_path, tiny, capsys):
    change(two_folders[0])
    longer = make_config(two_folders, tmp_path / "r", tiny, train={"steps": 8, "save_minutes": 0.0})
    train(longer, extend=True)
    said = note(capsys)
    assert "the run goes on with the pictures as they are now" in said and "bits of an" not in said
    train(longer)
    assert "since the run began" not in note(capsys)


def test_unchanged_pictures_are_not_reported(stopped, capsys):
    train(stopped)
    train(stopped)
    assert "since the run began" not in note(capsys)


def test_a_run_without_a_record_is_compared_with_its_model(stopped, two_folders, tmp_path, capsys):
    (tmp_path / "r" / "pictures.json.gz").unlink()
    change(two_folders[1])
    train(stopped)
    assert "since the run began, pictures were added, removed or changed" in note(capsys)
    assert (tmp_path / "r" / "pictures.json.gz").exists()


def test_held_out_pictures_do_not_change_the_bits(stopped, two_folders, tmp_path, capsys):
    record = json.loads(gzip.decompress((tmp_path / "r" / "pictures.json.gz").read_bytes()))
    held = next(path for _, path, split, *_ in record["pictures"] if split == "test")
    os.utime(held, (1, 1))
    capsys.readouterr()
    train(stopped)
    assert "only held-out pictures are concerned, and the bits of the result are the same" in note(capsys)
