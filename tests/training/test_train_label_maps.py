import json

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from tests.conftest import TINY
from tests.data.label_scenes import NAMES, PALETTE, scene, write_scenes
from tests.training.test_loop import assert_same, everything, stop_after
from translate import Translator
from translate.checkpoints.model_file import read_recipe
from translate.evaluation.evaluation import EvaluationOptions
from translate.evaluation.registry import load_evaluation
from translate.images.io import read_rgb8
from translate.inference.folder.run import translate_folder
from translate.inference.options import FolderOptions
from translate.training.config import load_config
from translate.training.loop import train
from translate.utils.errors import OptionError, UserError

LABELS = {
    "generator": {"width": 8, "trunk": 16, "blocks": 1},
    "data": {"size": 48, "batch_size": 4},
    "train": {"steps": 60, "lr": 1e-2, "precision": "fp32", "channels_last": "off", "device": "cpu", "previews": 1},
}
SCORED = {"train": {"evaluations": 3, "evaluation_share": 1.0}}
PHOTOS = {
    "generator": {"width": 8, "most": 8, "blocks": 1, "fold": 2},
    "discriminator": {"width": 4, "window": 32},
    "method": {"z_dim": 0, "lambda_features": 0.0},
    "data": {"size": 48, "batch_size": 4, "one_hot": True},
    "train": {"steps": 80, "lr": 4e-3, "precision": "fp32", "channels_last": "off", "device": "cpu", "previews": 1},
}
SHORT = {"train": {"steps": 6, "save_minutes": 0.0, "evaluations": 0}}


