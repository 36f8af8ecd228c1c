import os

import numpy as np
import pytest

from translate.errors import OptionError
from translate.images import Picture, WriteError, write_picture
from translate.worklist import is_done, make_worklist, note_options


@pytest.fixture
def source(tmp_path):
    for name in ("x.png", "x_1.png", "sub/x.jpg"):
        write_picture(tmp_path / "in" / name, Picture(np.zeros((2, 2, 3), np.uint8)))
    return tmp_path / "in"


def test_one_answer_keeps_the_name_and_more_are_numbered(source, tmp_path):
    for answers, names in ((1, ["x.jpg"]), (3, ["x_1.jpg", "x_2.jpg", "x_3.jpg"])):
        jobs, _ = make_worklist(str(source), tmp_path / "out", answers=answers)
        assert jobs[0].targets == tuple(tmp_path / "out" / "sub" / name for name in names)
        assert jobs[0].target == tmp_path / "out/sub/x.jpg" and jobs[0].hints is None
        targets = [target for job in jobs for target in job.targets]
        assert len(set(targets)) == len(targets) == 3 * answers


def test_no_answer_may_overwrite_an_input(tmp_path):
    for name in ("in/x_2.png", "in/in/x.png"):
        write_picture(tmp_path / name, Picture(np.zeros((2, 2, 3), np.uint8)))
    make_worklist(str(tmp_path / "in"), tmp_path, answers=1)
    with pytest.raises(OptionError, match=r"in/in/x\.png: its translation would overwrite the input .*in/x_2\.png"):
        make_worklist(str(tmp_path / "in"), tmp_path, answers=2)


def test_done_is_what_is_there_whole_and_newer_than_all_that_it_is_made_of(source, tmp_path):
    job = make_worklist(str(source / "x.png"), tmp_path / "out", answers=2)[0][0]
    hints, model, note = (tmp_path / name for name in ("hints.png", "model", "note"))
    for when, path in enumerate([job.path, hints, model, note, *job.targets]):
        path.parent.mkdir(exist_ok=True)
        path.touch()
        os.utime(path, (1000 + when, 1000 + when))
    job = job._replace(hints=hints)
    assert is_done(job, model, note) and is_done(job) and is_done(job, None)
    for path in (job.path, hints, model, note):
        before = path.stat().st_mtime
        os.utime(path, (1004.5, 1004.5))  # between the two answers
        assert not is_done(job, model, note), path
        os.utime(path, (before, before))
    job.targets[0].unlink()
    assert not is_done(job, model, note)


def test_the_note_is_written_when_options_change(tmp_path):
    assert note_options(tmp_path, {}) == (None, False) and not list(tmp_path.iterdir())
    note, changed = note_options(tmp_path, {"seed": 1})
    assert note is not None and changed
    before = note.stat().st_mtime_ns
    assert note_options(tmp_path, {"seed": 1}) == (note, False) and note.stat().st_mtime_ns == before
    assert note_options(tmp_path, {"seed": 2}) == (note, True) == note_options(tmp_path, {})
    assert note_options(tmp_path, {}) == (note, False)


def test_a_note_that_cannot_be_written(tmp_path, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WriteError, match="No space left on device"):
        note_options(tmp_path, {"seed": 1})
