from pathlib import Path

import pytest

from translate.cli.recipe_options import known_options, recipe_layer
from translate.training.command_line import command_of
from translate.training.config import Config, changed_options, describe_changes, dump_config, load_config
from translate.utils.errors import OptionError, UserError
from translate.utils.package_data import package_folder
from translate.utils.toml_files import read_toml


def test_auto_is_the_word_for_automatic_crops():
    config = load_config("cycle", data={"a": "x", "b": "y", "crop": "auto"})
    assert config == load_config("cycle", data={"a": "x", "b": "y", "crop": -1})  # as earlier versions wrote it
    assert config.data.crop == -1
    with pytest.raises(OptionError, match="data.crop should be a whole number"):
        load_config("cycle", data={"crop": "automatic"})


def test_layers_win_in_order():
    config = load_config("cycle", "fast", {"train": {"lr": 1e-4}}, {"train": {"lr": 5e-5}, "out": "x"})
    assert (config.train.lr, config.out, config.task, config.preset) == (5e-5, "x", "cycle", "fast")


def test_a_length_replaces_the_presets():
    config = load_config("cycle", "paper", {"train": {"minutes": 3}})
    assert (config.train.minutes, config.train.epochs, config.train.steps) == (3.0, 0.0, 0)


def test_another_network_drops_the_options_of_the_first():
    config = load_config("cycle", "fast", {"generator": {"name": "resnet_9blocks"}})
    assert config.generator == {"name": "resnet_9blocks"}


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ({"trian": {}}, "unknown option trian; did you mean 'train'?"),
        ({"train": {"lrr": 1.0}}, "unknown option train.lrr; did you mean 'lr'?"),
        ({"train": {"lr": "fast"}}, "train.lr should be a number, got 'fast'"),
        ({"train": {"steps": 1.5}}, "train.steps should be a whole number, got 1.5"),
        ({"train": {"steps": True}}, "train.steps should be a whole number, got True"),
        ({"data": {"flip": 1}}, "data.flip should be true or false, got 1"),
        (
            {"train": {"steps": 5, "minutes": 1.0}},
            "give one of --steps, --epochs and --minutes, not steps and minutes",
        ),
        ({"train": {"steps": -5}}, "--steps should be at least 0"),
        ({"data": {"batch_size": 0}}, "--batch-size should be at least 1"),
        ({"data": {"size": 4}}, "--size should be a multiple of 4 and at least 32, got 4; try 32"),
        ({"data": {"size": 250}}, "--size should be a multiple of 4 and at least 32, got 250; try 248"),
        ({"data": {"crop": 99}}, "--data.crop should be a multiple of 4 and at least 32, got 99; try 100"),
        ({"data": {"size": 64, "crop": 128}}, "--data.crop 128 is larger than --size 64"),
        ({"train": {"seed": -1}}, "--seed should be at least 0, got -1"),
        ({"train": {"betas": [0.5]}}, "train.betas should be two numbers"),
        ({"train": {"betas": [0.5, "x"]}}, "train.betas should be two numbers"),
        ({"train": {"phase_lr": {"D": "x"}}}, "train.phase_lr.D should be a number, got 'x'"),
        ({"train": {"precision": "fp16"}}, "--precision should be one of auto, bf16, fp32"),
        ({"train": {"ema": 2.0}}, "--train.ema should lie between 0 and 1"),
    ],
)
def test_wrong_options_are_named(layer, message):
    with pytest.raises(OptionError, match=r".") as caught:
        load_config("cycle", "fast", layer)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_sections_by_keyword_are_the_last_layer_and_take_paths():
    layer = {"train": {"steps": 5, "lr": 0.1}, "data": {"a": "x"}}
    config = load_config("cycle", "fast", layer, train={"minutes": 10}, data={"a": Path("summer")}, out=Path("runs/x"))
    assert (config.train.minutes, config.train.steps, config.train.lr) == (10.0, 0, 0.1)
    assert (config.data.a, config.out) == ("summer", "runs/x")
    with pytest.raises(OptionError, match="unknown option train.stesp; did you mean 'steps'"):
        load_config("cycle", train={"stesp": 5})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("cyle",), "unknown task 'cyle'; did you mean 'cycle'?"),
        (("cyle", "papr"), "unknown task 'cyle'; did you mean 'cycle'?"),
        ((None,), "task should be a text, got None"),
        (("cycle", {"data": {}}), "preset should be a text, got {'data': {}}"),
        (("cycle", "fast", 5), "options should be a nested mapping, such as {'train': {'steps': 100}}, got 5"),
        (("cycle", "fast", {1: 2}), "options should be a nested mapping"),
        (("cycle", "fast", {"train": 5}), "train should be a table, got 5"),
        (("cycle", "fast", {"steps": 5}), "unknown option steps; did you mean 'train.steps'?"),
    ],
)
def test_wrong_arguments_are_answered_in_one_line(arguments, message):
    with pytest.raises(OptionError) as caught:
        load_config(*arguments)
    assert str(caught.value).startswith(message)


def test_unknown_preset_lists_the_presets():
    with pytest.raises(OptionError, match="unknown preset 'papr'; did you mean 'paper'"):
        load_config("cycle", "papr")


def test_every_shipped_recipe_loads():
    for path in package_folder("configs").glob("*.toml"):
        task, _, preset = path.stem.partition("_")
        assert isinstance(load_config(task, preset), Config)


