import json
from functools import partial

import numpy as np
import pytest
from safetensors.torch import load_file

from tests.cli.test_run import call, complaint
from tests.conftest import picture
from tests.training.test_loop import assert_killed_run_goes_on, everything
from translate import Translator
from translate.inference.options import FolderOptions, VideoOptions
from translate.training.config import load_config
from translate.training.loop import train
from translate.utils.errors import OptionError

FAST = {
    "generator": {"width": 8, "trunk": 8, "blocks": 1},
    "method": {"queue": 64},
    "data": {"size": 32, "crop": 32, "batch_size": 4},
    "train": {"steps": 8, "precision": "fp32", "channels_last": "off", "device": "cpu", "previews": 2},
}


def make_config(folders, out, **train_options):
    data = {"data": {"a": str(folders[0]), "b": str(folders[1])}, "out": str(out)}
    return load_config("drift", "fast", FAST, data, {"train": train_options})


@pytest.fixture
def run(two_folders, tmp_path):
    return train(make_config(two_folders, tmp_path / "run"))


def test_a_killed_run_goes_on_bit_for_bit(run, two_folders, tmp_path, monkeypatch):
    assert_killed_run_goes_on(partial(make_config, two_folders), run, tmp_path, monkeypatch)
    assert any("queue_a" in name for name in everything(run)[0])
    assert not any("queue" in name for name in load_file(run / "model.safetensors"))


def test_strength_is_an_argument_of_every_call(run):
    translator = Translator.load(run, device="cpu", precision="fp32")
    image = picture(5, 30, 41)
    assert translator.recipe.directions == ("ab", "ba") and translator.strength == 0.5
    faint, strong = (translator(image, strength=s) for s in (0, 1.0))
    assert (translator(image) == translator(image, strength=0.5)).all()
    assert faint.shape == image.shape and (faint != strong).any()
    assert (translator([image], "ba", strength=1)[0] == next(translator.stream([image], "ba", strength=1))).all()
    with pytest.raises(OptionError, match="strength 1.5 is out of range; give a number from 0, near the picture, to 1"):
        translator(image, strength=1.5)
    with pytest.raises(OptionError, match="one answer per picture; leave out seed"):
        translator(image, seed=1)
    with pytest.raises(OptionError, match="z is the strength of this model"):
        translator(image, strength=0.5, z=[0.5])


def test_strength_stands_in_the_note_of_a_folder(run, two_folders, tmp_path, capsys):
    words = f"--model {run} --input {two_folders[0]} --output {tmp_path / 'out'} --device cpu --precision fp32".split()
    assert call(capsys, "translate-folder", *words, "--strength", "0.5")[0] == 0  # the default
    status, out, err = call(capsys, "translate-folder", *words)
    assert status == 0 and "12 there already" in (out + err).replace("\n", " "), out + err
    assert call(capsys, "translate-folder", *words, "--strength", "0.9", "--overwrite")[0] == 0
    note = json.loads((tmp_path / "out" / ".translated.json").read_text())
    assert [run["options"] for run in note["runs"].values()] == [{}, {"strength": 0.9}]
    status, error = complaint(capsys, "translate-folder", *words)
    assert status == 2 and "was made with --strength 0.9, not without --strength" in error


@pytest.mark.parametrize("options", [FolderOptions, VideoOptions])
def test_a_strength_is_checked_before_the_model_is_loaded(options):
    with pytest.raises(OptionError, match="strength 2 is out of range"):
        options(strength=2)
    with pytest.raises(OptionError, match="either looks or a strength"):
        options(strength=0.2, looks=("x.jpg",))


def test_other_models_have_no_strength(two_folders, tmp_path, tiny):
    from tests.training.test_loop import make_config as make_cycle

    run = train(make_cycle(two_folders, tmp_path / "cycle", tiny, train={"steps": 1, "previews": 0}))
    with pytest.raises(OptionError, match="has no strength; leave it out, or train one with .*train.drift"):
        Translator.load(run, device="cpu")(np.zeros((8, 8, 3), np.uint8), strength=0.5)


def test_a_discriminator_is_refused(two_folders, capsys):
    reds, blues = two_folders
    status, error = complaint(capsys, "train-drift", "--a", reds, "--b", blues, "--netD", "patch_34")
    assert status == 2 and "the task 'drift' trains without a discriminator; leave it out" in error


def test_a_domain_may_be_smaller_than_a_batch(two_folders, tmp_path):
    config = make_config(two_folders, tmp_path / "run", steps=2, previews=0)
    for path in sorted(two_folders[1].iterdir())[3:]:
        path.unlink()
    assert (train(config) / "model.safetensors").is_file()
