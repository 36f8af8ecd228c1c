import numpy as np
import pytest
import torch
from torch import nn

from translate.checkpoints.model_file import export_model
from translate.checkpoints.recipe import Recipe
from translate.cli import run as cli
from translate.images.io import read_picture, write_picture
from translate.images.picture import Picture
from translate.inference.translator import Translator
from translate.networks import EXPORTABLE
from translate.utils.factory import Factory


def exported(path, *, facts=None, hint=True, z_dim=4):
    """Write a tiny untrained model of sketch to photo translation."""
    torch.manual_seed(0)
    many = {"z_dim": z_dim} if z_dim else {}
    spec = {"name": "style_resnet", "width": 8, "downs": 1, "blocks": 1, "style_dim": 8}
    channels = {"a": 1, "b": 3} | ({"hint": 4} if hint else {})
    G = Factory(spec, EXPORTABLE, "generator")(in_channels=5 if hint else 1, out_channels=3, **many)
    for name, parameter in G.named_parameters():
        if "from_style" in name or "mapping" in name or "head" in name:
            parameter.data.normal_(0, 0.5)
    nets = nn.ModuleDict({"G": G})
    if z_dim:
        nets["E"] = Factory({"name": "style_encoder", "width": 4}, EXPORTABLE, "E")(in_channels=3, z_dim=z_dim)
    recipe = Recipe(
        task="pix2pix", nets={name: net.spec for name, net in nets.items()}, domains=("sketches", "photos"), size=64,
        preset="fast", steps=1, data="none", channels=channels, directions=("ab",), whole=True, facts=facts or {},
    )  # fmt: skip
    export_model(nets, recipe, path / "model.safetensors")
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return exported(tmp_path_factory.mktemp("run"), facts={"sketch": True})


@pytest.fixture
def sketches(tmp_path):
    page = np.full((64, 64, 3), 255, np.uint8)
    page[20:22, 10:50] = page[40:42, 10:50] = page[20:42, 10:12] = 20
    for name in ("x.png", "y.jpg"):
        write_picture(tmp_path / "in" / name, Picture(page, gray=True))
    return tmp_path / "in"


def call(capsys, model, source, output, *words):
    with pytest.raises(SystemExit) as exit_:
        given = ["--model", model, "--input", source, "--output", output, "--precision", "fp32", "--device", "cpu"]
        cli.main("translate-folder", [str(word) for word in [*given, *words]])
    out, err = capsys.readouterr()
    return exit_.value.code or 0, out, err


def names(folder):
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def test_sketches_become_colour_photos(capsys, model, sketches, tmp_path):
    status, out, err = call(capsys, model, sketches, tmp_path / "out")
    assert status == 0 and out.startswith("2 translated in"), err
    assert names(tmp_path / "out") == ["x.png", "y.jpg"]
    result = read_picture(tmp_path / "out/x.png")
    expected = Translator.load(model, "cpu", "fp32")(sketches / "x.png")
    assert not result.gray and (result.pixels == np.asarray(expected)).all()


def test_all_options_reach_the_model(capsys, model, sketches, tmp_path):
    translator = Translator.load(model, "cpu", "fp32")
    for name, colour in (("red", (250, 10, 10)), ("blue", (10, 10, 250))):
        write_picture(tmp_path / f"{name}.png", Picture(np.full((64, 64, 3), colour, np.uint8)))
    alpha = np.zeros((64, 64), np.uint8)
    alpha[30:36, 20:40] = 255
    write_picture(tmp_path / "hints/x.png", Picture(np.full((64, 64, 3), 200, np.uint8), alpha))
    z1, z2 = (translator.look(tmp_path / f"{name}.png") for name in ("red", "blue"))
    looks = ["--look", tmp_path / "red.png", "--look", tmp_path / "blue.png"]
    for i, (words, wish) in enumerate([
        (["--count", 2, "--seed", 3], {"count": 2, "seed": 3}),
        (["--seed", 3], {"seed": 3}),
        (looks[:2], {"z": z1}),
        ([*looks, "--count", 2], {"z": np.stack([z1, z2])}),
        (["--hints", tmp_path / "hints"], {"hints": tmp_path / "hints/x.png"}),
        (["--direction", "ab"], {}),
        (["--scale", "native"], {"scale": "native"}),
    ]):  # fmt: skip
        status, out, err = call(capsys, model, sketches, tmp_path / str(i), *words)
        assert status == 0, err
        expected = translator(sketches / "x.png", **wish)
        found = [tmp_path / str(i) / name for name in names(tmp_path / str(i)) if name.startswith("x")]
        for path, picture in zip(found, expected if isinstance(expected, list) else [expected], strict=True):
            assert (read_picture(path).pixels == np.asarray(picture)).all(), words
    assert (
        "has no layer for 1 of 2 pictures"
        in call(capsys, model, sketches, tmp_path / "h", "--hints", tmp_path / "hints")[1]
    )


