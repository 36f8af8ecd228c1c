"""/api/translate, /api/look and /api/fill give the bytes that the commands write."""

import base64
import io
import json
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image

from tests.conftest import picture
from tests.studio.studios import client, drawing, dropout, inpainting, photo, save_model, unpaired
from translate.images.io import read_picture, write_picture
from translate.images.picture import Picture
from translate.inference.folder.run import translate_folder
from translate.inference.options import FolderOptions
from translate.inference.translator import Translator


def post(studio, path, *files, data=None, **headers):
    opened = [(field, (file.name, file.read_bytes())) for field, file in files]
    return studio.post(f"/api/{path}", files=opened, data=data or {}, headers=headers)


def as_command(runs, model, source, output, stats="", **options):
    """Translate with the function of the command; return the bytes of the results in order."""
    translator = Translator.load(runs / model, "cpu", "fp32", "", stats)
    translate_folder(translator, source, output, FolderOptions(progress=False, **options))
    return [file.read_bytes() for file in sorted(output.iterdir()) if not file.name.startswith(".")]


@pytest.fixture
def kinds(tmp_path):
    """Return pictures of every kind: formats, depths, channels, an orientation."""
    root, rgb = tmp_path / "kinds", picture(3, 40, 52)
    deep = np.random.default_rng(0).integers(0, 65536, (33, 20, 3), np.uint16)
    write_picture(root / "deep.png", Picture(deep))
    write_picture(root / "deep.tif", Picture(deep))
    write_picture(root / "gray.png", Picture(rgb[..., :1].repeat(3, axis=2), gray=True))
    write_picture(root / "alpha.png", Picture(rgb, rgb[..., 0].copy()))
    for name in ("a.jpg", "a.webp", "a.bmp", "a.gif"):
        write_picture(root / name, Picture(rgb))
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(rgb).save(root / "turned.jpg", exif=exif)
    Image.fromarray(rgb).convert("CMYK").save(root / "cmyk.jpg")
    np.save(root / "bands.npy", np.float32(rgb) / 255)
    return root


def test_a_picture_of_any_kind_is_answered_with_the_bytes_of_translate_folder(studio, runs, kinds, tmp_path):
    names = sorted(file.name for file in kinds.iterdir())
    expected = dict(zip(names, as_command(runs, "monet", kinds, tmp_path / "out"), strict=True))
    for name in names:
        answer = post(studio, "translate", ("image", kinds / name), data={"model": "monet"})
        assert answer.status_code == 200, answer.text
        assert answer.content == expected[name], name
    assert answer.headers["content-disposition"] == "inline; filename*=UTF-8''turned.jpg"


@pytest.fixture
def two_threads():
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(1)


def test_the_number_of_threads_is_that_of_the_command(two_threads, runs, tmp_path):
    """It changes the last bits of sums: small pictures get one, large ones and models with dropout all."""
    save_model(tmp_path / "runs" / "dropout", *dropout())
    save_model(tmp_path / "runs" / "monet", *unpaired())
    photo(tmp_path / "in" / "small.png")
    photo(tmp_path / "in" / "wide.png", 1, (520, 540))
    with client(roots=(tmp_path / "runs",)) as studio:
        for model, options in (("monet", {}), ("dropout", {"seed": 3})):
            expected = as_command(tmp_path / "runs", model, tmp_path / "in", tmp_path / f"out_{model}", **options)
            for name, content in zip(("small.png", "wide.png"), expected, strict=True):
                answer = post(studio, "translate", ("image", tmp_path / "in" / name), data={"model": model} | options)
                assert answer.content == content, (model, name)


@pytest.mark.parametrize(
    "options",
    [{"direction": "ba"}, {"stats": "frozen"}, {"format": "webp", "quality": 60}, {"scale": "native"}],
    ids=lambda options: " ".join(options),
)
def test_options_mean_what_they_mean_to_the_command(studio, runs, tmp_path, options):
    source = photo(tmp_path / "in" / "x.jpg")
    [expected] = as_command(runs, "monet", source.parent, tmp_path / "out", **options)
    assert post(studio, "translate", ("image", source), data={"model": "monet"} | options).content == expected


def test_several_pictures_come_as_a_zip_with_the_list_of_failures(studio, runs, tmp_path):
    first, second = photo(tmp_path / "a" / "x.png", 1), photo(tmp_path / "b" / "x.png", 2)
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    files = [("image", file) for file in (first, second, broken)]
    answer = post(studio, "translate", *files, data={"model": "monet"})
    assert answer.headers["content-type"] == "application/zip"
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert archive.namelist() == ["x.png", "1/x.png", "failed.jsonl"]
    for name, file in (("x.png", first), ("1/x.png", second)):
        assert [archive.read(name)] == as_command(runs, "monet", file.parent, tmp_path / f"out_{file.parent.name}")
    failure = json.loads(archive.read("failed.jsonl"))
    assert failure["file"] == "broken.png" and "cannot be read as an image" in failure["reason"]


