import io
import json

import numpy as np
import pytest
from rich.console import Console

from tests.data.label_scenes import NAMES, write_scenes
from tests.images.test_label_maps import CLASSES
from translate.data.sources.pair_set import resolve_pairs
from translate.evaluation.labels.label_maps import BASELINES, LabelMapEvaluation
from translate.evaluation.labels.map_pairs import MapInput, MeanColours, ShownPairs
from translate.reports.measures import measures_of
from translate.utils.errors import OptionError, UserError
from translate.utils.progress import open_progress

MODEL = "this model"


@pytest.fixture
def evaluation(tmp_path):
    root = write_scenes(tmp_path / "s", train=24, test=12)
    pairs = resolve_pairs("", "", str(root), tmp_path)
    by_photo = {}
    reader = LabelMapEvaluation(lambda source: source, pairs, {"b": CLASSES["palette"]})
    for pair in pairs.test:
        source, truth = reader.read(pair)
        by_photo[source.tobytes()] = truth

    def answer(source):
        """Answer the truth with all discs taken for boxes, and some class where nothing is labelled."""
        truth = by_photo[source.tobytes()].copy()
        truth[truth == 2] = 3
        truth[truth == 255] = 1
        return truth

    return LabelMapEvaluation(answer, pairs, {"b": CLASSES["palette"]})


def score(evaluation):
    with open_progress("percent", False, transient=True) as bars:
        return evaluation.score(bars)


def test_known_answers_have_known_scores(evaluation):
    report = score(evaluation)
    [part] = report.directions
    rows = {row.name: row for row in part.rows}
    truths = np.concatenate([evaluation.read(pair)[1].ravel() for pair in evaluation.pairs.test])
    count = np.bincount(truths, minlength=256)
    known = count[:4].sum()
    assert rows[MODEL].accuracy == pytest.approx(1 - count[2] / known)
    boxes = count[3] / (count[3] + count[2])
    assert rows[MODEL].iou == pytest.approx((1 + 1 + 0 + boxes) / 4)
    assert {each.name: (each.iou, each.mistaken) for each in report.classes} == {
        "sky": (1, ""), "ground": (1, ""), "disc": (0, "box"), "box": (pytest.approx(boxes), ""),
    }  # fmt: skip
    most = int(count[:4].argmax())
    assert rows["most frequent class"].accuracy == pytest.approx(count[most] / known, abs=0.2)
    assert set(rows) == {*BASELINES, MODEL}
    assert rows["most frequent class of each place"].iou > rows["most frequent class"].iou
    assert 0 < rows[MODEL].errors["iou"] < 0.1
    assert any("4.2% of the pixels are unlabelled" in note for note in part.notes)
    assert any(note.startswith("this model is better than the best baseline: mean IoU") for note in part.notes)


def test_the_report_prints_and_can_be_stored(evaluation):
    report = score(evaluation)
    console = Console(width=100, file=io.StringIO(), record=True)
    console.print(report.table())
    text = console.export_text()
    for word in ("mean", "IoU", "pixel", "accuracy", "disc", "box", "sA -> sB: 12 test pictures", "taken for", *NAMES):
        assert word in text
    assert json.loads(json.dumps(report.to_dict(), allow_nan=False)) == report.to_dict()
    found = {measure.name: measure for measure in measures_of(report)}
    assert set(found) == {"mean IoU", "pixel accuracy"} and found["mean IoU"].error
    grid = evaluation.grid(3)
    assert grid.shape == (3 * 48 + 2 * 2, 3 * 48 + 2 * 2, 3)


def test_a_model_below_the_baselines_is_called_so(evaluation):
    from dataclasses import replace

    worst = replace(evaluation, answer=lambda source: np.full(source.shape[:2], 3, np.uint8))
    assert any("this model is NOT better than the best baseline" in note for note in score(worst).directions[0].notes)

    def refuse(source):
        raise UserError("not this one")

    with pytest.raises(UserError, match="not this one"):
        score(replace(evaluation, answer=refuse))
    with pytest.raises(OptionError, match="--limit 0"):
        replace(evaluation, limit=0)


@pytest.mark.parametrize("form", CLASSES)
def test_shown_maps_reach_a_model_as_its_files_have_them(form):
    classes, given = CLASSES[form], []

    def translator(image, **options):
        given.append(image)
        return np.zeros((*image.shape[:2], 3), np.uint8)

    numbers = np.arange(4, dtype=np.uint8).repeat(4).reshape(4, 4)
    method = MapInput(translator, classes)
    assert method(classes.show(numbers)).shape == (4, 4, 3)
    expected = classes.stored(numbers)
    np.testing.assert_array_equal(given[0], expected[0] if form == "rgb" else expected[1].values)
    assert not method.random


def test_the_mean_colour_of_each_class():
    classes = CLASSES["palette"]
    numbers = np.uint8([[0, 0, 1, 255]])
    target = np.uint8([[[10, 20, 30], [30, 40, 50], [7, 8, 9], [200, 0, 0]]])
    paint = MeanColours(classes)
    paint.add(classes.show(numbers), target)
    assert paint(classes.show(np.uint8([[1, 0]]))).tolist() == [[[7, 8, 9], [20, 30, 40]]]


def test_pairs_are_shown_in_the_colours_of_classes(tmp_path):
    pairs = resolve_pairs("", "", str(write_scenes(tmp_path / "s", "gray", train=2, test=2)), tmp_path)
    plain, shown = ShownPairs()(pairs.test[0]), ShownPairs({"b": CLASSES["gray"]})(pairs.test[0])
    np.testing.assert_array_equal(plain[0], shown[0])
    assert plain[1].max() == 255 and set(map(tuple, shown[1].reshape(-1, 3))) >= {(128, 0, 0), (0, 128, 0), (0, 0, 0)}