def test_options_from_a_file(capsys, model, sketches, tmp_path):
    file = tmp_path / "my.toml"
    write_picture(tmp_path / "red.png", Picture(np.full((64, 64, 3), 100, np.uint8)))
    for line in (f'look = ["{tmp_path / "red.png"}"]', f'look = "{tmp_path / "red.png"}"'):
        file.write_text(line + "\n")
        status, _, err = call(capsys, model, sketches, tmp_path / "out", "--config", file)
        assert status == 0, err
    file.write_text("count = 2\nseed = 1\n")
    assert call(capsys, model, sketches, tmp_path / "two", "--config", file)[0] == 0
    assert names(tmp_path / "two") == ["x_1.png", "x_2.png", "y_1.jpg", "y_2.jpg"]
    file.write_text('count = "two"\n')
    status, _, err = call(capsys, model, sketches, tmp_path / "none", "--config", file)
    assert status == 2 and err.startswith("error: ") and err.count("\n") == 1 and "count" in err


def test_another_seed_asks_before_it_overwrites(capsys, model, sketches, tmp_path):
    call(capsys, model, sketches, tmp_path / "out", "--seed", 1)
    assert "2 there already" in call(capsys, model, sketches, tmp_path / "out", "--seed", 1)[1]
    status, out, err = call(capsys, model, sketches, tmp_path / "out", "--seed", 2)
    assert (status, out) == (2, "") and "x.png: was made with --seed 1, not with --seed 2; choose another" in err
    out = call(capsys, model, sketches, tmp_path / "out", "--seed", 2, "--overwrite")[1]
    assert out.startswith("2 translated in")


@pytest.mark.parametrize(
    "words, status, message",
    [
        (["--count", "0"], 2, "count 0 is out of range; give a whole number from 1 on"),
        (["--count", "-1"], 2, "count -1 is out of range"),
        (["--count", "two"], 2, "--count should be a whole number, got 'two'"),
        (["--seed", "-1"], 2, "seed -1 is out of range"),
        (["--direction", "ba"], 2, "this model only turns sketches into photos (it was trained with --direction ab)"),
        (["--scale", "big"], 2, "--scale should be one of fit, native, got 'big'"),
        (["--look", "nowhere.png"], 1, "nowhere.png: cannot be read as an image"),
        (["--look", "a.png", "--count", "2"], 2, "give one --look, without --count, or two with --count N"),
        (["--hints", "nowhere"], 1, "no file or folder 'nowhere'"),
    ],
)
def test_mistakes_are_one_line_errors(capsys, model, sketches, tmp_path, words, status, message):
    found, _, err = call(capsys, model, sketches, tmp_path / "out", *words)
    assert found == status and err.startswith("error: ") and message in err and err.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "words, message",
    [
        (["--count", "2"], "this model has one answer per picture; leave out count"),
        (["--hints", "hints"], "this model takes no hints; train one with --hints, or leave them out"),
        (["--look", "x.png"], "this model cannot read the look of a picture"),
    ],
)
def test_options_that_a_plain_model_lacks(capsys, sketches, tmp_path, words, message):
    plain = exported(tmp_path / "plain", hint=False, z_dim=0)
    status, _, err = call(capsys, plain, sketches, tmp_path / "out", *words)
    assert status == 2 and message in err


def test_files_that_are_no_sketches_are_listed_and_the_rest_translated(capsys, model, sketches, tmp_path):
    write_picture(sketches / "empty.png", Picture(np.full((90, 70, 3), 255, np.uint8)))
    rows, columns = np.mgrid[:100, :120].astype(np.float32)
    photo = np.stack([rows * 2, 255 - columns * 2, (rows + columns) % 200], axis=2).clip(0, 255).astype(np.uint8)
    write_picture(sketches / "photo.png", Picture(photo))
    status, out, err = call(capsys, model, sketches, tmp_path / "out")
    assert status == 1 and "2 translated" in out and "2 failed" in out
    assert f"failed: {sketches / 'empty.png'}: is empty: there are no lines to go by" in err
    assert (
        f"failed: {sketches / 'photo.png'}: looks like a colour photo, but this model was trained on line drawings;"
        " make one with python tools/make_sketches.py" in err
    )
    assert names(tmp_path / "out") == ["failed.jsonl", "x.png", "y.jpg"]


# ---- formats, shards, one file


