"""The endpoints of trainings: a real one is started, watched, stopped, and resumed, in a process of its own."""

import io
import json
import os
import time
import zipfile
from dataclasses import asdict

import cv2
import psutil
import pytest
from fastapi.testclient import TestClient

from tests.conftest import picture
from translate.studio.app import create_app
from translate.studio.settings import Settings
from translate.utils.locks import Holder, holder_of

TINY = """
generator.width = 8
generator.trunk = 8
generator.blocks = 1
discriminator = {name = "patch_34", width = 8, norm = "none"}
data.crop = 32
train = {precision = "fp32", channels_last = "off", device = "cpu", previews = 4000, log_every = 1}
"""


@pytest.fixture
def here(two_folders, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TRANSLATE_DATA", raising=False)
    return tmp_path


@pytest.fixture
def client(here):
    with TestClient(create_app(Settings(device="cpu")), base_url="http://127.0.0.1:7860") as client:
        yield client
        for process in psutil.Process().children(recursive=True):  # of a test that has failed
            process.kill()


def form(name="tiny", steps=20, further=TINY, **options):
    given = {"a": "reds", "b": "blues", "size": 32, "steps": steps} | options
    return {"task": "cycle", "name": name, "options": given, "further": further}


def wait_for(client, name, condition, seconds=90):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        run = client.get(f"/api/runs/{name}").json()
        if condition(run):
            return run
        assert run["state"] != "failed", run
        time.sleep(0.1)
    raise AssertionError(run)


def test_a_training_is_started_watched_stopped_and_resumed(client, here):
    # start: 4000 steps would take minutes
    answer = client.post("/api/train", json=form(steps=4000))
    assert answer.status_code == 200, answer.text
    command = answer.json()["command"]
    assert command.startswith("python tools/train_cycle.py --a reds --b blues --size 32 --steps 4000 ")
    assert client.get("/api/runs/tiny").json()["state"] == "starting"
    assert client.post("/api/train", json=form()).status_code == 409
    # watch
    run = wait_for(client, "tiny", lambda run: run["step"] >= 3)
    assert run["state"] == "training" and run["command"] == command and run["steps"] == 4000
    assert client.get("/api/runs").json()["runs"][0]["name"] == "tiny"
    holder = holder_of(here / "runs/tiny/.lock")
    assert os.getsid(holder.process) == holder.process != os.getsid(0), "it has a session of its own"
    assert client.post("/api/runs/tiny/resume").status_code == 409
    assert run["curves"]["losses"] and 1 in run["samples"]
    sheet = client.get("/api/runs/tiny/samples/1.png")
    assert sheet.headers["content-type"] == "image/png" and sheet.content.startswith(b"\x89PNG")
    assert client.get("/api/runs/tiny/samples/3999.png").status_code == 404
    # stop
    assert client.post("/api/runs/tiny/stop").status_code == 200
    run = wait_for(client, "tiny", lambda run: run["state"] == "stopped")
    assert run["reason"].startswith("saved at step ") and run["model"]
    assert not psutil.pid_exists(holder.process), "no zombie is left"
    assert client.post("/api/runs/tiny/stop").status_code == 409
    assert [one["name"] for one in client.get("/api/models").json()["models"]] == ["tiny"]
    # go on, and let another server find it
    saved = run["step"]
    assert client.post("/api/runs/tiny/resume").json() == {"name": "tiny"}
    with TestClient(create_app(Settings(device="cpu")), base_url="http://127.0.0.1:7860") as other:
        run = wait_for(other, "tiny", lambda run: run["state"] == "training" and run["step"] > saved)
        assert other.post("/api/runs/tiny/stop").status_code == 200
        wait_for(other, "tiny", lambda run: run["state"] == "stopped")
    assert "resuming at step" in "\n".join(run["log"])


def test_a_training_that_fails_says_why(client, here):
    for path in (here / "blues").glob("*.png"):
        path.write_bytes(b"no picture")
    assert client.post("/api/train", json=form()).status_code == 200
    end = time.monotonic() + 60
    while (run := client.get("/api/runs/tiny").json())["state"] in ("starting", "training") and time.monotonic() < end:
        time.sleep(0.1)
    assert run["state"] == "failed" and "blues" in run["reason"], run


def test_wrong_forms_are_answered_in_a_line_and_start_nothing(client, here):
    for wrong in (form(name="a/b"), form(a="/etc"), form(further="x"), form(steps="many"), {"task": "x"}):
        answer = client.post("/api/train", json=wrong)
        assert answer.status_code == 400 and set(answer.json()) == {"error"}, answer.text
        assert "\n" not in answer.json()["error"]
        assert client.post("/api/train/command", json=wrong).json() == answer.json()
    assert not (here / "runs").exists()
    (here / "runs").write_text("a file")
    answer = client.post("/api/train", json=form())
    assert answer.status_code == 400 and "cannot be written" in answer.json()["error"]
    (here / "runs").unlink()
    for path in ("/api/runs/..%2fx", "/api/runs/none", "/api/runs/none/samples/1.png"):
        assert client.get(path).status_code == 404
    assert client.post("/api/runs/none/stop").status_code == 404


def test_a_run_that_names_a_plugin_is_not_resumed_by_a_click(client, here):
    folder = here / "runs" / "evil"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text('task = "cycle"\npreset = "fast"\nplugins = ["evil.py"]\n[plan]\nsteps = 5\n')
    answer = client.post("/api/runs/evil/resume")
    assert answer.status_code == 400 and "--plugin evil.py" in answer.json()["error"]


def test_a_lock_that_names_a_process_stops_nothing(client, here):
    folder = here / "runs" / "sent"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text("")
    (folder / ".lock").write_text(json.dumps(asdict(Holder.this_process())))
    assert client.get("/api/runs/sent").json()["state"] == "stopped"
    assert client.post("/api/runs/sent/stop").status_code == 409


def test_data_is_browsed_uploaded_and_checked(client, here):
    top = client.get("/api/folders").json()
    assert [(one["name"], one["pictures"]) for one in top["folders"]] == [("blues", 11), ("reds", 12)]
    assert client.get("/api/folders", params={"path": "/etc"}).status_code == 400
    pack = io.BytesIO()
    with zipfile.ZipFile(pack, "w") as archive:
        for i in range(12):
            archive.writestr(f"{i}.png", cv2.imencode(".png", picture(i))[1].tobytes())
        archive.writestr("13.png", b"broken")
    answer = client.post("/api/folders", files={"archive": ("greens.zip", pack.getvalue())})
    assert answer.json()["path"] == "data/uploads/greens" and answer.json()["pictures"] == 13
    report = client.post("/api/check", json=form(a="data/uploads/greens", b="reds")).json()
    assert [part["pictures"] for part in report["parts"] if part["split"] == "train"]
    broken = [one for one in report["findings"] if one["kind"] == "unreadable"]
    assert broken and broken[0]["problem"] and broken[0]["files"] == ["13.png"]
    assert client.post("/api/check", json=form(a="/etc")).status_code == 400
    assert client.post("/api/check", json={"task": "cycle"}).status_code == 400
