import csv
import shutil

import numpy as np
import pytest
import torch

from tests.conftest import picture
from tests.inference.folder.folders import run
from translate.checkpoints.calibrate import Described, calibrate, seen_pixels
from translate.checkpoints.calibration import PictureDescriber, store_calibrations
from translate.checkpoints.model_file import export_model
from translate.images.io import read_picture, write_picture
from translate.images.picture import Picture
from translate.inference.folder.trust import append_line, read_lines
from translate.inference.gigapixel import HugePicture
from translate.utils.errors import OptionError, UserError


def smooth(i, gray=False):
    pixels = picture(i, 32, 40, 6.0)
    return Picture(pixels[..., :1].repeat(3, axis=2) if gray else pixels, gray=gray)


def odd(i, gray=False):
    return Picture(np.random.default_rng(i).integers(0, 2, (32, 40, 1), np.uint8).repeat(3, axis=2) * 255, gray=gray)


@pytest.fixture(scope="module")
def calibration():
    describe = PictureDescriber.load()
    rows = [describe(seen_pixels(smooth(i))) for i in range(40)]
    return calibrate(Described("smooth", {name: torch.cat([row[name] for row in rows]) for name in rows[0]}, {}))


@pytest.fixture
def model(crisp, calibration, tmp_path):
    return with_file(crisp, calibration, tmp_path)


def with_file(translator, calibration, folder):
    file = folder / "model.safetensors"
    export_model(translator.nets, translator.recipe, file)
    store_calibrations(file, {"ab": calibration})
    other = translator._with_runner(translator.runner)
    other.file = file
    return other


@pytest.fixture
def inputs(tmp_path):
    """Nine smooth pictures, and a binary one in a sub-folder."""
    for i in range(9):
        write_picture(tmp_path / "in" / f"{i}.png", smooth(900 + i))
    write_picture(tmp_path / "in/sub/odd, quoted.png", odd(0))
    return tmp_path / "in"


def table(file):
    with file.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert all(list(row) == ["name", "p_value", "spread", "note"] for row in rows)
    return rows


def test_each_picture_has_a_line_and_the_odd_one_is_flagged(model, calibration, inputs, tmp_path):
    report = run(model, inputs, tmp_path / "out", trust=True)
    rows = table(tmp_path / "out/trust.csv")
    assert [row["name"] for row in rows] == [*(f"{i}.png" for i in range(9)), "sub/odd, quoted.png"]
    assert float(rows[-1]["p_value"]) == pytest.approx(1 / 41, abs=1e-4)
    assert rows[-1]["note"] == "unlike the training pictures"
    assert sum(float(row["p_value"]) > 0.05 for row in rows) >= 8 and {row["spread"] for row in rows} == {""}
    describe = PictureDescriber.load()
    own = calibration.p_value(describe(read_picture(inputs / "3.png").pixels))
    assert float(rows[3]["p_value"]) == pytest.approx(own, abs=1e-4)
    assert "of 10 pictures are unlike the training pictures" in report.notes[-1]


def test_results_are_those_of_a_run_without(model, inputs, tmp_path):
    run(model, inputs, tmp_path / "with", trust=True)
    run(model, inputs, tmp_path / "plain")
    for name in ("1.png", "sub/odd, quoted.png"):
        assert (tmp_path / "with" / name).read_bytes() == (tmp_path / "plain" / name).read_bytes()


def test_a_rerun_keeps_lines_and_measures_what_is_new_or_changed(model, inputs, tmp_path):
    out = tmp_path / "out"
    run(model, inputs, out)  # without --trust: these get their lines later
    assert not (out / "trust.csv").exists()
    first = run(model, inputs, out, trust=True)
    assert (first.done, first.skipped) == (0, 10)
    before = table(out / "trust.csv")
    assert len(before) == 10
    write_picture(inputs / "3.png", odd(7))
    write_picture(inputs / "00.png", smooth(777))
    second = run(model, inputs, out, trust=True)
    assert (second.done, second.skipped) == (2, 9)
    after = {row["name"]: row for row in table(out / "trust.csv")}
    assert list(after)[:2] == ["0.png", "00.png"] and len(after) == 11
    assert after["3.png"]["note"] == "unlike the training pictures"
    assert all(after[row["name"]] == row for row in before if row["name"] != "3.png")


def test_a_killed_run_loses_no_line_but_the_one_that_was_cut_off(tmp_path):
    file = tmp_path / "trust.csv"
    append_line(file, "a.png,0.5000,,\n")
    append_line(file, '"b, c.png",0.2500,,\n')
    file.write_bytes(file.read_bytes() + b'"cut o')
    append_line(file, "a.png,0.7500,0.1000,later\n")
    assert list(read_lines(file)) == [
        ("a.png", "a.png,0.5000,,\n"), ("b, c.png", '"b, c.png",0.2500,,\n'),
        ("a.png", "a.png,0.7500,0.1000,later\n"),
    ]  # fmt: skip