def test_formats_and_shards(capsys, model, sketches, tmp_path):
    assert call(capsys, model, sketches, tmp_path / "out", "--format", "webp")[0] == 0
    assert names(tmp_path / "out") == ["x.webp", "y.webp"]
    told = [call(capsys, model, sketches, tmp_path / "parts", "--shard", f"{i}/2")[1] for i in (1, 2)]
    assert names(tmp_path / "parts") == ["x.png", "y.jpg"]
    assert sum(int(line.split()[0]) for line in told) == 2


def test_one_picture_to_one_file(capsys, model, sketches, tmp_path):
    out = tmp_path / "made" / "colours.png"
    for _ in range(2):
        status, told, err = call(capsys, model, sketches / "y.jpg", out, "--seed", 1)
        assert status == 0 and told.startswith("1 translated in"), err
    expected = Translator.load(model, "cpu", "fp32")(sketches / "y.jpg", seed=1)
    assert (read_picture(out).pixels == np.asarray(expected)).all()
    assert [path.name for path in out.parent.iterdir()] == ["colours.png"]
    assert call(capsys, model, sketches / "y.jpg", tmp_path / "two.png", "--count", 2)[0] == 0
    assert {"two_1.png", "two_2.png"} <= set(names(tmp_path)) and not (tmp_path / "two.png").exists()
    (sketches / "bad.png").write_text("no picture")
    status, told, err = call(capsys, model, sketches / "bad.png", out)
    assert status == 1 and told.startswith("0 translated") and told.endswith("1 failed\n")
    assert f"failed: {sketches / 'bad.png'}: cannot be read as an image" in err


@pytest.mark.parametrize(
    "words, status, message",
    [
        (["--shard", "6/5"], 2, "shard '6/5' is no part of a whole; give I/N, such as 2/5 for the second of five"),
        (["--shard", "x"], 2, "shard 'x' is no part of a whole"),
        (["--format", "pngg"], 2, "format 'pngg' is unknown; did you mean 'png'?"),
    ],
)
def test_mistakes_with_formats_and_shards(capsys, model, sketches, tmp_path, words, status, message):
    found, _, err = call(capsys, model, sketches, tmp_path / "out", *words)
    assert found == status and err.startswith("error: ") and message in err and err.count("\n") == 1
    assert not (tmp_path / "out").exists()


# ---- holes


@pytest.fixture(scope="module")
def filler(tmp_path_factory):
    """A tiny untrained inpainting model."""
    torch.manual_seed(0)
    spec = {"name": "fourier_resnet", "width": 8, "trunk": 16, "blocks": 1}
    G = Factory(spec, EXPORTABLE, "generator")(in_channels=4, out_channels=3, z_dim=4)
    for name, parameter in G.named_parameters():
        if "from_z" in name:
            parameter.data.normal_(0, 0.5)
    recipe = Recipe(
        task="inpaint", nets={"G": G.spec}, domains=("photos",), size=32, preset="fast", steps=1, data="none",
        channels={"image": 3, "mask": 1}, directions=(),
    )  # fmt: skip
    path = tmp_path_factory.mktemp("photos_inpaint")
    export_model(nn.ModuleDict({"G": G}), recipe, path / "model.safetensors")
    return path


HOLE = np.zeros((40, 50), bool)
HOLE[10:20, 15:30] = True


def save_mask(path, hole=HOLE, colours=(0, 255)):
    write_picture(path, Picture(np.where(hole[..., None], colours[1], colours[0]).astype(np.uint8).repeat(3, 2)))


@pytest.fixture
def damaged(tmp_path):
    """Pictures of several kinds, and their masks beside them in another folder."""
    rng = np.random.default_rng(0)
    write_picture(tmp_path / "in/x.png", Picture(rng.integers(0, 256, (40, 50, 3), dtype=np.uint8)))
    write_picture(tmp_path / "in/sub/deep.png", Picture(rng.integers(0, 65536, (40, 50, 3), dtype=np.uint16)))
    alpha = np.where(HOLE, 0, 255).astype(np.uint8)
    write_picture(tmp_path / "in/clear.png", Picture(rng.integers(0, 256, (40, 50, 3), dtype=np.uint8), alpha))
    save_mask(tmp_path / "masks/x.png")
    save_mask(tmp_path / "masks/sub/deep_mask.bmp")
    return tmp_path / "in"


def is_filled(before, after, hole=HOLE):
    one, other = read_picture(before), read_picture(after)
    assert one.pixels.dtype == other.pixels.dtype and (one.pixels[~hole] == other.pixels[~hole]).all()
    assert other.alpha is None or (other.alpha == 255).all()
    return (one.pixels[hole] != other.pixels[hole]).any()


