"""Damaged and malicious uploads: each is answered in a line, and the studio goes on."""

import random

from tests.campaigns.hostile_child import is_line
from tests.campaigns.hostile_files import mutate, seed_pictures
from tests.studio.studios import photo

NAMES = (
    "x\0.png",
    "../../x.png",
    "<img src=x onerror=alert(1)>.png",
    "x\r\nX-Evil: 1.png",
    "\u202egnp.png",
    "\udcff.png",
)


def test_two_hundred_hostile_uploads(studio):
    chance, seeds = random.Random(0), seed_pictures()
    others = [data for _, data in seeds]
    refused = 0
    for i in range(200):
        suffix, data = seeds[i % len(seeds)]
        upload = (f"{i}{suffix}", mutate(data, others, chance))
        answer = studio.post("/api/translate", files={"image": upload}, data={"model": "monet"})
        assert answer.status_code in (200, 400, 503), answer.text
        if answer.status_code != 200:
            refused += 1
            assert is_line(answer.json()["error"]) and "/tmp" not in answer.text
    assert refused > 50
    root = studio.app.state.studio.uploads.root
    assert [path.name for path in root.iterdir()] == ["lock"]


def test_hostile_names_stay_in_their_folder_and_out_of_headers(studio, tmp_path):
    content = photo(tmp_path / "x.png").read_bytes()
    for name in NAMES:
        quoted = name.encode("utf-8", "surrogateescape").replace(b'"', b"%22")
        body = b'--b\r\nContent-Disposition: form-data; name="image"; filename="' + quoted + b'"\r\n\r\n' + content
        body += b'\r\n--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nmonet\r\n--b--\r\n'
        answer = studio.post(
            "/api/translate", content=body, headers={"Content-Type": "multipart/form-data; boundary=b"}
        )
        assert answer.status_code in (200, 400), (name, answer.text)
        assert "x-evil" not in answer.headers
        if answer.status_code == 200:
            disposition = answer.headers["content-disposition"]
            assert disposition.isascii() and "/" not in disposition and "<" not in disposition
        else:
            assert is_line(answer.json()["error"])
