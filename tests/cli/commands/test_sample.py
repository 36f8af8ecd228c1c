import sys

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.conftest import picture
from tests.inference.test_sampler import save
from translate.cli import run as cli
from translate.images.io import read_rgb8, write_picture
from translate.images.picture import Picture
from translate.inference.latent.interpolate import save_style
from translate.inference.sampler import Sampler


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Two run folders with small untrained models, of things and of three digits."""
    root = tmp_path_factory.mktemp("runs")
    return {"things": save(root / "things"), "digits": save(root / "digits", classes=("0", "1", "2"), out_channels=1)}


@pytest.fixture
def runs(models, tmp_path, monkeypatch):
    """Fresh copies of both run folders, in the working folder."""
    for name, folder in models.items():
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path / "runs"


def call(capsys, *words, model="runs/things"):
    with pytest.raises(SystemExit) as exit_:
        cli.main("sample", ["--model", model, "--device", "cpu", *map(str, words)])
    out, err = capsys.readouterr()
    return exit_.value.code or 0, out, err


def cell(path, row, column, size=32, gap=2):
    grid = read_rgb8(path)
    top, left = row * (size + gap), column * (size + gap)
    return grid[top : top + size, left : left + size]


def same(a, b):
    np.testing.assert_array_equal(a, b)


def test_a_plain_call_writes_a_sheet_into_the_run_folder(capsys, runs):
    status, out, err = call(capsys)
    assert status == 0, err
    assert out == "wrote runs/things/samples/seeds_0-63.png\n"
    sampler = Sampler.load(runs / "things", "cpu")
    assert read_rgb8(runs / "things/samples/seeds_0-63.png").shape == (8 * 34 - 2, 8 * 34 - 2, 3)
    same(cell(runs / "things/samples/seeds_0-63.png", 2, 3), sampler(seed=19)[0])


def test_single_files_are_named_after_their_seeds(capsys, runs):
    status, out, err = call(capsys, "--count", 2, "--seed", 7, "--output", "out", "--truncation", 0.7)
    assert status == 0 and out == "wrote out\n", err
    assert sorted(path.name for path in (runs.parent / "out").iterdir()) == ["7.png", "8.png"]
    assert not (runs / "things" / "samples").exists()
    same(read_rgb8("out/8.png"), Sampler.load(runs / "things", "cpu")(seed=8, truncation=0.7)[0])
    call(capsys, "--seeds", 3, 8, 11, "--output", "more", "--grid", "grid.png")
    assert sorted(path.name for path in (runs.parent / "more").iterdir()) == ["11.png", "3.png", "8.png"]
    same(cell("grid.png", 1, 0), read_rgb8("more/11.png"))


def test_gray_models_write_gray_files(capsys, runs):
    call(capsys, "--count", 1, "--output", "out", model="runs/digits")
    assert cv2.imread("out/0.png", cv2.IMREAD_UNCHANGED).ndim == 2


def test_classes_get_rows_of_their_own(capsys, runs):
    status, out, _ = call(capsys, "--seeds", 3, 5, 6, 2, model="runs/digits")
    assert status == 0 and "rows: 0, 2\n" in out  # no seed is of class 1
    path = runs / "digits/samples/seeds_3_5_6_2.png"
    sampler = Sampler.load(runs / "digits", "cpu")
    for (row, column), (seed, label) in {(0, 1): (6, "0"), (1, 0): (5, "2"), (1, 1): (2, "2")}.items():
        same(cell(path, row, column), sampler(seed=seed, label=label)[0])


def test_labels_and_mixes(capsys, runs):
    sampler = Sampler.load(runs / "digits", "cpu")
    for label, name in (("2", "2"), ("0:0.5,2:0.5", "0-0.5_2-0.5")):
        status, out, err = call(capsys, "--label", label, "--count", 3, model="runs/digits")
        path = runs / f"digits/samples/seeds_0-2_label_{name}.png"
        assert status == 0 and str(path.relative_to(runs.parent)) in out, err
        same(cell(path, 1, 0), sampler(seed=2, label=label)[0])


@pytest.mark.parametrize("suffix", ["gif", "webp", "mp4"])
def test_a_film_of_an_interpolation(capsys, runs, suffix):
    if suffix == "mp4":
        pytest.importorskip("av")
    words = ["--interpolate", 3, 8, "--frames", 5, "--video", f"walk.{suffix}", "--grid", "walk.png"]
    status, out, err = call(capsys, *words, "--output", "frames")
    assert status == 0 and out == f"wrote walk.png\nwrote walk.{suffix}\nwrote frames\n", err
    sampler = Sampler.load(runs / "things", "cpu")
    assert sorted(path.name for path in (runs.parent / "frames").iterdir()) == [f"{i}.png" for i in range(5)]
    ends = sampler(seeds=[3, 8]).astype(int)
    assert np.abs(read_rgb8("frames/0.png") - ends[0]).max() <= 1
    assert np.abs(read_rgb8("frames/4.png") - ends[1]).max() <= 1
    same(cell("walk.png", 1, 1), read_rgb8("frames/4.png"))  # rows of three
    if suffix != "mp4":
        film = Image.open(f"walk.{suffix}")
        assert film.n_frames == 5 and film.size == (256, 256)


def test_an_interpolation_is_a_gif_in_the_run_folder(capsys, runs):
    status, out, _ = call(capsys, "--interpolate", 3, 8, 4, "--loop", "--frames", 6, "--scale", 2)
    assert status == 0 and out == "wrote runs/things/samples/walk_3_8_4.gif\n"
    assert Image.open(runs / "things/samples/walk_3_8_4.gif").size == (64, 64)


def test_groups_are_saved_and_summed(capsys, runs):
    for name, seeds in {"glasses_men": (3, 14, 27), "men": (5, 6), "women": (8,)}.items():
        status, out, err = call(capsys, "--save-group", name, "--seeds", *seeds)
        assert status == 0 and out == f"runs/things/groups.toml: {name} = {list(seeds)}\n", err
    status, out, err = call(capsys, "--arithmetic", "glasses_men - men + women", "--save-style", "sum.npz")
    assert status == 0, err
    path = runs / "things/samples/sum_glasses_men-men+women.png"
    assert "rows: +1 glasses_men, -1 men, +1 women" in out and path.exists()
    sampler = Sampler.load(runs / "things", "cpu")
    same(cell(path, 0, 2), sampler(seed=14)[0])
    means = [sampler.styles_of(seeds).mean(0) for seeds in ((3, 14, 27), (5, 6), (8,))]
    result = sampler.draw((means[0] - means[1] + means[2])[None])[0]
    assert np.abs(cell(path, 3, 0).astype(int) - result).max() <= 1
    # the saved style is a point of an interpolation
    status, _, err = call(capsys, "--interpolate", 3, "sum.npz", "--frames", 3, "--output", "frames")
    assert status == 0, err
    same(read_rgb8("frames/2.png"), cell(path, 3, 0))


def test_seeds_in_a_sum(capsys, runs):
    status, out, err = call(capsys, "--arithmetic", "[3, 14] - [5] + 0.5*([8] + [9])")
    assert status == 0 and "rows: +1 [3, 14], -1 [5], +0.5 [8], +0.5 [9] (the mean first" in out, err
    assert "wrote runs/things/samples/sum_3_14-5+0.5x-8+9-.png" in out


def test_groups_of_another_file(capsys, runs):
    (runs.parent / "mine.toml").write_text("a = [1, 2]\nb = [3]\n")
    status, out, err = call(capsys, "--arithmetic", "a - b + [4]", "--groups", "mine.toml", "--grid", "sum.png")
    assert status == 0 and "wrote sum.png" in out, err
    status, _, err = call(capsys, "--arithmetic", "a - c", "--groups", "mine.toml")
    assert (status, err) == (2, "error: unknown group 'c'; known are a, b\n")


def test_nearest_training_pictures(capsys, runs):
    sampler = Sampler.load(runs / "things", "cpu")
    for i in range(12):
        write_picture(runs.parent / "train" / f"{i:02d}.png", Picture(picture(i, 32, 32)))
    write_picture(runs.parent / "train" / "copied.png", Picture(sampler(seed=1)[0]))
    (runs / "things" / "config.toml").write_text('[data]\nimages = "train"\n')
    status, out, err = call(capsys, "--nearest", 2, "--count", 3)
    assert status == 0, err
    assert "seed 1: copied.png at 0.00, " in out and "wrote runs/things/samples/nearest_0-2.png" in out
    path = runs / "things/samples/nearest_0-2.png"
    same(cell(path, 1, 0), cell(path, 1, 1))
    (runs / "things" / "config.toml").unlink()
    status, _, err = call(capsys, "--nearest", 2)
    assert status == 2 and "runs/things lies in no run folder with its training data; add --images" in err
    assert call(capsys, "--nearest", 2, "--images", "train", "--seeds", 1)[0] == 0


def test_a_photo_is_projected(capsys, runs):
    sampler = Sampler.load(runs / "things", "cpu")
    write_picture("photo.png", Picture(sampler(seed=5)[0]))
    words = ["--project", "photo.png", "--starts", 2, "--steps", 5, "--save-style", "found.npz"]
    status, out, err = call(capsys, *words, "--output", "out")
    assert status == 0 and out.endswith("wrote out\nwrote found.npz\n") and "distance 0." in out, err
    call(capsys, "--interpolate", "found.npz", 3, "--frames", 2, "--output", "frames")
    same(read_rgb8("out/photo.png"), read_rgb8("frames/0.png"))


def test_directions_are_sliders(capsys, runs):
    status, out, err = call(capsys, "--directions", 3, "--seed", 4)
    assert status == 0 and "seed 4 is in the middle" in out, err
    path = runs / "things/samples/directions_4.png"
    assert read_rgb8(path).shape == (3 * 34 - 2, 7 * 34 - 2, 3)
    for row in range(3):
        same(cell(path, row, 3), Sampler.load(runs / "things", "cpu")(seed=4)[0])
        assert not np.array_equal(cell(path, row, 0), cell(path, row, 6))


def test_edits_match_strokes_and_lines(capsys, runs):
    strokes = np.zeros((32, 32), np.uint8)
    strokes[8:16, 8:24] = 255
    write_picture("strokes.png", Picture(np.full((32, 32, 3), (200, 40, 40), np.uint8), strokes))
    lines = np.full((32, 32, 3), 255, np.uint8)
    lines[5:27, 15:17] = 0
    write_picture("lines.png", Picture(lines, gray=True))
    for words in (["--edit", "strokes.png"], ["--sketch", "lines.png"], ["--edit", "strokes.png", "--start-seed", 3]):
        given = [*words, "--count", 2, "--steps", 3, "--output", "out", "--grid", "edit.png"]
        status, out, err = call(capsys, *given, "--save-style", "e.npz")
        assert status == 0 and "costs (0 is perfect)" in out, err
        call(capsys, "--interpolate", "e.npz", 3, "--frames", 2, "--output", "frames")
        same(read_rgb8("out/1.png"), read_rgb8("frames/0.png"))
        same(cell("edit.png", 1, 0), read_rgb8("out/1.png"))


def test_options_from_a_file(capsys, runs):
    (runs.parent / "walk.toml").write_text('interpolate = [3, 8]\nframes = 3\nvideo = "walk.gif"\n')
    status, out, err = call(capsys, "--config", "walk.toml")
    assert status == 0 and out == "wrote walk.gif\n", err
    (runs.parent / "seeds.toml").write_text('seeds = [3, 8]\ngrid = "seeds.png"\n')
    assert call(capsys, "--config", "seeds.toml")[1] == "wrote seeds.png\n"


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        ("--interpolate 3", 2, "--interpolate 3: one point leads nowhere; give two or more seeds"),
        ("--interpolate 3 8 --frames 1", 2, "--frames 1 is out of range; give 2 or more"),
        ("--interpolate 3 8 9 --frames 2", 2, "2 frames are too few for 3 points"),
        ("--interpolate 3 nowhere.npz", 1, "nowhere.npz: is neither a seed nor a style that --save-style wrote"),
        ("--interpolate 3 8 --video walk.avi", 2, "walk.avi: '.avi' names no kind of film; use one of .gif, .webp"),
        ("--interpolate 3 8 --fps 0", 2, "--fps 0 is out of range"),
        ("--interpolate 3 8 --count 4", 2, "--count does not go with --interpolate"),
        ("--interpolate 3 8 --nearest 4", 2, "--interpolate and --nearest are two things; give one in a call"),
        ("--loop", 2, "--loop is of no use alone; it belongs to --interpolate"),
        ("--video walk.gif", 2, "--video is of no use alone; it belongs to --interpolate"),
        ("--groups x.toml", 2, "--groups is of no use alone; it belongs to --arithmetic or --save-group"),
        ("--save-style x.npz", 2, "--save-style is of no use alone; it belongs to --arithmetic or --project or --edit"),
        ("--label 7", 2, "this model was trained without labels; leave --label out"),
        ("--count 0", 2, "--count 0 is out of range; give 1 or more"),
        ("--seed -1", 2, "--seed -1 is out of range; give 0 or more"),
        ("--seeds 3 -1", 2, "seed -1 is out of range"),
        ("--seeds 3 8 --count 4", 2, "--seeds says which pictures are meant; leave out --count"),
        ("--truncation -0.5", 2, "--truncation -0.5 is out of range; give 0 or more"),
        ("--truncation nan", 2, "--truncation should be a number"),
        ("--grid faces.xyz", 2, "--grid faces.xyz: '.xyz' names no image format"),
        ("--arithmetic men-women", 2, "unknown group 'men'; no groups are saved yet: --save-group men --seeds"),
        ("--arithmetic [1]+", 2, "is no sum of groups"),
        ("--arithmetic a --groups no.toml", 1, "no.toml: cannot be read"),
        ("--save-group men", 2, "--save-group men needs --seeds"),
        ("--save-group glasses-men --seeds 3", 2, "group name 'glasses-men' cannot be used in a sum"),
        ("--project nowhere.png", 1, "nowhere.png: cannot be read as an image"),
        ("--project nowhere.png --starts 0", 2, "--starts 0 is out of range"),
        ("--directions 99", 2, "99 directions: this model's styles have 1 to"),
        ("--nearest 2 --images nowhere", 1, "nowhere"),
        ("--conut 3", 2, "did you mean '--count'"),
    ],
)
def test_mistakes_are_one_line_errors(capsys, runs, words, status, message):
    found, _, err = call(capsys, *words.split())
    assert found == status and err.startswith("error: ") and message in err and err.count("\n") == 1, err
    assert sorted(path.name for path in runs.parent.iterdir()) == ["runs"]
    assert not (runs / "things" / "samples").exists()


def test_unknown_labels(capsys, runs):
    status, _, err = call(capsys, "--label", 7, model="runs/digits")
    assert (status, err) == (2, "error: the model knows no class '7'; choose from 0, 1, 2\n")


def test_a_style_of_another_model(capsys, runs):
    import torch

    save_style("other.npz", torch.zeros(5))
    status, _, err = call(capsys, "--interpolate", 3, "other.npz")
    assert status == 1 and "other.npz: holds a style of shape (5,), of another model" in err


def test_without_pyav_nothing_is_drawn(capsys, runs, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    status, _, err = call(capsys, "--interpolate", 3, 8, "--video", "walk.mp4")
    assert status == 1 and 'need PyAV: pip install "image-translate[video]"' in err
