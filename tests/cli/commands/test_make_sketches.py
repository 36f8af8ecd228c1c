import cv2
import numpy as np
import pytest

from tests.conftest import picture
from translate.cli import run as cli


@pytest.fixture
def photos(tmp_path):
    for i in range(3):
        (tmp_path / "photos").mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / "photos" / f"{i}.jpg"), picture(i, sigma=6.0))
    return tmp_path / "photos"


def call(capsys, *words):
    with pytest.raises(SystemExit) as exit_:
        cli.main("make-sketches", [str(word) for word in words])
    out, err = capsys.readouterr()
    return exit_.value.code or 0, out, err


def test_sketches_and_the_next_command(capsys, photos):
    out = photos.parent / "sketches"
    status, text, _ = call(capsys, "--input", photos, "--output", out)
    assert status == 0
    assert sorted(path.name for path in out.glob("[!.]*")) == ["0.png", "1.png", "2.png"]
    assert "3 sketches drawn" in text
    assert f"python tools/train_pix2pix.py --a {out} --b {photos}" in text
    status, text, _ = call(capsys, "--input", photos, "--output", out)
    assert status == 0 and "3 there already" in text
    assert "say --overwrite" in call(capsys, "--input", photos, "--output", out, "--detail", "1")[2]
    before = cv2.imread(str(out / "0.png"))
    assert call(capsys, "--input", photos, "--output", out, "--overwrite", "--detail", "1")[0] == 0
    assert not np.array_equal(before, cv2.imread(str(out / "0.png")))


def test_a_broken_photo_makes_status_1(capsys, photos):
    (photos / "bad.jpg").write_text("no picture")
    status, text, err = call(capsys, "--input", photos, "--output", photos.parent / "out")
    assert status == 1 and "3 sketches drawn" in text and "1 failed" in text
    assert "failed: " in err and "bad.jpg" in err


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        ("--input {photos} --output {photos}", 2, "choose another output folder"),
        ("--input {photos}/none --output x", 1, "none"),
        ("--input {photos} --output x --detail 7", 2, "--detail 7 is out of range"),
        ("--input {photos} --output x --min-length -1", 2, "--min-length -1"),
        ("--input {photos} --output x --detial 1", 2, "did you mean '--detail'"),
        ("--input {photos}", 2, "--output"),
    ],
)
def test_mistakes_are_one_line_errors(capsys, monkeypatch, photos, words, status, message):
    monkeypatch.chdir(photos.parent)
    found, _, err = call(capsys, *words.format(photos=photos).split())
    lines = [line for line in err.splitlines() if line.startswith("error: ")]
    assert found == status and len(lines) == 1 and message in lines[0]
    assert not (photos.parent / "x").exists()
