"""Held-out pictures are those that a run held out when it began."""

import gzip
import json
import shutil

import cv2
import numpy as np
import pytest

from tests.conftest import picture
from translate.data.sources.domains import resolve_domains
from translate.data.sources.image_set import resolve_images
from translate.data.sources.pair_set import resolve_pairs
from translate.data.sources.run_data import run_domains, run_images, run_pairs
from translate.training.start.pictures import PictureRecord, settle_pictures


def fill(folder, numbers, seed=0):
    folder.mkdir(exist_ok=True)
    for i in numbers:
        cv2.imwrite(str(folder / f"{i:03d}.png"), picture(seed + i, 8, 8))


def record(folder, sets, learned=()):
    """Write what a run keeps of its pictures: (domain, split, files)."""
    folder.mkdir(exist_ok=True)
    rows = [
        [domain, str(path), split, path.stat().st_size, path.stat().st_mtime_ns]
        for domain, split, files in sets
        for path in files
    ]
    table = {"format": 1, "fingerprint": "", "pictures": rows, "learned": [str(path) for path in learned]}
    (folder / "pictures.json.gz").write_bytes(gzip.compress(json.dumps(table).encode()))


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A run of two folders of 30 pictures, of each of which 3 are held out."""
    monkeypatch.chdir(tmp_path)
    fill(tmp_path / "photos", range(30))
    fill(tmp_path / "monet", range(30), seed=500)
    a, b = resolve_domains("photos", "monet", "", tmp_path)
    record(tmp_path / "run", [(d.name, s, f) for d in (a, b) for s, f in (("train", d.train), ("test", d.test))])
    (tmp_path / "run" / "config.toml").write_text('[data]\na = "photos"\nb = "monet"\n')
    return tmp_path / "run"


def names(files):
    return sorted(path.name for path in files)


def test_pictures_added_later_change_no_held_out_one(run, tmp_path):
    before = run_domains(run)
    fill(tmp_path / "photos", range(100, 140))
    a, b = run_domains(run)
    assert names(a.test) == names(before[0].test) and len(a.test) == 3
    assert names(a.train) == names(before[0].train)
    assert b.test == before[1].test and not b.notes
    assert a.notes == ("photos: 40 added since the run began are not scored: 100.png, 101.png, 102.png and 37 more",)
    # the same pictures, named
    assert run_domains(run, "photos", "monet") == (a, b)


def test_held_out_pictures_that_are_gone_are_told(run):
    (gone := run_domains(run)[0].test[0]).unlink()
    a = run_domains(run)[0]
    assert len(a.test) == 2 and len(a.train) == 27
    assert a.notes == (f"photos: 1 of 3 held-out pictures are gone: {gone.name}",)


def test_other_pictures_lose_what_was_learned_from(run, tmp_path):
    learned = run_domains(run)[0].train
    fill(tmp_path / "testA", range(200, 204))
    listing = tmp_path / "list.txt"
    listing.write_text("".join(f"{path.absolute()}\n" for path in (*learned[:20], *(tmp_path / "testA").iterdir())))
    a, _ = run_domains(run, str(listing), "monet")
    assert not {*a.test} & {path.absolute() for path in learned}


def test_a_moved_folder_is_known_by_names_and_sizes(run, tmp_path):
    before = run_domains(run)
    (tmp_path / "elsewhere").mkdir()
    for name in ("photos", "monet"):
        shutil.move(tmp_path / name, tmp_path / "elsewhere" / name)
    fill(tmp_path / "elsewhere" / "photos", range(100, 140))
    (run / "config.toml").write_text('[data]\na = "elsewhere/photos"\nb = "elsewhere/monet"\n')
    a, _ = run_domains(run)
    assert names(a.test) == names(before[0].test)


def test_pairs_and_single_pictures_keep_theirs(run, tmp_path):
    # pairs
    pairs = resolve_pairs("photos", "monet", "", tmp_path)
    sets = [(one.title, one.split, one.files) for one in pairs.file_sets()]
    record(run, sets)
    fill(tmp_path / "photos", range(100, 140))
    fill(tmp_path / "monet", range(100, 140), seed=500)
    found = run_pairs(run)
    assert [pair.name for pair in found.test] == [pair.name for pair in pairs.test]
    assert len(found.notes) == 1 and "40 added since the run began" in found.notes[0]
    # single pictures, of which one was trained on in a later start
    single = resolve_images("monet", "", tmp_path)
    (run / "config.toml").write_text('[data]\nimages = "monet"\n')
    parts = (("train", single.train), ("test", single.test))
    record(run, [(single.title, split, [s.file for s in part]) for split, part in parts], [single.test[0].file])
    fill(tmp_path / "monet", range(140, 180), seed=500)
    again = run_images(run)
    assert [source.file for source in again.test] == [source.file for source in single.test[1:]]
    assert single.test[0].file in [source.file for source in again.train]
    assert "40 added since the run began" in again.notes[0]


class Data:
    """What the record asks of training data."""

    def __init__(self, domains):
        self.domains = domains

    def file_sets(self):
        return [(d.name, "", s, f) for d in self.domains for s, f in (("train", d.train), ("test", d.test))]


@pytest.mark.parametrize("accept", [False, True])
def test_a_picture_trained_on_once_is_never_scored(run, tmp_path, accept):
    """Pictures that come and go before a run is resumed, or extended, move others from one part to the other."""
    starts = [resolve_domains("photos", "monet", "", tmp_path)]
    for path in starts[0][0].test[:2]:
        path.unlink()
    fill(tmp_path / "photos", np.arange(100, 103))
    for change in (lambda: fill(tmp_path / "photos", np.arange(110, 140)), lambda: None):
        starts.append(resolve_domains("photos", "monet", "", tmp_path))
        settle_pictures(PictureRecord(run, Data(starts[-1])), "new", "", new=False, accept=accept)
        change()
    learned = {path for start in starts for path in start[0].train}
    assert {*starts[1][0].test} & {*starts[0][0].train}  # what a new run would hold out, this one has learned from
    assert not {*run_domains(run)[0].test} & learned
