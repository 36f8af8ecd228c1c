"""Models of super-resolution: any image, folder and film at the larger size, exact means, tile by tile."""

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from tests.conftest import picture
from translate import Translator
from translate.checkpoints.recipe import Recipe
from translate.images.io import read_picture, write_picture
from translate.images.picture import Picture
from translate.inference import gigapixel
from translate.inference.folder.run import translate_folder
from translate.inference.options import FolderOptions, VideoOptions
from translate.inference.video.run import translate_video
from translate.networks import UPSCALERS
from translate.tasks import TASKS
from translate.utils.errors import OptionError, UserError
from translate.utils.factory import Factory

QUIET = {"progress": False}
GEO = ((33550, 12, 3, (10.0, 10.0, 0.0)), (33922, 12, 6, (0.0, 0.0, 0.0, 5e5, 5.4e6, 0.0)))


def make(scale=3, channels=3):
    """A model whose detail can be seen."""
    torch.manual_seed(0)
    spec = {"name": "upscale_resnet", "width": 8, "blocks": 2, "detail": 4, "scale": scale}
    G = Factory(spec, UPSCALERS, "generator")(in_channels=channels, out_channels=channels)
    nn.init.normal_(G.head.weight, 0, 0.05)
    counts = {"image": channels, "small": channels}
    recipe = Recipe(
        task="upscale", nets={"G": G.spec}, domains=("photos",), size=32, preset="fast", steps=1, data="none",
        channels=counts, directions=(),
    )  # fmt: skip
    return Translator(recipe, nn.ModuleDict({"G": G}))


@pytest.fixture(scope="module")
def three():
    return make()


