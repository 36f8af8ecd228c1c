"""/api/sample and /api/sketch give what the commands write."""

import base64

import numpy as np
import pytest

from tests.studio.studios import client, faces, photo, save_model
from translate.data.make_sketches import make_sketches
from translate.images.grid import make_grid
from translate.images.io import decode_picture
from translate.inference.latent.sheet import samples_sheet
from translate.inference.sampler import Sampler


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return save_model(tmp_path_factory.mktemp("generators") / "faces", *faces()).parent


@pytest.fixture
def generators(root):
    with client(roots=(root,)) as studio:
        yield studio


def pixels_of(content):
    return decode_picture(content, "the answer").pixels


def test_a_sheet_and_single_samples(generators, root):
    sampler, wanted = Sampler.load(root / "faces", "cpu"), {"model": "faces", "seeds": [3, 1, 4]}
    sheet = generators.post("/api/sample", json=wanted)
    assert (pixels_of(sheet.content) == make_grid(samples_sheet(sampler, [3, 1, 4], None, 1.0).rows)).all()
    single = generators.post("/api/sample", json=wanted, headers={"Accept": "application/json"}).json()["images"]
    expected = sampler(seeds=[3, 1, 4])
    assert [(pixels_of(base64.b64decode(one["data"])) == expected[i]).all() for i, one in enumerate(single)] == [
        True
    ] * 3
    one = generators.post("/api/sample", json={"seeds": [3], "label": "dog", "truncation": 0.5})
    assert (pixels_of(one.content) == sampler(seeds=[3], label="dog", truncation=0.5)[0]).all()


def test_latent_vectors_in_place_of_seeds(generators, root):
    sampler = Sampler.load(root / "faces", "cpu")
    z = sampler.latents([5, 6]).tolist()
    answer = generators.post("/api/sample", json={"z": z, "label": "cat"}, headers={"Accept": "application/json"})
    images = [pixels_of(base64.b64decode(one["data"])) for one in answer.json()["images"]]
    assert (np.stack(images) == sampler(seeds=[5, 6], label="cat")).all()


@pytest.mark.parametrize(
    ("wanted", "line"),
    [
        ({"seeds": []}, "no seeds are given"),
        ({"seeds": [-1]}, "seeds.0: "),
        ({"seeds": list(range(300))}, "seeds: "),
        ({"label": "cow"}, "the model knows no class 'cow'"),
        ({"truncation": -1}, "truncation -1.0 is out of range"),
        ({"z": [[1.0]]}, "z should be lists of 8 numbers"),
        ({"seeds": "x"}, "seeds: "),
    ],
)
def test_wrong_requests_get_a_line(generators, wanted, line):
    answer = generators.post("/api/sample", json=wanted)
    assert answer.status_code == 400 and answer.json()["error"].startswith(line)


def test_a_sketch_is_what_make_sketches_draws(generators, tmp_path):
    source = photo(tmp_path / "in" / "x.jpg", 3, (64, 80))
    make_sketches(source.parent, tmp_path / "out", progress=False, device="cpu")
    answer = generators.post("/api/sketch", files={"image": ("x.jpg", source.read_bytes())})
    assert answer.content == (tmp_path / "out" / "x.png").read_bytes()
    wrong = generators.post("/api/sketch", files={"image": ("x.jpg", source.read_bytes())}, data={"detail": 3})
    assert wrong.status_code == 400 and "detail" in wrong.json()["error"]