def test_holes_are_filled_and_other_pixels_stay_bit_identical(capsys, filler, damaged, tmp_path):
    out = tmp_path / "out"
    status, told, err = call(capsys, filler, damaged, out, "--masks", tmp_path / "masks")
    assert status == 0 and "3 translated in" in told and "masks: white is the hole" in told, err
    for name in ("x.png", "sub/deep.png", "clear.png"):
        assert is_filled(damaged / name, out / name)
    expected = Translator.load(filler, "cpu", "fp32")(damaged / "x.png", mask=tmp_path / "masks/x.png")
    assert (read_picture(out / "x.png").pixels == np.asarray(expected)).all()
    assert "3 there already" in call(capsys, filler, damaged, out, "--masks", tmp_path / "masks")[1]
    save_mask(tmp_path / "masks/x.png", HOLE.T.copy().reshape(HOLE.shape))
    assert "1 translated in" in call(capsys, filler, damaged, out, "--masks", tmp_path / "masks")[1]


def test_several_fillings(capsys, filler, damaged, tmp_path):
    words = ["--masks", tmp_path / "masks", "--count", 2, "--seed", 3]
    assert call(capsys, filler, damaged / "x.png", tmp_path / "out", *words)[0] == 0
    expected = Translator.load(filler, "cpu", "fp32")(damaged / "x.png", mask=HOLE, count=2, seed=3)
    found = [read_picture(tmp_path / f"out/x_{k}.png").pixels for k in (1, 2)]
    assert all((one == np.asarray(other)).all() for one, other in zip(found, expected, strict=True))
    assert (found[0] != found[1]).any()


def test_black_holes_are_detected_and_can_be_inverted(capsys, filler, damaged, tmp_path):
    for name in ("x.png", "sub/deep.png", "clear.png"):
        save_mask(tmp_path / "masks" / name, colours=(255, 0))
    (tmp_path / "masks/sub/deep_mask.bmp").unlink()
    words = ["--masks", tmp_path / "masks"]
    status, told, _ = call(capsys, filler, damaged, tmp_path / "out", *words)
    assert status == 0 and "masks: black is the hole" in told and is_filled(damaged / "x.png", tmp_path / "out/x.png")
    words += ["--invert-masks"]
    assert "was made with --masks with black holes, not" in call(capsys, filler, damaged, tmp_path / "out", *words)[2]
    told = call(capsys, filler, damaged, tmp_path / "out", *words, "--overwrite")[1]
    assert "masks: white is the hole" in told and "3 translated" in told
    assert is_filled(damaged / "x.png", tmp_path / "out/x.png", ~HOLE)


def test_masks_of_another_size_can_be_resized(capsys, filler, damaged, tmp_path):
    save_mask(tmp_path / "masks/x.png", HOLE[::2, ::2])
    words = ["--masks", tmp_path / "masks"]
    status, _, err = call(capsys, filler, damaged, tmp_path / "out", *words)
    line = "the mask is 25 x 20 px, the picture 50 x 40 px; make them one size, or say --resize-masks"
    assert status == 1 and f"failed: {damaged / 'x.png'}: {tmp_path / 'masks/x.png'}: {line}" in err
    assert not (tmp_path / "out/x.png").exists() and (tmp_path / "out/clear.png").exists()
    assert call(capsys, filler, damaged, tmp_path / "out", *words, "--resize-masks")[0] == 0
    grown = HOLE[::2, ::2].repeat(2, 0).repeat(2, 1)
    assert is_filled(damaged / "x.png", tmp_path / "out/x.png", grown)


def test_pictures_without_holes_fail_and_the_rest_is_translated(capsys, filler, damaged, tmp_path):
    for name in ("plain", "empty", "full"):
        write_picture(damaged / f"{name}.png", Picture(np.zeros((40, 50, 3), np.uint8)))
    save_mask(tmp_path / "masks/empty.png", HOLE & False)
    save_mask(tmp_path / "masks/full.png", HOLE | True)
    save_mask(tmp_path / "masks/stranger.png")
    status, told, err = call(capsys, filler, damaged, tmp_path / "out", "--masks", tmp_path / "masks")
    assert status == 1 and "3 translated" in told and "3 failed" in told
    assert f"masks: 1 belong to no picture: {tmp_path / 'masks/stranger.png'}" in told
    for line in (
        f"{damaged / 'plain.png'}: has no hole: give a mask (--masks), or make the hole transparent",
        f"{damaged / 'empty.png'}: {tmp_path / 'masks/empty.png'}: is empty: there is no hole to fill",
        f"{damaged / 'full.png'}: {tmp_path / 'masks/full.png'}: covers all of the picture: nothing is known to go by",
    ):
        assert f"failed: {line}\n" in err
    assert names(tmp_path / "out") == ["clear.png", "failed.jsonl", "sub", "x.png"]


