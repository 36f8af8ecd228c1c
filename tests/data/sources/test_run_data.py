import cv2
import numpy as np
import pytest

from translate.data.sources.run_data import run_images, run_pairs
from translate.utils.errors import OptionError, UserError

NAMES = ("bar", "disc", "ring")


def write(folder, count):
    """Noise, 8 px."""
    folder.mkdir(parents=True)
    for i in range(count):
        cv2.imwrite(str(folder / f"{i:03d}.png"), np.random.default_rng(i).integers(0, 255, (8, 8, 3), np.uint8))


def test_run_pairs_finds_the_pairs_of_a_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "discs"
    for part, count in (("train", 12), ("test", 6)):
        for side in "AB":
            write(root / f"{part}{side}", count)
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.toml").write_text(f'[data]\nroot = "{root}"\ndirection = "ba"\n')
    found = run_pairs(run, direction="ba")
    assert (found.title, found.names, len(found.test)) == ("discs_ba", ("discsB", "discsA"), 6)
    assert run_pairs(run / "model.safetensors").title == "discs"
    given = run_pairs(run, a=str(root / "trainA"), b=str(root / "trainB"))
    assert len(given.train) == 12
    with pytest.raises(OptionError, match="lies in no run folder"):
        run_pairs(tmp_path / "elsewhere.safetensors")


def test_run_data_reads_the_configuration_of_a_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in NAMES:
        write(tmp_path / "shapes" / name, 10)
    write(tmp_path / "others", 30)
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.toml").write_text('[data]\nimages = "shapes"\nclasses = "auto"\n')
    for model in (run, run / "model.safetensors"):
        assert run_images(model, labelled=True).classes == NAMES
    assert run_images(run, "shapes", labelled=True).classes == NAMES
    assert run_images(tmp_path, "shapes", labelled=True).classes == NAMES
    assert run_images(tmp_path, "shapes").classes == ()
    assert run_images(run, "others", labelled=True).title == "others"
    with pytest.raises(OptionError, match="lies in no run folder; say what to score it on: --images X"):
        run_images(tmp_path)
    with pytest.raises(UserError, match="nowhere"):
        run_images(run, "nowhere", labelled=True)
