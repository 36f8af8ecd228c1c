import pytest

from translate.cli.commands.options import given_options
from translate.cli.commands.sample_options import Sample
from translate.cli.commands.train import options_layer
from translate.cli.commands.train_cycle import TrainCycle
from translate.cli.commands.train_gan import TrainGan
from translate.cli.commands.train_pix2pix import TrainPix2pix
from translate.cli.commands.translate_folder import TranslateFolder
from translate.cli.parsing import parse_options
from translate.cli.run import main
from translate.utils.errors import OptionError

PATHS = ["--model", "m", "--input", "i", "--output", "o"]


def parse(options_class, *words):
    return parse_options(options_class, "train-cycle", words)


def refusal(options_class, *words):
    with pytest.raises(OptionError) as caught:
        parse(options_class, *words)
    return str(caught.value)


def test_a_range_that_begins_with_a_minus_belongs_to_its_option():
    options, _, others = parse(TrainCycle, "--a", "x", "--value-range", "-1000,3000", "--steps", "3")
    assert (options.a, options.value_range, options.steps, others) == ("x", "-1000,3000", 3, [])
    others = parse(TrainCycle, "--data.value_range", "-1000,3000", "--a", "x")[2]
    assert others == ["--data.value_range", "-1000,3000"]
    with pytest.raises(SystemExit) as caught:
        main("translate-folder", ["--model", "m", "--input", "i", "--output", "o", "--value-range", "-1"])
    assert caught.value.code in (1, 2)


def test_options_without_a_value_get_their_implied_value():
    def labels_and_grow(*words):
        options, _, others = parse(TrainGan, *words)
        assert not others
        return options.labels, options.grow

    assert labels_and_grow("--labels") == ("auto", 0.0)
    assert labels_and_grow("--labels", "--steps", "3", "--grow") == ("auto", 0.5)
    assert labels_and_grow("--labels", "x.csv", "--grow=0.2") == ("x.csv", 0.2)
    assert parse(TrainCycle, "--labels")[2] == ["--labels"]
    # a value with the name of an option is no option
    assert labels_and_grow("--images", "labels", "--grow") == ("", 0.5)


def test_words_are_spelt_in_every_usual_way():
    options, _, others = parse(TrainPix2pix, "--batch_size=4", "--value-range", "0,5", "--hints", "--lr", "-1e-4", "-x")
    assert (options.batch_size, options.value_range, options.hints) == (4, "0,5", True)
    assert others == ["--lr", "-1e-4", "-x"]
    assert parse(TrainPix2pix, "--hints", "false")[0].hints is False
    assert parse(TrainPix2pix, "--hints=true")[0].hints is True
    options, _, _ = parse(TranslateFolder, *PATHS, "--look", "a.jpg", "--look", "b.jpg", "--fps", "25")
    assert (options.look, options.fps) == (("a.jpg", "b.jpg"), 25.0)
    options, _, _ = parse(Sample, "--model", "m", "--seeds", "3", "14", "-1", "--interpolate", "3", "style.npz")
    assert (options.seeds, options.interpolate) == ((3, 14, -1), ("3", "style.npz"))


@pytest.mark.parametrize(
    ("options_class", "words", "message"),
    [
        (TrainCycle, ["--steps", "1.5"], "--steps should be a whole number, got '1.5'"),
        (TrainCycle, ["--minutes", "ten"], "--minutes should be a number, got 'ten'"),
        (TrainCycle, ["--size", "big"], "--size should be a whole number or auto, got 'big'"),
        (TrainCycle, ["--preset", "papr"], "--preset should be one of fast, paper, drift, got 'papr'"),
        (TrainCycle, ["--precision", "fp16"], "--precision should be one of auto, bf16, fp32, got 'fp16'"),
        (TrainCycle, ["--steps"], "--steps lacks a value, a whole number"),
        (TrainCycle, ["--steps", "9" * 5000], "--steps should be a whole number, got '" + "9" * 60 + "...'"),
        (TranslateFolder, [*PATHS, "--direction", "up"], "--direction should be one of ab, ba, got 'up'"),
        (TranslateFolder, [*PATHS, "--count", "two"], "--count should be a whole number, got 'two'"),
        (TranslateFolder, [*PATHS, "--stats", "x"], "--stats should be one of exact, frozen, local, smooth, got 'x'"),
        (TranslateFolder, [*PATHS, "--overwrite=si"], "--overwrite should be true or false, got 'si'"),
        (TranslateFolder, ["--model", "m"], "--input and --output are missing; see python tools/train_cycle.py --help"),
        (Sample, ["--model", "m", "--seeds", "3", "x"], "--seeds should be a whole number, got 'x'"),
    ],
)
def test_wrong_values_are_answered_in_plain_words(options_class, words, message):
    assert refusal(options_class, *words) == message


def test_a_flag_wins_over_the_file_also_where_it_equals_the_default(tmp_path):
    file = tmp_path / "c.toml"
    file.write_text('seed = 9\npreset = "paper"\n[train]\nseed = 5\ndevice = "cpu"\n[data]\nsize = 128\n')
    words = ["--config", str(file), "--seed", "0", "--size", "auto", "--device", "auto", "--preset", "fast"]
    options, sections, _ = parse(TrainCycle, *words)
    layer = options_layer(options)
    assert options.preset == "fast"
    assert (layer["train"], layer["data"]) == ({"seed": 0, "device": "auto"}, {"size": 0})
    assert sections["train"] == {"seed": 5, "device": "cpu"}
    # what the file says at its top counts as given, and what nobody says does not
    options, _, _ = parse(TrainCycle, "--config", str(file))
    assert options_layer(options)["train"] == {"seed": 9}
    assert given_options(options) == {"seed", "preset", "config"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("steps = 1.5", "steps should be a whole number, got '1.5'"),
        ("steps = true", "steps should be a whole number, got 'True'"),
        ('size = "big"', "size should be a whole number or auto, got 'big'"),
        ('precision = "fp16"', "precision should be one of auto, bf16, fp32, got 'fp16'"),
        ("a = 3", "a should be a text, got '3'"),
        ("minutes = nan", "minutes should be a number, got 'nan'"),
    ],
)
def test_wrong_values_of_the_file_are_answered_alike(tmp_path, text, message):
    file = tmp_path / "c.toml"
    file.write_text(text)
    assert refusal(TrainCycle, "--config", str(file)) == f"{file}: {message}"


def test_lists_of_the_file(tmp_path):
    file = tmp_path / "c.toml"
    file.write_text('model = "m"\nseeds = [3, 4]\ninterpolate = [3, "style.npz"]\nfps = 30\n')
    options, _, _ = parse(Sample, "--config", str(file))
    assert (options.seeds, options.interpolate, options.fps) == ((3, 4), ("3", "style.npz"), 30.0)
    file.write_text('look = "a.jpg"\n')
    assert parse(TranslateFolder, *PATHS, "--config", str(file))[0].look == ("a.jpg",)