def test_json_has_the_looks_and_a_look_gives_the_same_answer_again(studio, runs, tmp_path):
    source = drawing(tmp_path / "in" / "shoe.png")
    data = {"model": "shoes", "count": 3, "seed": 5}
    answer = post(studio, "translate", ("image", source), data=data, Accept="application/json").json()
    images = [base64.b64decode(one["data"]) for one in answer["images"]]
    assert images == as_command(runs, "shoes", source.parent, tmp_path / "out", count=3, seed=5)
    assert len(set(images)) == 3 and answer["failed"] == []
    assert [one["name"] for one in answer["images"]] == ["shoe_1.png", "shoe_2.png", "shoe_3.png"]
    for k, (one, image) in enumerate(zip(answer["images"], images, strict=True)):
        by_look = post(studio, "translate", ("image", source), data={"model": "shoes", "z": json.dumps(one["z"])})
        kept = post(studio, "translate", ("image", source), data={"model": "shoes", "seed": 5, "keep": k})
        assert by_look.content == kept.content == image
    looks = json.dumps([one["z"] for one in answer["images"]])
    several = post(studio, "translate", ("image", source), data={"model": "shoes", "z": looks})
    archive = zipfile.ZipFile(io.BytesIO(several.content))
    assert [archive.read(name) for name in archive.namelist()] == images


def test_hints_and_the_look_of_a_photo(studio, runs, tmp_path):
    source, red = drawing(tmp_path / "in" / "shoe.png"), photo(tmp_path / "red.png", 7, (32, 32))
    strokes = Picture(np.zeros((32, 32, 3), np.uint8), np.zeros((32, 32), np.uint8))
    strokes.pixels[4:20, 4:20], strokes.alpha[4:20, 4:20] = (250, 10, 10), 255
    write_picture(tmp_path / "hints" / "shoe.png", strokes)
    layer = tmp_path / "hints" / "shoe.png"
    [expected] = as_command(runs, "shoes", source.parent, tmp_path / "out", hints=tmp_path / "hints")
    answer = post(studio, "translate", ("image", source), ("hints", layer), data={"model": "shoes"})
    assert answer.content == expected

    z = post(studio, "look", ("image", red), data={"model": "shoes"}).json()["z"]
    [expected] = as_command(runs, "shoes", source.parent, tmp_path / "look", looks=[red])
    answer = post(studio, "translate", ("image", source), data={"model": "shoes", "z": json.dumps(z)})
    assert answer.content == expected


def test_fill_keeps_known_pixels_and_white_is_the_hole_however_large(tmp_path):
    save_model(tmp_path / "runs" / "fill", *inpainting())
    source = photo(tmp_path / "in" / "x.png", 4)
    mask = np.zeros((40, 48, 3), np.uint8)
    mask[2:38, 2:44] = 255  # more than 60 percent, which a folder of masks would take for the known area
    write_picture(tmp_path / "mask.png", Picture(mask, gray=True))
    with client(roots=(tmp_path / "runs",)) as studio:
        files = ("image", source), ("mask", tmp_path / "mask.png")
        answer = post(studio, "fill", *files, data={"model": "fill"})
        other = post(studio, "fill", *files, data={"model": "fill", "invert_mask": True})
        wrong = post(studio, "fill", ("image", source), data={"model": "fill"})
    before, hole = read_picture(source).pixels, mask[..., 0] > 0
    for content, changed in ((answer.content, hole), (other.content, ~hole)):
        (tmp_path / "answer.png").write_bytes(content)
        after = read_picture(tmp_path / "answer.png").pixels
        assert (after[~changed] == before[~changed]).all() and (after[changed] != before[changed]).any()
    assert wrong.status_code == 400 and wrong.json()["error"].startswith("x.png: has no hole")


@pytest.mark.parametrize(
    ("data", "status", "line"),
    [
        ({"model": "nothing"}, 404, "there is no model 'nothing'"),
        ({"model": ""}, 404, "no model is named"),
        ({"model": "monet", "direction": "up"}, 400, "direction 'up' is neither"),
        ({"model": "monet", "count": "2"}, 400, "this model has one answer per picture; leave out count"),
        ({"model": "shoes", "count": "0"}, 400, "count: "),
        ({"model": "shoes", "count": "9999"}, 400, "count: "),
        ({"model": "shoes", "seed": "-1"}, 400, "seed: "),
        ({"model": "shoes", "z": "[1, 2"}, 400, "z is no JSON"),
        ({"model": "shoes", "z": "[" * 100_000}, 400, "z is no JSON"),
        ({"model": "shoes", "z": "[1, NaN, 1, 1]"}, 400, "z holds numbers that are not finite"),
        ({"model": "shoes", "z": '{"a": 1}'}, 400, "z is a dict"),
        ({"model": "monet", "format": "exe"}, 400, "format 'exe' is unknown"),
        ({"model": "monet", "quality": "101"}, 400, "quality 101 is out of range"),
        ({"model": "monet", "strength": "0.5"}, 400, "this model has no strength"),
    ],
)  # fmt: skip
def test_errors_are_one_line_of_json(studio, tmp_path, data, status, line):
    answer = post(studio, "translate", ("image", drawing(tmp_path / "x.png")), data=data)
    assert answer.status_code == status
    assert list(answer.json()) == ["error"] and answer.json()["error"].startswith(line) and "\n" not in answer.text


def test_an_error_names_the_upload_and_not_the_disk_of_the_server(studio, tmp_path):
    (tmp_path / "x.png").write_bytes(b"no picture")
    answer = post(studio, "translate", ("image", tmp_path / "x.png"), data={"model": "monet"})
    assert answer.json() == {"error": "x.png: cannot be read as an image (its content is in no known image format)"}
    blank = drawing(tmp_path / "blank.png")
    blank.write_bytes(png_of(255))
    answer = post(studio, "fill", ("image", blank), data={"model": "monet"})
    assert answer.json() == {"error": "this model fills no holes; choose one of train_inpaint, or use /api/translate"}


def png_of(value):
    out = io.BytesIO()
    Image.new("L", (32, 32), value).save(out, "PNG")
    return out.getvalue()
