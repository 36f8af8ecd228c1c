"""Uploads: their names, their size, and that they go."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from fastapi import UploadFile
from starlette.datastructures import Headers

from tests.studio.studios import client, photo
from translate.studio.uploads import PREFIX, Uploads, safe_name
from translate.utils.errors import UserError

ROOT = Path(__file__).parents[2]


def upload(name, kind=""):
    return UploadFile(None, filename=name, headers=Headers({"content-type": kind} if kind else {}))


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("x.png", "x.png"),
        ("X.PNG", "X.png"),
        ("../../etc/x.png", "x.png"),
        ("C:\\pictures\\x.jpg", "x.jpg"),
        ("/etc/passwd.png", "passwd.png"),
        ("..png", "picture.png"),
        (".png", "picture.png"),
        ("a\0b.png", "ab.png"),
        ("a\nb\x1b[31m.png", "a\\nb\\x1b[31m.png"),
        ("sch\u00f6n \u2603.png", "sch\u00f6n \u2603.png"),
        ("a" * 5000 + ".png", "a" * 100 + ".png"),
    ],
)
def test_a_name_is_one_component_with_a_known_suffix(given, name):
    assert safe_name(upload(given)).replace("\\\\", "\\") == name


def test_the_type_stands_in_for_a_missing_suffix():
    assert safe_name(upload("blob", "image/png")) == "blob.png"
    assert safe_name(upload("", "image/jpeg")) == "picture.jpg"
    for name, kind in (("x.txt", "text/plain"), ("", ""), ("x.png.exe", "")):
        with pytest.raises(UserError, match="is no picture by its name"):
            safe_name(upload(name, kind))


def test_the_folder_of_a_request_goes(studio, tmp_path):
    root = studio.app.state.studio.uploads.root
    good, bad = photo(tmp_path / "x.png").read_bytes(), b"no picture"
    for content, model in ((good, "monet"), (bad, "monet"), (good, "nothing")):
        studio.post("/api/translate", files={"image": ("x.png", content)}, data={"model": model})
        assert [path.name for path in root.iterdir()] == ["lock"]


def test_all_goes_with_the_studio(runs):
    with client(roots=(runs,)) as studio:
        root = studio.app.state.studio.uploads.root
        assert root.is_dir()
    assert not root.exists()


def test_the_uploads_of_a_killed_server_go_when_the_next_one_starts(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    code = "import os, signal; from translate.studio.uploads import Uploads; u = Uploads(); (u.root / 'x').touch();"
    code += "os.kill(os.getpid(), signal.SIGKILL)"
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == -signal.SIGKILL
    [left] = tmp_path.glob(f"{PREFIX}*")
    assert (left / "x").exists()
    one = Uploads()
    assert not left.exists()
    two = Uploads()
    assert one.root.exists() and two.root.exists()  # both are in use
    one.close()
    two.close()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_beyond_the_limit_is_refused_with_413(runs, tmp_path, chunked):
    body = (
        b'--b\r\nContent-Disposition: form-data; name="image"; filename="x.png"\r\n\r\n'
        + b"0" * 50_000
        + b"\r\n--b--\r\n"
    )
    content = (body[i : i + 1000] for i in range(0, len(body), 1000)) if chunked else body
    with client(roots=(runs,), max_bytes=20_000) as studio:
        answer = studio.post(
            "/api/translate", content=content, headers={"Content-Type": "multipart/form-data; boundary=b"}
        )
        assert answer.status_code == 413
        assert answer.json() == {
            "error": "the request is larger than 0.02 MB; send less at once, or raise --max-upload"
        }
        file = photo(tmp_path / "x.png", size=(20, 20)).read_bytes()
        assert (
            studio.post("/api/translate", files={"image": ("x.png", file)}, data={"model": "monet"}).status_code == 200
        )


@pytest.mark.parametrize(
    ("content", "kind"),
    [(b"", "multipart/form-data; boundary=b"), (b"nonsense", "multipart/form-data; boundary=b"),
     (b"nonsense", "multipart/form-data"), (b"{", "application/json"), (b"\xff", "text/plain")],
)  # fmt: skip
def test_a_broken_body_is_answered_in_a_line(studio, content, kind):
    for path in ("translate", "fill", "look", "sketch", "sample", "warm"):
        answer = studio.post(f"/api/{path}", content=content, headers={"Content-Type": kind})
        assert answer.status_code in (200, 400, 404) and (answer.status_code == 200 or list(answer.json()) == ["error"])
