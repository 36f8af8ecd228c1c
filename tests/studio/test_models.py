"""The shelf: what there is, what each can do, and what cannot be named."""

import shutil
import threading
from pathlib import Path

import pytest

from tests.studio.studios import client, drawing, faces, inpainting, photo, save_model, sketches, unpaired
from translate.studio.settings import Settings
from translate.studio.shelf import Shelf
from translate.utils.errors import OptionError, UserError


def send(studio, file, model):
    return studio.post("/api/translate", files={"image": (file.name, file.read_bytes())}, data={"model": model})


def test_every_model_says_what_it_can_do(tmp_path):
    for name, made in (("monet", unpaired()), ("shoes", sketches()), ("fill", inpainting()), ("faces", faces())):
        save_model(tmp_path / name, *made)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "model.safetensors").write_bytes(b"no model")
    (tmp_path / "empty").mkdir()
    with client(roots=(tmp_path,)) as studio:
        models = {one.pop("name"): one for one in studio.get("/api/models").json()["models"]}
    assert set(models) == {"monet", "shoes", "fill", "faces", "broken"}
    assert models["broken"]["error"].startswith("cannot be read as a model") and models["broken"]["pages"] == []
    pages = {name: one["pages"] for name, one in models.items()}
    assert pages == {"monet": ["translate"], "shoes": ["draw", "translate"], "fill": ["fill"], "faces": ["generate"],
                     "broken": []}  # fmt: skip
    shoes, monet = models["shoes"], models["monet"]
    assert (shoes["latent"], shoes["many"], shoes["hints"], shoes["directions"]) == (True, True, True, ["ab"])
    assert (monet["latent"], monet["many"], monet["hints"], monet["directions"]) == (False, False, False, ["ab", "ba"])
    assert monet["step"] == 3 and monet["size"] == 32 and monet["domains"] == ["photos", "monet"]
    assert models["faces"]["labels"] == ["cat", "dog"] and models["fill"]["many"]


@pytest.mark.parametrize(
    "name",
    ["../secret", "/etc", "monet/../monet", "monet\0", "monet/", ".", "..", "%2e%2e/secret", "outside", "a" * 9999],
)
def test_a_model_is_a_name_and_no_path(tmp_path, name):
    runs = tmp_path / "runs"
    save_model(runs / "monet", *unpaired())
    save_model(tmp_path / "secret", *unpaired())
    (runs / "outside").symlink_to(tmp_path / "secret")
    (runs / "file").mkdir()
    (runs / "file" / "model.safetensors").symlink_to(tmp_path / "secret" / "model.safetensors")
    with client(roots=(runs,)) as studio:
        answer = send(studio, photo(tmp_path / "x.png"), name)
        assert [one["name"] for one in studio.get("/api/models").json()["models"]] == ["monet"]
    assert answer.status_code == 404 and answer.json()["error"].startswith("there is no model")


def test_a_model_that_is_given_stands_beside_the_runs(tmp_path):
    save_model(tmp_path / "runs" / "monet", *unpaired())
    other = save_model(tmp_path / "elsewhere" / "shoes", *sketches())
    shutil.copy(other / "model.safetensors", tmp_path / "boots.safetensors")
    shelf = Shelf(Settings(roots=(tmp_path / "runs",), models=(other, tmp_path / "boots.safetensors")))
    assert set(shelf.files()) == {"monet", "shoes", "boots"}
    with pytest.raises(OptionError, match=r"are both called 'shoes'; rename a folder"):
        Shelf(Settings(models=(other, save_model(tmp_path / "more" / "shoes", *sketches()))))
    with pytest.raises(UserError, match="no such model"):
        Shelf(Settings(models=(tmp_path / "nothing",)))


def test_a_model_on_the_hub_is_called_as_there(tmp_path, monkeypatch):
    cached = save_model(tmp_path / "snapshots" / "c0ffee", *unpaired()) / "model.safetensors"
    monkeypatch.setattr("translate.checkpoints.model_file.fetch_model", lambda name: cached)
    shelf = Shelf(Settings(roots=(), models=(Path("hf://ada/monet@main"),)))
    assert shelf.files() == {"monet": cached} and shelf.translator("monet").recipe.domains == ("photos", "monet")


def test_a_model_trained_anew_is_loaded_anew_and_no_request_fails(tmp_path):
    save_model(tmp_path / "monet", *unpaired(0))
    source, failed, stop = photo(tmp_path / "x.png"), [], threading.Event()
    with client(roots=(tmp_path,)) as studio:

        def keep_asking():
            while not stop.is_set():
                if send(studio, source, "monet").status_code != 200:
                    failed.append(1)

        before = send(studio, source, "monet").content
        thread = threading.Thread(target=keep_asking)
        thread.start()
        for seed in (1, 2, 3):
            save_model(tmp_path / "monet", *unpaired(seed))
        stop.set()
        thread.join()
        after = send(studio, source, "monet").content
        (tmp_path / "monet" / "model.safetensors").write_bytes(b"a file that somebody is copying")
        still = send(studio, source, "monet")
        (tmp_path / "monet" / "model.safetensors").unlink()
        gone = send(studio, source, "monet")
    with client(roots=(tmp_path,)) as studio:
        save_model(tmp_path / "monet", *unpaired(3))
        assert send(studio, source, "monet").content == after
    assert before != after and not failed and still.content == after and gone.status_code == 404


def test_the_shelf_keeps_the_models_used_last(tmp_path):
    for name in "abc":
        save_model(tmp_path / name, *unpaired())
    shelf = Shelf(Settings(roots=(tmp_path,), device="cpu", max_loaded=2))
    first = shelf.load("a")
    shelf.load("b")
    assert shelf.load("a") is first
    shelf.load("c")  # b goes
    assert shelf.load("a") is first and shelf.loaded == 2


def test_a_model_of_another_kind_is_refused_in_a_line(tmp_path):
    save_model(tmp_path / "faces", *faces())
    save_model(tmp_path / "shoes", *sketches())
    with client(roots=(tmp_path,)) as studio:
        answer = send(studio, drawing(tmp_path / "x.png"), "faces")
        assert answer.status_code == 400 and "use /api/sample" in answer.json()["error"]
        answer = studio.post("/api/sample", json={"model": "shoes"})
        assert answer.status_code == 400 and "use /api/translate" in answer.json()["error"]


@pytest.mark.parametrize("made", [unpaired, sketches, inpainting, faces])
def test_a_model_is_warmed_up(tmp_path, made):
    save_model(tmp_path / "one", *made())
    with client(roots=(tmp_path,)) as studio:
        answer = studio.post("/api/warm", json={"model": "one"})
        assert answer.status_code == 200 and answer.json()["seconds"] > 0
        assert "models_loaded 1" in studio.get("/metrics").text
