import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save, save_file
from torch import nn

from tests.conftest import TINY, picture
from translate import load_config, train
from translate.checkpoints.calibrate import MIN_PICTURES, calibrate, calibrate_model, calibrate_run, describe_sources
from translate.checkpoints.calibration import (
    Calibration,
    PictureDescriber,
    load_calibrations,
    sort_metadata,
    store_calibrations,
)
from translate.checkpoints.model_file import export_model, load_model, read_recipe
from translate.checkpoints.recipe import Recipe
from translate.cli import run as cli
from translate.images.io import write_picture
from translate.images.picture import Picture
from translate.networks import EXPORTABLE
from translate.utils.errors import UserError
from translate.utils.factory import Factory

SPEC = {"name": "skip_resnet", "width": 8, "trunk": 8, "blocks": 1}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """24 smooth and 24 grainy pictures."""
    root = tmp_path_factory.mktemp("sets")
    for name, sigma in (("smooth", 6.0), ("grainy", 0.8)):
        for i in range(24):
            write_picture(root / name / f"{i:02d}.png", Picture(picture(i, 64, 64, sigma)))
    return root / "smooth", root / "grainy"


def model(path, directions=("ab", "ba")):
    nets = nn.ModuleDict({f"G_{way}": Factory(SPEC, EXPORTABLE, "generator")() for way in ("ab", "ba")})
    recipe = Recipe(
        task="cycle", nets={name: net.spec for name, net in nets.items()}, domains=("smooth", "grainy"), size=64,
        preset="fast", steps=1, data="none", directions=directions,
    )  # fmt: skip
    export_model(nets, recipe, path)
    return path


def test_a_run_calibrates_its_model_and_keeps_weights_and_recipe(folders, tmp_path):
    a, b = folders
    config = {"data": {"a": str(a), "b": str(b)}, "out": str(tmp_path / "run"), "train": {"steps": 1}}
    run = train(load_config("cycle", "fast", TINY, config))
    found = load_calibrations(run / "model.safetensors")
    assert set(found) == {"ab", "ba"} and found["ab"].count >= 22
    recipe, nets = load_model(run)
    assert recipe.steps == 1 and "G_ab" in nets
    describe = PictureDescriber.load()
    smooth, grainy = (describe(picture(500, 64, 64, sigma)) for sigma in (6.0, 0.8))
    assert found["ab"].p_value(smooth) > 0.05 >= found["ab"].p_value(grainy)
    assert found["ba"].p_value(grainy) > 0.05 >= found["ba"].p_value(smooth)


def test_calibrating_again_keeps_every_bit_of_the_weights(folders, tmp_path):
    file = model(tmp_path / "model.safetensors")
    before, recipe = load_file(file), read_recipe(file)
    assert load_calibrations(file) == {}
    lines = calibrate_model(file, *map(str, folders))
    assert len(lines) == 2 and lines[0].startswith(
        "smooth: calibrated on 22 pictures; 0.0% of 2 other pictures of smooth"
    )
    assert lines[0].endswith("100.0% of 22 pictures of grainy have a p-value of 0.05 or less")
    assert read_recipe(file) == recipe
    after = load_file(file)
    assert before.keys() == after.keys() and all(torch.equal(before[name], after[name]) for name in before)
    assert file.stat().st_size < 200_000 + sum(x.numel() * 4 for x in before.values())


def test_what_is_stored_gives_the_same_p_values(folders, tmp_path):
    file = model(tmp_path / "model.safetensors", directions=("ab",))
    described = describe_sources(file, *map(str, folders))["ab"]
    fresh = calibrate(described)
    store_calibrations(file, {"ab": fresh})
    stored = load_calibrations(file)["ab"]
    np.testing.assert_allclose(stored.p_values(described.known), fresh.p_values(described.known), atol=0.05)
    for name, held_out in fresh.held_out.items():
        torch.testing.assert_close(stored.held_out[name], held_out)


def test_a_description_that_is_missing_here_does_not_count(folders, tmp_path):
    file = model(tmp_path / "model.safetensors", directions=("ab",))
    described = describe_sources(file, *map(str, folders))["ab"]
    both = calibrate(described)
    plain = {"appearance": described.known["appearance"]}
    alone = Calibration({"appearance": both.gaussians["appearance"]}, {"appearance": both.held_out["appearance"]})
    assert torch.equal(both.p_values(plain), alone.p_values(described.known))
    plainly = PictureDescriber(None)(picture(500, 64, 64, 6.0))
    assert set(plainly) == {"appearance"} and both.p_value(plainly) > 0.05


