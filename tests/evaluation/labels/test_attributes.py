import io
from dataclasses import replace

import cv2
import numpy as np
import pytest
from rich.console import Console

from translate.data.sources.attributes import resolve_labelled
from translate.evaluation.labels.attributes import AttributeEvaluation
from translate.images.tensors import to_tensor
from translate.metrics.similarity import MAX_PSNR, psnr
from translate.reports.examples import answer_to, examples_of
from translate.reports.measures import measures_of

SIDE = 32
PLACES = {"red": (slice(4, 14), slice(4, 14), 0), "green": (slice(18, 28), slice(18, 28), 1)}  # where, which channel


def draw(seed, **labels):
    """Dim noise, with a bright square for each label."""
    shown = np.random.default_rng(seed).integers(40, 90, (SIDE, SIDE, 3)).astype(np.uint8)
    for name, has in labels.items():
        rows, columns, channel = PLACES[name]
        shown[rows, columns, channel] = 250 if has else 10
    return shown


def save(file, shown):
    file.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(file), shown[..., ::-1])


@pytest.fixture
def squares(tmp_path):
    folder = tmp_path / "squares"
    for split, (count, first) in {"train": (80, 0), "test": (16, 100)}.items():
        rows = []
        for i in range(count):
            labels = {"red": i % 2, "green": i // 2 % 2}
            save(folder / split / f"{i:03d}.png", draw(first + i, **labels))
            rows.append(f"{i:03d}.png,{labels['red']},{labels['green']}")
            for name in PLACES if split == "test" else ():
                save(folder / "truth" / name / f"{i:03d}.png", draw(first + i, **labels | {name: 1 - labels[name]}))
        (folder / split / "attributes.csv").write_text("\n".join(["file,red,green", *rows]), encoding="utf-8")
    return resolve_labelled(str(folder), "auto", "", tmp_path)


def paint(pictures, to, *, error=0):
    """Fulfil wishes exactly, and add `error` to every pixel."""
    answers = []
    for shown in pictures:
        rows, columns, channel = PLACES[to.removeprefix("-")]
        answer = shown.copy()
        answer[rows, columns, channel] = 10 if to.startswith("-") else 250
        answers.append(np.clip(answer.astype(int) + error, 0, 255).astype(np.uint8))
    return answers


def evaluation(translator, labelled, **options):
    return AttributeEvaluation(translator=translator, labelled=labelled, size=SIDE, epochs=8, **options)


def test_right_answers_get_full_marks(squares):
    report = evaluation(paint, squares).run(progress=False)
    assert [row.name for row in report.rows] == ["red", "green"] and report.learned == 80
    for row in report.rows:
        assert row.pictures == 16 and row.psnr == MAX_PSNR and row.outside == 0 and row.accuracy > 0.9
        assert row.wished > 0.9 and row.wished_truth == row.wished and row.wished_before < 0.1 and row.kept > 0.9
    before = [draw(100 + i, red=i % 2, green=i // 2 % 2) for i in range(16)]
    after = [draw(100 + i, red=1 - i % 2, green=i // 2 % 2) for i in range(16)]
    expected = [psnr(to_tensor(x), to_tensor(y)).item() for x, y in zip(before, after, strict=True)]
    assert report.rows[0].psnr_before == pytest.approx(np.mean(expected), abs=1e-4)
    assert {measure.part for measure in measures_of(report)} == {"red", "green"}


def test_what_changes_outside_and_what_does_not_change_is_seen(squares):
    wrong = evaluation(lambda pictures, to: paint(pictures, to, error=5), squares).run(progress=False)
    assert all(row.outside == pytest.approx(5, abs=0.1) and row.psnr < 40 for row in wrong.rows)
    idle = evaluation(lambda pictures, to: list(pictures), squares).run(progress=False)
    assert all(row.wished == row.wished_before and row.psnr == row.psnr_before and row.kept == 1 for row in idle.rows)


def test_without_truths_the_classifier_speaks_alone(squares):
    images = squares.images
    lone = replace(squares, images=replace(images, test=images.train[:20]))
    report = evaluation(paint, lone, limit=10).run(progress=False)
    assert all(row.psnr is None and row.outside is None and row.wished > 0.8 for row in report.rows)
    stream = io.StringIO()
    Console(file=stream, width=100).print(report.table())
    assert "PSNR" not in stream.getvalue() and "others" in stream.getvalue() and report.to_dict()["rows"]


def test_the_grid_has_a_row_for_each_picture_and_a_column_for_each_label(squares):
    assert evaluation(paint, squares).grid(rows=4).shape == (4 * (SIDE + 2) - 2, 3 * (SIDE + 2) - 2, 3)


def test_classes_are_given_to_pictures_of_other_classes(tmp_path):
    for kind in PLACES:
        for i in range(30):
            save(tmp_path / "kinds" / kind / f"{i:03d}.png", draw(i, **{name: name == kind for name in PLACES}))
    labelled = resolve_labelled(str(tmp_path / "kinds"), "auto", "", tmp_path)

    def translate(pictures, to):
        other = next(name for name in PLACES if name != to)
        return paint(paint(pictures, to), f"-{other}")

    report = replace(evaluation(translate, labelled), epochs=40).run(progress=False)
    assert all(row.wished > 0.8 and row.wished_before < 0.2 and row.kept is None for row in report.rows)
    assert sum(row.pictures for row in report.rows) == len(labelled.images.test)


def test_examples_ask_for_the_other_value(squares):
    one = evaluation(lambda picture, to: paint([picture], to)[0], squares)
    sets = list(examples_of(one, 3))
    assert [each.title for each in sets] == ["red", "green"]
    for example in sets[0].examples:
        assert np.array_equal(answer_to(one, example), example.truth)
