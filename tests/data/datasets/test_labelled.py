import io

import cv2
import pytest
import torch
from rich.console import Console

from tests.conftest import picture
from translate.data.datasets import TRAINING_DATA, LabelledData
from translate.data.loading.loader import Batches
from translate.data.options import DataConfig
from translate.utils import dist
from translate.utils.errors import OptionError


@pytest.fixture
def faces(tmp_path):
    (tmp_path / "faces").mkdir()
    for i in range(30):
        shown = picture(i, 32, 32)
        shown[:8, :8] = 8 * i  # tells which picture it is
        cv2.imwrite(str(tmp_path / "faces" / f"{i:03d}.png"), shown)
    rows = "".join(f"{i:03d}.png,{i % 2},{int(i < 10)}\n" for i in range(30))
    (tmp_path / "faces" / "attributes.csv").write_text(f"file,glasses,blond\n{rows}", encoding="utf-8")
    return tmp_path / "faces"


def opened(folder, tmp_path, **options):
    given = {"images": str(folder), "classes": "auto"} | options
    data = LabelledData(DataConfig(**given), tmp_path)
    data.open(tmp_path / "cache", size=32, zoom=1.0, square=False, progress=False)
    return data


def numbers_of(images):
    """Which pictures are in a batch, by their upper left corner."""
    corner = images[:, 0, 4, 4].float() / 8
    return corner.round().long().tolist()


def test_pictures_come_with_their_own_labels(faces, tmp_path):
    data = opened(faces, tmp_path)
    assert TRAINING_DATA["labelled"] is LabelledData and data.channels == {"image": 3, "attributes": 2}
    assert data.facts["attributes"] == ["glasses", "blond"]
    for step in range(3):
        batch = Batches(data.stream(crop=32, flip=False, seed=0), 6).make(step)
        assert batch["attributes"].tolist() == [[i % 2, int(i < 10)] for i in numbers_of(batch["image"])]
    for shown in (data.probe, data.read_choosing(8, size=32, square=False)):
        assert shown["attributes"].tolist() == [[i % 2, int(i < 10)] for i in numbers_of(shown["image"])]


def test_two_processes_see_the_rows_of_one(faces, tmp_path, monkeypatch):
    stream = opened(faces, tmp_path).stream(crop=32, flip=True, seed=3)
    whole = Batches(stream, 4).make(5)
    for rank in (0, 1):
        monkeypatch.setattr(dist, "local_indices", lambda size, rank=rank: range(rank, size, 2))
        part = Batches(stream, 4).make(5)
        assert all(torch.equal(part[key], whole[key][rank::2]) for key in whole)


def test_the_fingerprint_follows_the_labels(faces, tmp_path):
    one, other = opened(faces, tmp_path), opened(faces, tmp_path, attributes="glasses")
    assert one.fingerprint == opened(faces, tmp_path).fingerprint != other.fingerprint
    assert other.channels["attributes"] == 1


def test_the_table_of_labels_counts_pictures_with_and_without(faces, tmp_path):
    data = opened(faces, tmp_path)
    stream = io.StringIO()
    Console(file=stream, width=60).print(data.label_table)
    lines = [line.split() for line in stream.getvalue().splitlines()]
    train, counts = len(data.train), data._labelled.counts.tolist()
    assert lines[0] == ["attribute", "with", "it", "without"]
    assert lines[2] == ["glasses", str(counts[0]), str(train - counts[0])]


def test_class_folders_are_one_hot(tmp_path):
    for k, kind in enumerate(("cats", "dogs", "foxes")):
        (tmp_path / "set" / kind).mkdir(parents=True)
        for i in range(8):
            cv2.imwrite(str(tmp_path / "set" / kind / f"{i}.png"), picture(10 * k + i, 32, 32))
    data = opened(tmp_path / "set", tmp_path)
    assert data.channels == {"image": 3, "classes": 3} and data.facts == {"classes": ["cats", "dogs", "foxes"]}
    batch = Batches(data.stream(crop=32, flip=False, seed=0), 6).make(0)
    assert batch["classes"].shape == (6, 3) and batch["classes"].sum(1).tolist() == [1] * 6


def test_no_pictures_get_one_line(tmp_path):
    with pytest.raises(OptionError, match="no pictures given; say --images FOLDER --labels"):
        LabelledData(DataConfig(classes="auto"), tmp_path)