def test_pictures_of_any_shape_and_size_are_described_alike():
    describe = PictureDescriber.load()
    small = picture(1, 128, 128, 6.0)
    large = small.repeat(3, axis=0).repeat(3, axis=1)
    for name, row in describe(large).items():
        assert row.shape == describe(small)[name].shape
    layouts = [describe(pixels)["appearance"][:, -192:] for pixels in (large, small)]
    torch.testing.assert_close(*layouts, atol=0.05, rtol=0)
    for shape in ((1, 1, 3), (3, 2000, 3), (700, 5, 3)):
        assert all(torch.isfinite(row).all() for row in describe(np.zeros(shape, np.uint8)).values())


def test_other_files_in_a_run_folder_are_left_alone(folders, tmp_path):
    model(tmp_path / "model.safetensors", directions=("ab",))
    (tmp_path / "model_best.safetensors").write_bytes((tmp_path / "model.safetensors").read_bytes())
    save_file({"x": torch.zeros(2)}, tmp_path / "other.safetensors")
    (tmp_path / "torn.safetensors").write_bytes(b"no")
    calibrate_model(tmp_path, *map(str, folders))
    assert load_calibrations(tmp_path / "model.safetensors") and load_calibrations(tmp_path / "model_best.safetensors")
    assert load_file(tmp_path / "other.safetensors").keys() == {"x"}
    calibrate_run(tmp_path)  # nothing is left to do


def test_too_few_pictures_and_other_models_are_refused(folders, tmp_path):
    file = model(tmp_path / "model.safetensors")
    for i in range(MIN_PICTURES - 1):
        write_picture(tmp_path / "few" / f"{i}.png", Picture(picture(i)))
    write_picture(tmp_path / "fewer" / "a.png", Picture(picture(100)))
    with pytest.raises(UserError, match="few: has too few readable pictures to calibrate on; 19 would do"):
        calibrate_model(file, str(tmp_path / "few"), str(tmp_path / "fewer"))
    with pytest.raises(UserError, match="lies in no run folder; say what to score it on"):
        calibrate_model(file)


def test_a_damaged_calibration_is_named(folders, tmp_path):
    file = model(tmp_path / "model.safetensors", directions=("ab",))
    fine = calibrate(describe_sources(file, *map(str, folders))["ab"])
    bad = {name: values * float("nan") for name, values in fine.held_out.items()}
    store_calibrations(file, {"ab": Calibration(fine.gaussians, bad)})
    with pytest.raises(UserError, match="its calibration is damaged .*not finite.*evaluate --calibrate"):
        load_calibrations(file)
    data = file.read_bytes()
    at = data.index(b'image-translate-calibration":"') + 40
    file.write_bytes(data[:at] + b"????" + data[at + 4 :])
    with pytest.raises(UserError, match="its calibration is damaged"):
        load_calibrations(file)


def test_the_command_calibrates_and_prints_a_line_for_each_direction(folders, tmp_path, capsys):
    file = model(tmp_path / "model.safetensors", directions=("ab",))
    words = ["--model", str(file), "--calibrate", "--a", str(folders[0]), "--b", str(folders[1])]
    with pytest.raises(SystemExit) as exit_:
        cli.main("evaluate", words)
    assert not exit_.value.code
    assert "smooth: calibrated on 22 pictures" in capsys.readouterr().out
    assert set(load_calibrations(file)) == {"ab"}
    with pytest.raises(SystemExit) as exit_:
        cli.main("evaluate", [*words, "--limit", "3"])
    assert exit_.value.code == 2
    assert "--limit is for scores, and --calibrate computes none" in capsys.readouterr().err


def test_one_calibration_makes_one_file(tmp_path):
    """The library writes metadata in a random order; the same run should give the same bytes."""
    weights = {"x": torch.arange(3.0), "y": torch.ones(1, dtype=torch.bfloat16)}
    described = {"é": "ü", "recipe": "{}", "calibration": "q" * 13}
    files = {sort_metadata(save(weights, metadata=described)) for _ in range(20)}
    assert len(files) == 1
    (tmp_path / "m.safetensors").write_bytes(files.pop())
    with safe_open(tmp_path / "m.safetensors", framework="pt") as opened:
        assert opened.metadata() == described and set(opened.keys()) == set(weights)
        assert all(torch.equal(opened.get_tensor(name), x) for name, x in weights.items())