def test_a_picture_that_cannot_be_read_says_so(model, inputs, tmp_path):
    (inputs / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n no")
    report = run(model, inputs, tmp_path / "out", trust=True)
    assert report.failed == 1
    row = next(row for row in table(tmp_path / "out/trust.csv") if row["name"] == "bad.png")
    assert row["p_value"] == "" and row["note"].startswith("cannot be read as an image")


def test_a_picture_that_the_model_refuses_has_a_p_value(many, calibration, tmp_path, monkeypatch):
    model = with_file(many, calibration, tmp_path)
    monkeypatch.setitem(model.recipe.facts, "sketch", True)
    write_picture(tmp_path / "in/photo.png", Picture(picture(5, 32, 32, 6.0)))
    report = run(model, tmp_path / "in", tmp_path / "out", trust=True)
    [row] = table(tmp_path / "out/trust.csv")
    assert report.failed == 1 and "no lines to go by" in row["note"]
    assert 0 < float(row["p_value"]) <= 1 and row["spread"] == ""


def test_the_answers_of_a_model_with_several_are_spread(many, calibration, tmp_path):
    model = with_file(many, calibration, tmp_path)
    square = Picture(picture(5, 32, 32, 6.0)[..., :1].repeat(3, axis=2), gray=True)
    write_picture(tmp_path / "in/0.png", square)
    run(model, tmp_path / "in", tmp_path / "out", trust=True, count=2)
    [row] = table(tmp_path / "out/trust.csv")
    answers = [np.asarray(answer, np.float64) for answer in model(square.pixels[..., 0], count=4)]
    small = [answer.reshape(16, 2, 16, 2, 3).mean((1, 3)) / 127.5 for answer in answers]
    pairs = [np.sqrt(np.mean((small[i] - small[j]) ** 2)) for i in range(4) for j in range(i)]
    assert np.mean(pairs) > 0.001
    assert float(row["spread"]) == pytest.approx(np.mean(pairs), abs=1e-4)


def test_shards_have_files_of_their_own(model, inputs, tmp_path):
    for shard in ("1/2", "2/2"):
        run(model, inputs, tmp_path / "out", trust=True, shard=shard)
    rows = [table(tmp_path / "out" / f"trust-{i}of2.csv") for i in (1, 2)]
    assert sorted(row["name"] for part in rows for row in part) == sorted(
        [*(f"{i}.png" for i in range(9)), "sub/odd, quoted.png"]
    )


def test_one_picture_to_one_file_gets_a_note(model, inputs, tmp_path):
    report = run(model, inputs / "sub/odd, quoted.png", tmp_path / "one.png", trust=True)
    assert report.notes[-1] == "p-value of the picture 0.024: unlike the training pictures"
    assert not (tmp_path / "trust.csv").exists()


def test_a_gigapixel_picture_is_measured_by_its_thumbnail(model, tmp_path, monkeypatch):
    pytest.importorskip("pyvips")
    from translate.inference import gigapixel

    big = Picture(picture(3, 900, 1200, 60.0))
    write_picture(tmp_path / "in/big.png", big)
    monkeypatch.setattr(gigapixel, "open_huge", lambda path, budget, values, scale: HugePicture(path, values))
    try:
        report = run(model, tmp_path / "in", tmp_path / "out", trust=True)
    finally:
        shutil.rmtree(tmp_path / "in")
    assert report.failed == 0
    [row] = table(tmp_path / "out/trust.csv")
    assert 0 < float(row["p_value"]) <= 1


def test_a_model_without_calibration_names_the_way_out(crisp, model, inputs, tmp_path):
    with pytest.raises(UserError, match="the model: is not calibrated, as --trust needs; calibrate it where"):
        run(crisp, inputs, tmp_path / "out", trust=True)
    with pytest.raises(UserError, match=r"model.safetensors: is not calibrated.*evaluate.* --model .* --calibrate"):
        run(model, inputs, tmp_path / "out", trust=True, direction="ba")
    assert not (tmp_path / "out").exists()


def test_a_model_that_fills_holes_has_no_trust_file(tmp_path, calibration, inputs, monkeypatch, crisp):
    monkeypatch.setattr(crisp, "masked", True)
    from translate.inference.folder.trust import find_calibration

    with pytest.raises(OptionError, match="leave --trust out"):
        find_calibration(crisp, "")
