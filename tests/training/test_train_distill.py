import json
import tomllib
from functools import partial

import pytest
import torch
from safetensors.torch import load_file

from tests.conftest import picture
from tests.training.test_loop import assert_killed_run_goes_on, make_config
from translate import Translator
from translate.checkpoints.model_file import load_model, read_recipe
from translate.images.io import read_rgb8
from translate.networks.features.load import file_hash
from translate.tasks import TASKS
from translate.tasks.distill import Teacher
from translate.training.config import load_config
from translate.training.loop import train
from translate.training.start import teacher as teachers
from translate.utils.errors import OptionError, UserError

STUDENT = {
    "generator": {"width": 8, "trunk": 8, "blocks": 1, "fold": 2},
    "method": {"features": "none"},
    "data": {"size": 32, "crop": 32, "batch_size": 2},
    "train": {"steps": 6, "precision": "fp32", "channels_last": "off", "device": "cpu", "previews": 2},
}


@pytest.fixture
def teacher(two_folders, tmp_path, tiny):
    return train(make_config(two_folders, tmp_path / "teacher", tiny, train={"steps": 1, "previews": 0}))


def student_config(folders, teacher, out, **train_options):
    data = {"data": {"a": str(folders[0]), "b": str(folders[1])}, "method": {"teacher": str(teacher)}}
    return load_config("distill", "fast", STUDENT, data, {"train": train_options}, out=str(out))


def test_a_student_is_resumed_bit_for_bit_and_is_a_model_of_the_teachers_kind(
    teacher, two_folders, tmp_path, monkeypatch
):
    run = train(student_config(two_folders, teacher, tmp_path / "run"))
    assert_killed_run_goes_on(partial(student_config, two_folders, teacher), run, tmp_path, monkeypatch)
    # the model file
    recipe, of_teacher = read_recipe(run / "model.safetensors"), read_recipe(teacher / "model.safetensors")
    assert (recipe.task, recipe.preset, recipe.steps) == ("cycle", "student", 6)
    for name in ("domains", "channels", "directions", "facts", "whole"):
        assert getattr(recipe, name) == getattr(of_teacher, name)
    assert {net: spec["name"] for net, spec in recipe.nets.items()} == dict.fromkeys(of_teacher.nets, "compact_resnet")
    # nothing of the teacher is kept
    state = torch.load(run / "state" / "last.pt", weights_only=True)
    owned = {*load_file(run / "model.safetensors"), *state["task"]}
    assert {name.partition(".")[0] for name in owned} == {"G_ab", "G_ba"}
    assert not any("up1" in name for name in owned)
    written = tomllib.loads((run / "config.toml").read_text())["method"]["teacher"]
    assert written.rpartition(":")[0] == str(teacher / "model.safetensors")
    # it translates both ways
    image = picture(5, 30, 41)
    there, back = (Translator.load(run, device="cpu", precision="fp32")(image, way) for way in ("ab", "ba"))
    assert there.shape == back.shape == image.shape and (there != back).any()


def test_a_run_has_one_teacher_for_ever(teacher, two_folders, tmp_path, tiny):
    config = student_config(two_folders, teacher, tmp_path / "run")
    train(config)
    file = teacher / "model.safetensors"
    other = train(make_config(two_folders, tmp_path / "other", tiny, train={"steps": 2, "previews": 0, "seed": 5}))
    (other / "model.safetensors").replace(file)
    file_hash.cache_clear()
    with pytest.raises(OptionError, match=r"method.teacher = .* \(was"):
        train(config)
    settled = tomllib.loads((tmp_path / "run" / "config.toml").read_text())["method"]["teacher"]
    with pytest.raises(UserError, match="has changed since the run began; put the old teacher back"):
        train(student_config(two_folders, settled, tmp_path / "again"))
    file.unlink()
    with pytest.raises(UserError, match="the teacher of this run is missing"):
        train(student_config(two_folders, settled, tmp_path / "again"))


def test_a_student_learns_its_teachers_answers(teacher, two_folders, tmp_path):
    """The teacher inverts colours, which no picture of the domains tells."""
    recipe, nets = load_model(teacher)
    for G in nets.values():
        for p in G.parameters():
            p.zero_()
        G.start = torch.nn.Conv2d(3, 3, 1, bias=False).requires_grad_(False)
        G.start.weight.copy_(-torch.eye(3)[..., None, None])
    inverting = Teacher(TASKS["cycle"], nets, recipe.channels, recipe.directions, "t")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(teachers, "_load", lambda found: inverting)
        run = train(student_config(two_folders, teacher, tmp_path / "run", steps=150, lr=3e-2, previews=1))
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert lines[-1]["G/picture_ab"] < 0.3 * lines[0]["G/picture_ab"]
    x = read_rgb8(two_folders[0] / "003.png")
    answer = Translator.load(run, device="cpu", precision="fp32")(x).astype(float)
    assert abs(answer - (255.0 - x)).mean() < 0.6 * abs(answer - x).mean()


def test_a_student_can_go_on_from_another_one(teacher, two_folders, tmp_path):
    first = train(student_config(two_folders, teacher, tmp_path / "first", previews=0))
    start = {"steps": 1, "lr": 0.0, "ema": 0.0, "previews": 0, "init": str(first)}
    second = train(student_config(two_folders, teacher, tmp_path / "second", **start))
    one, other = (load_file(run / "model.safetensors") for run in (first, second))
    assert all(torch.equal(one[name], other[name]) for name in one)
