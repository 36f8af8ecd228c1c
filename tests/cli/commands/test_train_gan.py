import cv2
import pytest

from tests.conftest import picture
from translate.checkpoints.model_file import read_recipe
from translate.cli.run import main

TINY = (
    *("--steps", "2", "--batch-size", "4", "--size", "32", "--previews", "1", "--precision", "fp32"),
    *("--generator.width", "4", "--generator.most", "8", "--discriminator.width", "4", "--discriminator.most", "8"),
    *("--channels_last", "off"),
)


@pytest.fixture
def pets(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for k, name in enumerate(("cats", "dogs")):
        (tmp_path / "pets" / name).mkdir(parents=True)
        for i in range(10):
            cv2.imwrite(str(tmp_path / "pets" / name / f"{i}.png"), picture(100 * k + i, 32, 32))
    return tmp_path / "pets"


def run(words, capsys):
    with pytest.raises(SystemExit) as ended:
        main("train-gan", words)
    return ended.value.code, capsys.readouterr()


def test_labels_and_progressive_growing(pets, capsys):
    status, said = run(["--images", "pets", "--labels", "--grow", *TINY], capsys)
    assert status == 0, said.err
    recipe = read_recipe(pets.parent / "runs" / "pets" / "model.safetensors")
    assert recipe.facts == {"classes": ["cats", "dogs"]}
    assert recipe.nets["G"]["grow"] is True
    assert "tools/sample.py --model runs/pets" in said.out


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        ("", 2, "no pictures given"),
        ("--labels", 2, "no pictures given"),
        ("--images pets/cats --labels", 2, "label"),
        ("--images one --labels", 2, "one class"),
        ("--images pets --labels nowhere.csv", 1, "nowhere.csv"),
        ("--images nowhere", 1, "nowhere"),
        ("--images pets --batch-size 64", 2, "fewer than a batch of 64; say --batch-size"),
        ("--images pets --size 64", 2, "smaller than 64 px"),
        ("--images pets --size 48", 2, "not 48; say --size 64"),
        ("--images pets --grow 2", 2, "--grow is the part of the run in which the networks grow, 0 to 0.9, not 2"),
        ("--images pets --preset drift --batch-size 1", 2, "--batch-size 1: drifting needs at least 2"),
        ("--images pets --preset drift --method.group 1", 2, "--group should be at least 2 pictures, got 1"),
        ("--images pets --preset drift --queue 1", 2, "--queue should be at least 2 pictures, got 1"),
        ("--images pets --preset drift --netD residual", 2, "trains without a discriminator; leave it out"),
        ("--images pets --preset drift --features nowhere.pth", 1, "nowhere.pth: no such features"),
        ("--images pets --preset drift --size 48", 2, "not 48; say --size 64"),
        ("--images pets --preset drift --z-dim 0", 2, "--z-dim should be at least 1, got 0"),
        ("--images pets --preset drift --grow", 2, "unknown option method.grow"),
        ("--images pets --netG unet", 2, "unknown generator 'unet'; choose from"),
        ("--images pets --a pets", 2, "here give --images alone"),
    ],
)
def test_mistakes_are_one_line_errors(pets, capsys, words, status, message):
    (pets.parent / "one").mkdir()
    (pets / "cats").rename(pets.parent / "one" / "cats") if "one" in words else None
    given, said = run(
        [*words.split(), "--steps", "1", *([] if "batch-size" in words else ["--batch-size", "4"])], capsys
    )
    error = said.err.strip().splitlines()[-1]
    assert message in error
    assert given == status
    assert "Traceback" not in said.err
