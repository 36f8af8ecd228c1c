import csv
import io
import json

import cv2
import numpy as np
import pytest
from rich.console import Console

from tests.evaluation.labels.test_classifier import shapes, words_of
from tests.inference.test_sampler import make
from translate.data.sources.image_set import resolve_images
from translate.evaluation.generation import GenerationEvaluation
from translate.evaluation.labels import classifier
from translate.evaluation.panel import Panel
from translate.metrics.dct_features import DctFeatures
from translate.utils.errors import OptionError, UserError

SIZE = 20
FLOOR, MODEL = "real training pictures (floor)", "this model"
NOISE, PAIRS = "mean training picture with noise", "training pictures averaged in pairs"
NAMES = ("bar", "disc", "ring")


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Classifiers of a few steps."""
    monkeypatch.setattr(classifier, "SMALL_SET_STEPS", 40)


def write(folder, count, seed, *, labelled=True):
    """Shapes, in a folder for each kind or all in one with a table of their factors."""
    pictures, kinds, colours = shapes(count, seed, SIZE)
    folder.mkdir(parents=True)
    for i, picture in enumerate(pictures):
        place = folder / NAMES[kinds[i]] if labelled else folder
        place.mkdir(exist_ok=True)
        cv2.imwrite(str(place / f"{i:03d}.png"), picture[..., ::-1])
    if not labelled:
        words = words_of(kinds, colours)
        with (folder / "factors.csv").open("w", newline="") as file:
            rows = ((f"{i:03d}.png", words["shape"][i], words["colour"][i]) for i in range(count))
            csv.writer(file).writerows([("file", "shape", "colour"), *rows])
    return folder


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    root = tmp_path_factory.mktemp("set") / "things"
    write(root / "train", 150, 0)
    write(root / "test", 60, 1)
    return resolve_images(str(root), "auto", root)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    root = tmp_path_factory.mktemp("set") / "portraits"
    write(root / "train", 150, 0, labelled=False)
    write(root / "test", 60, 1, labelled=False)
    return resolve_images(str(root), "", root)


class Model:
    """Stands for a sampler: `draw` makes the picture of a seed and a class."""

    size = SIZE

    def __init__(self, draw, classes=()):
        self.draw, self.classes = draw, classes

    def __call__(self, count=1, *, seeds=None):
        return np.stack([self.draw(seed, seed % len(self.classes) if self.classes else None) for seed in seeds])


def new_shapes(classes=()):
    """A model that is right: shapes that are in neither part, of the class asked for."""
    pictures, kinds, _ = shapes(600, 5, SIZE)
    if not classes:
        return Model(lambda seed, label: pictures[seed])
    groups = [pictures[kinds == i] for i in range(3)]
    return Model(lambda seed, label: groups[label][seed // 3], classes)


def score(sampler, images, **options):
    return GenerationEvaluation(sampler, images, **options).run(progress=False)


def rows(scores):
    return {row.name: row for row in scores.rows}


def printed(scores):
    console = Console(width=132, file=io.StringIO(), record=True)
    console.print(scores.table())
    return console.export_text()


def test_a_right_model_is_as_near_as_the_floor_and_beats_what_costs_nothing(images):
    scores = score(new_shapes(NAMES), images, count=60)
    found = rows(scores)
    assert list(found) == [NOISE, PAIRS, MODEL, FLOOR]
    kernel = {name: row.scores["DCT"].kernel for name, row in found.items()}
    assert max(kernel[MODEL], kernel[FLOOR]) < min(kernel[PAIRS], kernel[NOISE]) / 3
    assert found[MODEL].scores["DCT"].coverage > 0.8 > found[PAIRS].scores["DCT"].coverage
    assert found[MODEL].variety == pytest.approx(1, abs=0.1) and found[PAIRS].variety < 0.85
    assert not any(check.remembers for check in scores.memory.values())
    assert scores.labels.agreement > 0.85 and scores.labels.accuracy > 0.85
    assert [row.count for row in scores.labels.classes] == [20, 20, 20]
    assert not scores.notes and not scores.factors


def test_a_model_that_remembers_is_flagged(images):
    known = [source.read() for source in images.train]
    scores = score(Model(lambda seed, label: known[seed]), images, count=60)
    assert scores.memory["pixels"].remembers and scores.memory["pixels"].copies == 1
    assert scores.memory["pixels"].training == 150
    assert "by pixels: WARNING: the model seems to remember" in printed(scores)
    assert scores.to_dict()["memory"]["pixels"]["remembers"] is True


def test_a_collapsed_model_covers_nothing_and_has_no_variety(images):
    one, rng = shapes(1, 9, SIZE)[0][0], np.random.default_rng(0)
    model = Model(lambda seed, label: one + rng.integers(0, 3, one.shape, np.uint8))
    row = rows(score(model, images, count=60))[MODEL]
    assert row.scores["DCT"].coverage < 0.1 and row.variety < 0.05


def test_a_model_that_mixes_up_its_labels_is_told(images):
    pictures, kinds, _ = shapes(300, 5, SIZE)
    groups = [pictures[kinds == i] for i in range(3)]
    swapped = Model(lambda seed, label: groups[(1, 0, 2)[label]][seed // 3], NAMES)
    scores = score(swapped, images, count=60)
    found = {row.name: row for row in scores.labels.classes}
    assert found["bar"].agreement < 0.2 and found["bar"].mistaken == "disc" and found["ring"].agreement > 0.8
    text = printed(scores)
    assert "most others taken for" in text and "held-out pictures after learning from 150" in text


def test_labels_are_matched_by_name_and_what_the_pictures_lack_is_told(images):
    groups = {name: [s.read() for s in images.test if images.classes[s.label] == name] for name in NAMES}
    order = ("ring", "bar", "disc")
    turned = Model(lambda seed, label: groups[order[label]][seed // 3 % 10], order)
    scores = score(turned, images, count=30)
    assert scores.labels.agreement > 0.85 and [row.name for row in scores.labels.classes] == list(order)
    strange = Model(turned.draw, (*order[:2], "cube"))
    scores = score(strange, images, count=30)
    assert scores.labels is None and "no picture is labelled cube" in printed(scores)


def test_factors_are_compared_where_a_table_lies_beside_the_pictures(plain):
    pictures, _, colours = shapes(300, 5, SIZE)
    red = pictures[colours == 1]
    scores = score(Model(lambda seed, label: red[seed]), plain, count=60)
    found = {row.name: row for row in scores.factors}
    assert list(found) == ["shape", "colour"]
    assert found["colour"].away > 0.3 > found["colour"].away_real
    assert found["colour"].accuracy > 0.9
    assert "total variation distance" in printed(scores)
    assert scores.labels is None


def test_all_of_it_goes_into_json_and_the_limit_holds(images):
    scores = score(new_shapes(NAMES), images, count=24, limit=30)
    assert scores.held_out == 24 and scores.memory["pixels"].training == 30
    assert rows(scores)[FLOOR].count == 24
    found = json.loads(json.dumps(scores.to_dict(), allow_nan=False))
    assert found["kernel_scale"] == 1000 and found["rows"][2]["scores"]["DCT"]["density"] > 0
    assert found["labels"]["classes"][0]["name"] == "bar"


class Pixels:
    title, version = "Pixel-Net", "pixels of every fourth row and column"

    def __call__(self, pictures):
        return pictures[:, :, ::4, ::4].flatten(1)


def test_other_features_stand_beside_under_their_own_name(images):
    scores = score(new_shapes(), images, count=20, panel=Panel([DctFeatures(), Pixels()], ["no column of others"]))
    assert list(scores.rows[0].scores) == list(scores.memory)[1:] == ["DCT", "Pixel-Net"]
    text = printed(scores)
    assert "Pixel-" in text and "KID" not in text and "FID" not in text and "no column of others" in text
    assert max(map(len, text.splitlines()[:20])) <= 100


@pytest.mark.parametrize("classes", [(), NAMES])
def test_a_real_sampler_is_scored_and_shown(images, classes):
    sampler = make(classes=classes)
    scores = score(sampler, images, count=16, limit=20)
    assert rows(scores)[MODEL].count == 16 and (scores.labels is None) == (not classes)
    sheet = GenerationEvaluation(sampler, images).grid(columns=3, rows=2)
    assert sheet.shape == (3 * 34 - 2, 3 * 34 - 2, 3)
    np.testing.assert_array_equal(sheet[34:66, :32], sampler(seeds=[3])[0])


def test_the_sheet_shows_the_nearest_training_pictures(images):
    known = [source.read() for source in images.train]
    sheet = GenerationEvaluation(Model(lambda seed, label: known[seed]), images).grid(columns=4, rows=3)
    below, last = sheet[3 * 22 :], sheet[2 * 22 : 3 * 22 - 2]
    np.testing.assert_array_equal(below, last)


def test_unreadable_pictures_are_left_out_and_told(plain, tmp_path):
    root = tmp_path / "some"
    write(root / "train", 20, 0)
    write(root / "test", 12, 1)
    (root / "train" / "bar" / "broken.png").write_bytes(b"no picture")
    scores = score(new_shapes(), resolve_images(str(root), "", root), count=10)
    assert "1 unreadable files were left out" in scores.notes


@pytest.mark.parametrize(
    ("count", "limit", "message"),
    [(7, None, "--count 7 must be at least 8"), (20, 3, "--limit 3 must be at least 8")],
)
def test_too_few_are_refused(images, count, limit, message):
    with pytest.raises(OptionError, match=message):
        score(new_shapes(), images, count=count, limit=limit)


def test_a_set_without_enough_held_out_pictures_is_refused(tmp_path):
    root = write(tmp_path / "few", 20, 0)
    with pytest.raises(UserError, match="2 held-out pictures can be used; scores need 8; name a larger"):
        score(new_shapes(), resolve_images(str(root), "", root), count=10)