def down(pixels, scale=3):
    stack = np.asarray(pixels)
    height, width = (side // scale for side in stack.shape[:2])
    return np.rint(stack.reshape(height, scale, width, scale, -1).mean((1, 3))).astype(stack.dtype)


def test_every_kind_of_image_comes_out_larger(three, tmp_path):
    x = picture(0, 20, 26)
    y = three(x)
    assert y.shape == (60, 78, 3) and y.dtype == np.uint8
    cv2.imwrite(str(tmp_path / "photo.png"), x[..., ::-1])
    assert np.array_equal(np.asarray(three(tmp_path / "photo.png")), y)
    assert np.array_equal(np.asarray(three(Image.fromarray(x))), y)
    assert three(x[..., 0]).shape == (60, 78) and three(x[..., :1]).shape == (60, 78, 1)
    assert three(np.stack([x, x])).shape == (2, 60, 78, 3)
    assert three(x / np.float32(255)).dtype == np.float32
    tensor = torch.from_numpy(x).permute(2, 0, 1).float() / 127.5 - 1
    assert three(tensor).shape == (3, 60, 78) and [one.shape for one in three([x, x[:5, :1]])] == [y.shape, (15, 3, 3)]
    expected = TASKS["upscale"].predict(three.nets, {"small": tensor[None]})[0]
    torch.testing.assert_close(three(tensor), expected)


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_consistent_answers_average_to_the_input(scale, dtype):
    translator, rng = make(scale), np.random.default_rng(scale)
    plain = 0
    for _ in range(6):
        size = rng.integers(1, 60, 2)
        x = rng.integers(0, np.iinfo(dtype).max + 1, (*size, 3)).astype(dtype)
        assert np.array_equal(down(translator(x, consistent=True), scale), x)
        plain += (down(translator(x), scale) != x).sum()
    assert plain
    gray = rng.integers(0, 256, (9, 7), np.uint8)
    assert np.array_equal(down(translator(gray, consistent=True), scale)[..., 0], gray)


def test_a_gray_model_takes_colours_as_gray(tmp_path):
    translator = make(2, channels=1)
    assert translator(picture(0, 9, 7)).shape == (18, 14, 3)
    assert translator(picture(0, 9, 7)[..., 0]).shape == (18, 14)


def test_requests_that_make_no_sense_get_one_line(three, tmp_path):
    with pytest.raises(OptionError, match="enlarges pictures, which has no direction"):
        three(picture(0), "ab")
    with pytest.raises(OptionError, match="fills no holes"):
        three(picture(0), mask=np.ones((40, 48), bool))
    with pytest.raises(OptionError, match="one answer per picture"):
        three(picture(0), seed=1)
    with pytest.raises(UserError, match="holds floats, and consistent is for 8 and 16 bits"):
        three(picture(0) / np.float32(255), consistent=True)
    with pytest.raises(OptionError, match="consistent is for pictures of 8 or 16 bits"):
        three(torch.zeros(3, 8, 8), consistent=True)


def fill(folder):
    x = picture(0, 20, 26)
    write_picture(folder / "a.png", Picture(x, dpi=(300.0, 300.0)))
    write_picture(folder / "sub/alpha.png", Picture(x, x[..., 0]))
    write_picture(folder / "gray.png", Picture(x[..., :1].repeat(3, axis=2), gray=True))
    deep = x.astype(np.uint16) * 257 - np.uint16(3) * (x > 100)
    write_picture(folder / "deep.png", Picture(deep, deep[..., 1]))
    tifffile = pytest.importorskip("tifffile")
    tifffile.imwrite(
        folder / "geo.tif", x, photometric="rgb", extratags=[(*tag, True) for tag in GEO], resolution=(72, 72)
    )
    return x


@pytest.mark.parametrize("consistent", [False, True])
def test_a_folder_is_written_at_the_larger_size_with_all_that_belongs_to_it(three, tmp_path, consistent):
    fill(tmp_path / "in")
    report = translate_folder(three, tmp_path / "in", tmp_path / "out", FolderOptions(consistent=consistent, **QUIET))
    assert (report.done, report.failed) == (5, 0)
    for file in ("a.png", "sub/alpha.png", "gray.png", "deep.png", "geo.tif"):
        before, after = (read_picture(tmp_path / place / file) for place in ("in", "out"))
        assert after.pixels.shape[:2] == (60, 78) and after.pixels.dtype == before.pixels.dtype
        assert after.gray == before.gray and (after.alpha is None) == (before.alpha is None)
        assert after.dpi == (before.dpi and pytest.approx([3 * x for x in before.dpi], rel=1e-3))
        assert np.array_equal(down(after.pixels), before.pixels) == consistent
        if before.alpha is not None:
            assert abs(after.alpha.mean() / before.alpha.mean() - 1) < 0.01
            assert not consistent or np.array_equal(down(after.alpha)[..., 0], before.alpha)
    tags = {tag.code: tag.value for tag in read_picture(tmp_path / "out/geo.tif").tags}
    assert tags[33550][:2] == pytest.approx((10 / 3, 10 / 3)) and tags[33922] == GEO[1][3]
    again = translate_folder(three, tmp_path / "in", tmp_path / "out", FolderOptions(consistent=consistent, **QUIET))
    assert (again.done, again.skipped) == (0, 5)
    with pytest.raises(OptionError, match="--overwrite"):
        translate_folder(three, tmp_path / "in", tmp_path / "out", FolderOptions(consistent=not consistent, **QUIET))


def test_lossy_files_cannot_be_consistent(three, tmp_path):
    write_picture(tmp_path / "in/a.jpg", Picture(picture(0)), 90)
    options = FolderOptions(consistent=True, **QUIET)
    with pytest.raises(OptionError, match="--consistent: a.jpg would change every pixel once more; say --format png"):
        translate_folder(three, tmp_path / "in", tmp_path / "out", options)
    options = FolderOptions(consistent=True, format="png", **QUIET)
    assert translate_folder(three, tmp_path / "in", tmp_path / "out", options).done == 1
    assert np.array_equal(down(read_picture(tmp_path / "out/a.png").pixels), read_picture(tmp_path / "in/a.jpg").pixels)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_tiles_give_the_pixels_of_the_whole_picture(scale, monkeypatch):
    monkeypatch.setattr("translate.inference.tiling.feature_maps.TILE_SIDES_PX", (48,))
    translator, x = make(scale), picture(0, 130, 101)
    whole = translator(x)
    monkeypatch.setattr(translator.runner, "_tile_budget", lambda height, width: 10**10)
    tiled = translator(x)
    assert tiled.shape == whole.shape and np.abs(tiled.astype(int) - whole).max() <= 1
    assert (tiled != whole).mean() < 1e-3
    assert np.array_equal(down(translator(x, consistent=True), scale), x)


@pytest.mark.parametrize("name", ["alpha.tif", "deep.png", "gray.png", "photo.tif"])
@pytest.mark.parametrize("consistent", [False, True])
def test_gigapixel_files_are_streamed_to_the_same_pixels(three, tmp_path, monkeypatch, name, consistent):
    pytest.importorskip("pyvips")
    tifffile = pytest.importorskip("tifffile")
    x = picture(0, 70, 90)
    if name == "alpha.tif":
        stack = np.dstack([x, x[..., 0]])
        tags = [(*tag, True) for tag in GEO]
        tifffile.imwrite(
            tmp_path / name,
            stack,
            photometric="rgb",
            extrasamples=["unassalpha"],
            extratags=tags,
            resolution=(72, 36),
            resolutionunit="INCH",
        )
    else:
        pixels = x.astype(np.uint16) * 257 if name == "deep.png" else x
        gray = name == "gray.png"
        write_picture(tmp_path / name, Picture(pixels[..., :1].repeat(3, axis=2) if gray else pixels, gray=gray))
    options = FolderOptions(consistent=consistent, **QUIET)
    assert translate_folder(three, tmp_path / name, tmp_path / f"whole_{name}", options).done == 1
    monkeypatch.setattr(gigapixel, "MIN_FILE_BYTES", 0)
    monkeypatch.setattr(gigapixel, "COPIES_IN_MEMORY", 10**12)
    monkeypatch.setattr("translate.inference.tiling.feature_maps.TILE_SIDES_PX", (32,))
    monkeypatch.setattr(
        "translate.inference.folder.pipeline.translate_huge", streamed := Counted(gigapixel.translate_huge)
    )
    three.runner.memory.limit = 10**11
    try:
        assert translate_folder(three, tmp_path / name, tmp_path / f"out_{name}", options).done == 1
    finally:
        three.runner.memory.limit = None
    assert streamed.calls == 1
    before, whole, found = (read_picture(tmp_path / f"{kind}{name}") for kind in ("", "whole_", "out_"))
    assert found.pixels.dtype == before.pixels.dtype and found.pixels.shape == (210, 270, 3)
    apart = np.abs(found.pixels.astype(int) - whole.pixels)
    assert apart.max() <= 1 + consistent and (apart > 0).mean() < 2e-2
    assert found.gray == whole.gray and found.tags == whole.tags
    if whole.dpi:
        assert found.dpi == pytest.approx(whole.dpi, rel=1e-3)
    assert bool(whole.dpi) == (name == "alpha.tif")
    if whole.alpha is not None:
        np.testing.assert_array_equal(found.alpha, whole.alpha)
    if consistent:
        assert np.array_equal(down(found.pixels), before.pixels)


class Counted:
    def __init__(self, function):
        self.function, self.calls = function, 0

    def __call__(self, *args):
        self.calls += 1
        return self.function(*args)


@pytest.mark.parametrize("name", ["film.gif", "film.mp4"])
def test_films_get_larger(three, tmp_path, name):
    pytest.importorskip("av")
    for i in range(3):
        write_picture(tmp_path / "frames" / f"{i}.png", Picture(picture(i, 20, 26)))
    report = translate_video(three, tmp_path / "frames", tmp_path / name, VideoOptions(**QUIET))
    assert report.frames == 3
    if name == "film.gif":
        assert Image.open(tmp_path / name).size == (78, 60)
    else:
        import av

        with av.open(str(tmp_path / name)) as film:
            stream = film.streams.video[0]
            assert (stream.width, stream.height) == (78, 60)


def test_wide_integers_are_consistent_in_their_own_numbers(three, tmp_path):
    x = np.random.default_rng(0).integers(0, 65536, (9, 8, 3)).astype(np.int32)
    np.save(tmp_path / "x.npy", x)
    y = three(tmp_path / "x.npy", consistent=True)
    assert y.dtype == np.int32 and np.array_equal(down(y), x)