def test_a_recipe_repeats_another_one():
    drift, its_own = load_config("cycle", "drift", {"train": {"steps": 3}}), load_config("drift")
    assert (drift.task, drift.preset, drift.train.steps) == ("drift", "drift", 3)
    assert (drift.generator, drift.method, drift.data) == (its_own.generator, its_own.method, its_own.data)
    assert command_of("drift", "drift") == "train-cycle" and command_of("drift", "fast") == "train-drift"


def test_config_survives_writing_and_reading(tmp_path):
    from translate.utils.toml_files import read_toml

    config = load_config("cycle", "paper", {"data": {"a": "x", "b": "y"}})
    (tmp_path / "c.toml").write_text(dump_config(config, {"steps": 7}))
    back = read_toml(tmp_path / "c.toml")
    assert back["plan"] == {"steps": 7}
    assert changed_options(config, back) == {}
    other = load_config("cycle", "paper", {"data": {"a": "x", "b": "z"}, "method": {"pool_size": 3}})
    same = load_config("cycle", "paper", {"data": {"a": "x", "b": "y"}, "out": "elsewhere"})
    assert changed_options(same, back) == {}
    assert describe_changes(changed_options(other, back)) == ["method.pool_size = 3 (was 50)", "data.b = 'z' (was 'y')"]


def test_a_broken_file_is_named(tmp_path):
    from translate.utils.toml_files import read_toml

    (tmp_path / "c.toml").write_text("a = = 3")
    with pytest.raises(UserError, match="c.toml: is not valid TOML"):
        read_toml(tmp_path / "c.toml")
    with pytest.raises(UserError, match="missing.toml: cannot be read"):
        read_toml(tmp_path / "missing.toml")


@pytest.mark.parametrize(
    ("words", "layer"),
    [
        (["--train.lr", "1e-4"], {"train": {"lr": 1e-4}}),
        (["--lambda-identity=0"], {"method": {"lambda_identity": 0}}),
        (
            ["--lambda_identity", "0.5", "--pool_size", "3"],
            {"method": {"lambda_identity": 0.5, "pool_size": 3}},
        ),
        (
            ["--ngf", "32", "--netD", "patch_34"],
            {"generator": {"width": 32}, "discriminator": {"name": "patch_34"}},
        ),
        (["--betas", "[0.5, 0.9]"], {"train": {"betas": [0.5, 0.9]}}),
        (["--data.flip", "false"], {"data": {"flip": False}}),
    ],
)
def test_recipe_keys_are_options(words, layer):
    assert recipe_layer(words, "cycle", ["steps"]) == layer


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--lamda-cycle", "3"], "unknown option --lamda-cycle; did you mean --method.lambda_cycle?"),
        (["--stps", "3"], "unknown option --stps; did you mean --steps?"),
        (["--width", "3"], "--width is ambiguous; say --discriminator.width or --generator.width"),
        (["--lr"], "--lr lacks a value"),
        (["b.jpg"], "unexpected argument 'b.jpg'; put quotes around a pattern"),
        (["--qqqqq", "3"], "unknown option --qqqqq; see --help"),
    ],
)
def test_mistyped_options_are_answered(words, message):
    with pytest.raises(OptionError) as caught:
        recipe_layer(words, "cycle", ["steps", "minutes"])
    assert message in str(caught.value)


def test_known_options_leave_out_those_that_the_task_decides():
    known = known_options("cycle")
    assert {"method.lambda_cycle", "generator.width", "discriminator.layers", "train.lr", "data.crop"} <= set(known)
    assert "generator.in_channels" not in known


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ({"train": {"lr": float("nan")}}, "train.lr should be a number of reasonable size, got nan"),
        ({"train": {"minutes": float("inf")}}, "train.minutes should be a number of reasonable size, got inf"),
        ({"train": {"steps": 10**30}}, "train.steps should be a number of reasonable size"),
        ({"train": {"lr": 10**400}}, "train.lr should be a number of reasonable size"),
        ({"train": {"steps": "x" * 9999}}, "train.steps should be a whole number, got 'xxx"),
        ({"train": {"seed": int("f" * 9999, 16)}}, "train.seed should be a number of reasonable size, got an endless"),
        ({"data": {"size": 10**6}}, "--size should be at most 65536, got 1000000"),
        ({"data": {"a": "\udcff.png"}}, r"data.a '\udcff.png' is no text in UTF-8; rename the file or folder"),
        ({"data": {"a": "x\0y"}}, r"data.a 'x\x00y' is no text in UTF-8"),
    ],
)
def test_absurd_values_are_refused(layer, message):
    with pytest.raises(OptionError) as caught:
        load_config("cycle", "fast", {"train": {"steps": 1}}, layer)
    assert message in str(caught.value) and len(str(caught.value)) < 400


ABSURD = ["a = " + "[" * 10**5, "a = 0x" + "f" * 2**20, "a = \0", "\x1b[2J", "a.b = ", "a." * 3000 + "b = 1"]


@pytest.mark.parametrize("text", ABSURD, ids=range(len(ABSURD)))
def test_absurd_toml_is_one_line(tmp_path, text):
    (tmp_path / "x.toml").write_text(text)
    with pytest.raises(UserError, match="x.toml: is no"):
        read_toml(tmp_path / "x.toml")


def test_values_that_are_not_numbers_are_strings():
    for text in ("9" * 5000, "[" * 3000, "1e5000x"):
        assert recipe_layer(["--data.a", text], "cycle", []) == {"data": {"a": text}}
