"""Samples, directions, walks, sums, edits and projections over HTTP equal those of the Python functions."""

import base64
import io
import json

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from tests.conftest import picture
from tests.studio.studios import client, faces, save_model, unpaired
from translate.inference.latent.directions import find_directions
from translate.inference.latent.edit import edit
from translate.inference.latent.interpolate import interpolate_styles
from translate.inference.latent.project import project
from translate.inference.sampler import Sampler


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    nets, recipe = faces()
    for level in nets["G"].levels:
        level.to_rgb.weight.data.mul_(2)
    save_model(root / "faces", nets, recipe)
    save_model(root / "monet", *unpaired())
    return root


@pytest.fixture(scope="module")
def api(runs):
    with client(roots=(runs,)) as opened:
        yield opened


@pytest.fixture(scope="module")
def sampler(runs):
    return Sampler.load(runs / "faces", "cpu")


def pixels(image):
    data = np.frombuffer(base64.b64decode(image["data"]), np.uint8)
    return cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1]


def post(api, path, order):
    answer = api.post(f"/api/{path}", json={"model": "faces"} | order)
    assert answer.status_code == 200, answer.text
    return answer.json()["images"]


def png(array):
    planes = cv2.cvtColor(array, cv2.COLOR_RGBA2BGRA if array.shape[2] == 4 else cv2.COLOR_RGB2BGR)
    return cv2.imencode(".png", planes)[1].tobytes()


def test_points_are_seeds_or_styles(api, sampler):
    images = post(api, "points", {"points": [{"seed": 3}, {"seed": 8}], "label": "dog", "truncation": 0.5})
    expected = sampler(seeds=[3, 8], label="dog", truncation=0.5)
    for image, picture_ in zip(images, expected, strict=True):
        np.testing.assert_array_equal(pixels(image), picture_)
    [again] = post(api, "points", {"points": [{"w": images[1]["w"]}]})
    assert np.abs(pixels(again).astype(int) - expected[1]).max() <= 1
    assert [image["name"] for image in images] == ["seed_3.png", "seed_8.png"]


def test_sliders_move_along_the_directions(api, sampler):
    answer = api.get("/api/directions", params={"model": "faces"}).json()["directions"]
    shares = [one["share"] for one in answer]
    assert shares == sorted(shares, reverse=True) and sum(shares) == pytest.approx(1, abs=1e-3)
    found = find_directions(sampler, count=2)
    w = sampler.styles_of([5])[0] + 2 * found.stds[0] * found.vectors[0] - found.stds[1] * found.vectors[1]
    [image] = post(api, "points", {"points": [{"seed": 5}], "amounts": [2, -1]})
    np.testing.assert_allclose(image["w"], w, atol=1e-4)


def test_a_walk_is_a_film_of_the_interpolation(api, sampler):
    order = {"model": "faces", "points": [{"seed": 1}, {"seed": 2}], "frames": 5, "fps": 10, "label": "cat"}
    answer = api.post("/api/walk", json=order)
    assert answer.status_code == 200 and answer.headers["content-type"] == "image/gif"
    film = Image.open(io.BytesIO(answer.content))
    assert film.n_frames == 5 and film.size == (256, 256)
    film.seek(4)
    last = np.asarray(film.convert("RGB").resize((32, 32), Image.Resampling.BOX)).astype(int)
    truth = sampler.draw(interpolate_styles(sampler, [1, 2], 5, label="cat"))[4]
    assert np.abs(last - truth).mean() < 8  # 256 colours
    w = sampler.styles_of([9])[0].tolist()
    assert api.post("/api/walk", json=order | {"points": [{"w": w}, {"seed": 2}], "loop": True}).status_code == 200


def test_sums_of_samples(api, sampler):
    terms = [{"factor": 1, "points": [{"seed": 1}, {"seed": 2}]}, {"factor": -1, "points": [{"seed": 3}]},
             {"factor": 1, "points": [{"seed": 4}]}]  # fmt: skip
    images = post(api, "arithmetic", {"terms": terms, "label": "cat"})
    w = sampler.styles_of([1, 2, 3, 4], "cat")
    np.testing.assert_allclose(images[0]["w"], w[:2].mean(0) - w[2] + w[3], atol=1e-4)
    np.testing.assert_array_equal(pixels(images[3]), sampler(seed=4, label="cat")[0])
    assert len(images) == 4