def test_hole_detection_samples_the_masks(capsys, filler, damaged, tmp_path, monkeypatch):
    for i in range(9):
        save_mask(tmp_path / f"masks/more{i}.png", colours=(255, 0) if i == 8 else (0, 255))
    monkeypatch.setattr("translate.inference.folder.jobs.MASK_SAMPLE_COUNT", 4)
    told = call(capsys, filler, damaged, tmp_path / "out", "--masks", tmp_path / "masks")[1]
    assert "masks: 4 of 11 were looked at, evenly spread\nmasks: white is the hole" in told
    assert is_filled(damaged / "x.png", tmp_path / "out/x.png")


def test_transparent_pictures_need_no_masks(capsys, filler, damaged, tmp_path):
    status, told, _ = call(capsys, filler, damaged / "clear.png", tmp_path / "out")
    assert status == 0 and told.startswith("1 translated")
    assert is_filled(damaged / "clear.png", tmp_path / "out/clear.png")


def test_soft_masks_and_lossy_files_are_noted(capsys, filler, damaged, tmp_path):
    write_picture(damaged / "photo.jpg", Picture(np.full((40, 50, 3), 90, np.uint8)))
    soft = np.where(HOLE, 200, 20).astype(np.uint8)[..., None].repeat(3, 2)
    write_picture(tmp_path / "masks/photo.png", Picture(soft))
    status, told, _ = call(capsys, filler, damaged, tmp_path / "out", "--masks", tmp_path / "masks")
    assert status == 0 and "masks: 1 of 3 have gray values between black and white" in told
    assert "photo.jpg: compressed anew, so known pixels change slightly" in told
    one, other = read_picture(damaged / "photo.jpg"), read_picture(tmp_path / "out/photo.jpg")
    assert np.abs(one.pixels.astype(int) - other.pixels)[~HOLE].mean() < 3


@pytest.mark.parametrize(
    "words, status, message",
    [
        (["--masks", "nowhere"], 1, "no file or folder 'nowhere'"),
        (["--direction", "ab"], 2, "this model fills holes, which has no direction; leave --direction out"),
        (["--hints", "hints"], 2, "this model fills holes and takes no hints; leave them out"),
        (["--scale", "native"], 2, "chooses the scale by the hole"),
        (["--look", "x.png"], 2, "this model cannot read the look of a picture"),
    ],
)
def test_mistakes_with_inpainting_are_one_line_errors(capsys, filler, damaged, tmp_path, words, status, message):
    found, _, err = call(capsys, filler, damaged, tmp_path / "out", *words)
    assert found == status and err.startswith("error: ") and message in err and err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_translation_models_accept_no_masks(capsys, model, sketches, tmp_path):
    for words in ([], ["--invert-masks"], ["--resize-masks"]):
        status, _, err = call(capsys, model, sketches, tmp_path / "out", "--masks", "masks", *words)
        assert status == 2 and "this model fills no holes; leave the mask out" in err
        status, _, err = call(capsys, model, sketches, tmp_path / "out", *words)
        assert status == (2 if words else 0) and ("are about --masks; give these too" in err) == bool(words)


@pytest.mark.parametrize("amount", ["10", "60MB"])
def test_too_little_memory_is_refused_once(capsys, model, sketches, tmp_path, amount):
    status, out, err = call(capsys, model, sketches, tmp_path / "out", "--memory", amount)
    assert (status, out) == (2, "") and err.count("\n") == 1 and "GB" in err
    assert not (tmp_path / "out").exists()


def test_a_small_range_of_16_bits_is_told_with_the_range_to_say(capsys, tmp_path):
    run = exported(tmp_path, hint=False, z_dim=0)
    for i in range(3):
        pixels = np.random.default_rng(i).integers(0, 4096, (40, 48, 1), np.uint16).repeat(3, axis=2)
        write_picture(tmp_path / "in" / f"{i}.png", Picture(pixels, gray=True))
    status, out, err = call(capsys, run, tmp_path / "in", tmp_path / "out")
    assert status == 0, err
    assert "use 0 to 4095 of 0 to 65535; if all are of 12 bits, say --value-range 0,4095" in out
    words = ["--value-range", "0,4095", "--overwrite"]
    status, out, err = call(capsys, run, tmp_path / "in", tmp_path / "out", *words)
    assert status == 0 and "--value-range" not in out