def config(root, out, preset, small, *layers):
    return load_config("pix2pix", preset, small, *layers, {"data": {"root": str(root)}, "out": str(out)})


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Photos as A, palette maps as B, with a list of names."""
    folder = write_scenes(tmp_path_factory.mktemp("maps") / "shapes", train=40, test=44)
    (folder.parent / "names.txt").write_text("\n".join(NAMES))
    return folder


@pytest.fixture(scope="module")
def labeller(root):
    names = {"data": {"class_names": str(root.parent / "names.txt")}}
    return train(config(root, root.parent / "labeller", "labels", LABELS, SCORED, names))


@pytest.fixture(scope="module")
def painter(root):
    return train(config(root, root.parent / "painter", "fast", PHOTOS, {"data": {"direction": "ba"}}))


def test_a_labeller_learns_and_its_scores_say_so(labeller):
    report = load_evaluation(EvaluationOptions(model=str(labeller))).run(progress=False)
    rows = {row.name: row for row in report.directions[0].rows}
    best = max(row.iou for name, row in rows.items() if name.startswith(("most", "nearest")))
    assert rows["this model"].iou > best + 0.1, report.directions[0].notes
    assert [each.name for each in report.classes] == list(NAMES)
    lines = [json.loads(line) for line in (labeller / "metrics.jsonl").read_text().splitlines()]
    scored = [line["score/iou"] for line in lines if "score/iou" in line]
    assert scored and scored[-1] > scored[0]
    recipe = read_recipe(labeller / "model.safetensors")
    assert recipe.scores["iou"] == pytest.approx(scored[-1])
    assert recipe.classes_of("b").names == NAMES and recipe.channels == {"a": 3, "b": 4}
    assert recipe.task == "pix2pix_labels" and set(recipe.nets) == {"G"}


def test_answers_are_maps_like_those_of_training(labeller, root, tmp_path):
    t = Translator.load(labeller, "cpu")
    photo, numbers = scene(500, 96, border=False)
    small = Image.fromarray(photo).resize((48, 48))
    answer = t(small)
    assert answer.mode == "P" and answer.size == (48, 48)
    assert answer.getpalette()[:12] == PALETTE[:4].ravel().tolist()
    array = t(np.asarray(small))
    np.testing.assert_array_equal(array, np.asarray(answer))
    assert array.dtype == np.uint8 and array.shape == (48, 48) and array.max() < 4
    assert t(photo[:90]).shape == (90, 96)  # the size of the input, beyond that of training
    x = torch.from_numpy(np.asarray(small).copy()).permute(2, 0, 1).float() / 127.5 - 1
    planes = t(x)
    assert planes.shape == (4, 48, 48)
    np.testing.assert_array_equal(planes.argmax(0).numpy(), array)
    # files
    (tmp_path / "in").mkdir()
    small.save(tmp_path / "in" / "x.jpg", quality=95)
    report = translate_folder(t, tmp_path / "in", tmp_path / "out", FolderOptions(progress=False))
    assert not report.failed
    with Image.open(tmp_path / "out" / "x.png") as written:
        assert written.mode == "P" and set(np.unique(written)) <= {0, 1, 2, 3}
    with pytest.raises(OptionError, match="--format jpg: may change the classes of label maps; say png"):
        translate_folder(t, tmp_path / "in", tmp_path / "more", FolderOptions(progress=False, format="jpg"))
    one = translate_folder(t, tmp_path / "in" / "x.jpg", tmp_path / "y.jpg", FolderOptions(progress=False))
    assert "JPEG may change the classes of a label map; use .png" in one.failures[0].reason


def test_tiles_answer_what_one_pass_answers(labeller):
    photo = np.tile(scene(501)[0], (24, 24, 1))
    whole = Translator.load(labeller, "cpu", "fp32")
    tiled = Translator.load(labeller, "cpu", "fp32")
    tiled.runner._tile_budget = lambda height, width: 60 * 2**20
    seen = []
    tiled.runner.on_progress = lambda label, share: seen.append(label)
    np.testing.assert_array_equal(tiled(photo, scale="native"), whole(photo, scale="native"))
    assert seen


def test_previews_are_in_the_colours_of_the_classes(labeller, painter):
    known = {tuple(colour) for colour in PALETTE[:4].tolist()} | {(0, 0, 0), (255, 255, 255)}
    for run, rows in ((labeller, (1, 2)), (painter, (0,))):
        grid = read_rgb8(sorted((run / "samples").glob("*.png"))[-1])
        for row in rows:
            assert set(map(tuple, grid[row * 50 : row * 50 + 48].reshape(-1, 3).tolist())) <= known


def test_a_painter_learns_from_planes(painter, root):
    recipe = read_recipe(painter / "model.safetensors")
    assert recipe.channels == {"a": 4, "b": 3} and recipe.classes_of("a").values == (0, 1, 2, 3)
    report = load_evaluation(EvaluationOptions(model=str(painter), limit=6)).run(progress=False)
    rows = {row.name: row for row in report.directions[0].rows}
    assert "mean colour of each class" in rows
    assert rows["this model"].l1 < 0.8 * rows["mean training image"].l1
    # classes count, not colours: another palette of the same indices gives the same photo
    t = Translator.load(painter, "cpu")
    file = root / "testB" / "100.png"
    image = Image.open(file)
    answer = t(image)
    assert answer.mode == "RGB"
    image.putpalette(PALETTE[::-1].tobytes())
    np.testing.assert_array_equal(np.asarray(t(image)), np.asarray(answer))
    np.testing.assert_array_equal(np.asarray(t(file)), np.asarray(answer))
    np.testing.assert_array_equal(t(np.asarray(Image.open(file))), np.asarray(answer))  # indices as an array
    wrong = np.asarray(image).copy()
    wrong[5, 5] = 17
    with pytest.raises(UserError, match=r"the array: has 17, which is none of this model's 4 classes \(0, 1, 2, 3\)"):
        t(wrong)


def test_a_killed_run_goes_on_bit_for_bit(root, tmp_path, monkeypatch):
    train(config(root, tmp_path / "whole", "labels", LABELS, SHORT))
    with monkeypatch.context() as patch:
        killed = stop_after(patch, 3)
        with pytest.raises(killed):
            train(config(root, tmp_path / "broken", "labels", LABELS, SHORT))
    train(config(root, tmp_path / "broken", "labels", LABELS, SHORT))
    for actual, expected in zip(everything(tmp_path / "whole"), everything(tmp_path / "broken"), strict=True):
        assert_same(actual, expected)
    assert load_file(tmp_path / "whole" / "model.safetensors")


def test_a_wrong_recipe_for_the_data_gets_a_line(root, tmp_path):
    with pytest.raises(OptionError, match="--one-hot: the targets, shapesB, are label maps, .* say --preset labels"):
        train(config(root, tmp_path / "r", "fast", PHOTOS, SHORT))
    with pytest.raises(OptionError, match="shapesA do not look like label maps, which this recipe .* --direction ba"):
        train(config(root, tmp_path / "r", "labels", LABELS, SHORT, {"data": {"direction": "ba"}}))
    with pytest.raises(OptionError, match="--data.one_hot is for pairs, one of whose pictures are label maps"):
        load_config("cycle", "fast", TINY, {"data": {"a": "x", "b": "y", "one_hot": True}})
    with pytest.raises(OptionError, match="--class-names is for one-hot label maps; add --one-hot, or leave it out"):
        load_config("pix2pix", "fast", {"data": {"root": str(root), "class_names": "x.txt"}})