def test_edits_equal_those_of_the_function(api, sampler):
    layer = np.zeros((32, 32, 4), np.uint8)
    layer[4:16, 4:16] = (200, 40, 60, 255)
    lines = np.zeros((32, 32, 4), np.uint8)
    lines[20:22, 4:28, 3] = 255
    given = {"model": "faces", "count": "3", "steps": "4", "start": '{"seed": 7}', "label": "dog"}
    files = {"strokes": ("s.png", png(layer)), "lines": ("l.png", png(lines))}
    images = api.post("/api/edit", data=given, files=files).json()["images"]
    found = edit(sampler, layer, lines, start_seed=7, candidates=3, steps=4, label="dog")
    assert [image["cost"] for image in images] == pytest.approx(found.costs.tolist(), rel=1e-4)
    np.testing.assert_array_equal(pixels(images[0]), found.pictures[0])
    start = sampler.styles_of([7], "dog")[0].tolist()
    again = api.post("/api/edit", data=given | {"start": json.dumps({"w": start})}, files=files).json()["images"]
    assert again[0]["cost"] == pytest.approx(images[0]["cost"], rel=1e-3)


def test_a_photo_is_projected_with_its_progress(api, sampler):
    given = {"model": "faces", "starts": "2", "steps": "5"}
    files = {"image": ("photo.png", png(picture(3, 40, 60)))}
    answer = api.post("/api/project", data=given, files=files, headers={"Accept": "application/x-ndjson"})
    *steps, result = [json.loads(line) for line in answer.text.splitlines()]
    shares = [step["progress"] for step in steps]
    assert shares[0] < 1 and shares[-1] == 1 and shares == sorted(shares)
    found = project(sampler, picture(3, 40, 60), starts=2, steps=5)
    assert result["distance"] == pytest.approx(found.distance, rel=1e-4)
    np.testing.assert_array_equal(pixels(result["images"][0]), found.picture)
    assert pixels(result["images"][1]).shape == (32, 32, 3)
    whole = api.post("/api/project", data=given, files=files).json()
    assert whole == result


@pytest.mark.parametrize(
    ("path", "order", "status", "line"),
    [
        ("points", {"points": []}, 400, "0 samples are given"),
        ("points", {"points": [{"seed": 0}] * 65}, 400, "65 samples"),
        ("points", {"points": [{}]}, 400, "by its seed, or by its style"),
        ("points", {"points": [{"w": [1.0]}]}, 400, "a style has 1 numbers"),
        ("points", {"points": [{"w": [1e30] * 12}]}, 400, "not finite, or beyond"),
        ("points", {"points": [{"seed": -1}]}, 400, "seed"),
        ("points", {"points": [{"seed": 1}], "label": "cow"}, 400, "no class 'cow'"),
        ("points", {"points": [{"seed": 1}], "amounts": [1] * 40}, 400, "40 amounts"),
        ("points", {"points": [{"seed": 1}], "amounts": [99]}, 400, "-20 to 20"),
        ("points", {"points": [{"seed": 1}], "model": "../faces"}, 404, "no model"),
        ("points", {"points": [{"seed": 1}], "model": "monet"}, 400, "makes no pictures of its own"),
        ("walk", {"points": [{"seed": 1}]}, 400, "one point alone"),
        ("walk", {"points": [{"seed": 1}] * 2, "frames": 10_000}, 400, "frames"),
        ("walk", {"points": [{"seed": 1}] * 2, "format": "exe"}, 400, "format"),
        ("arithmetic", {"terms": []}, 400, "terms"),
        ("arithmetic", {"terms": [{"factor": 1e9, "points": []}]}, 400, "factor"),
    ],
)
def test_wrong_requests_are_answered_in_a_line(api, path, order, status, line):
    answer = api.post(f"/api/{path}", json={"model": "faces"} | order)
    assert answer.status_code == status and line in answer.json()["error"], answer.text
    assert "\n" not in answer.json()["error"]


def test_wrong_drawings_are_answered_in_a_line(api):
    clear = png(np.zeros((32, 32, 4), np.uint8))
    wide = png(np.full((32, 40, 4), 255, np.uint8))
    for files, data, line in (
        ({"strokes": ("s.png", clear)}, {}, "nothing is drawn"),
        ({"strokes": ("s.png", wide)}, {}, "40 x 32 px, but the pictures are square"),
        ({"strokes": ("s.png", b"x")}, {}, "cannot be read"),
        ({"strokes": ("s.png", clear)}, {"start": "[1]"}, "start is no sample"),
        ({"strokes": ("s.png", clear)}, {"steps": "9999"}, "steps"),
    ):
        answer = api.post(
            "/api/edit", data={"model": "faces"} | data, files=files, headers={"Accept": "application/x-ndjson"}
        )
        assert answer.status_code == 400 and line in answer.json()["error"], answer.text
    assert torch.is_grad_enabled()
