import cv2
import pytest

from tests.conftest import TINY, picture
from translate import load_config, train
from translate.reports.resources import ResourceMeter

HOSTILE = "<script>alert(1)</script>&\"'.png".replace("/", "_")  # a file name


def train_tiny(folder, data, seed=0, **method):
    """Train a tiny run, as a training command does."""
    meter = ResourceMeter()
    layer = {"data": {"root": str(data)}, "out": str(folder), "train": {"seed": seed}, "method": method}
    train(load_config("cycle", "fast", TINY, layer))
    meter.record(folder, TINY["train"]["steps"])
    return folder


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    """Three tiny runs on two folders: two seeds of a recipe, and another recipe; a held-out file has a hostile name."""
    root = tmp_path_factory.mktemp("reports")
    for side, channel in (("A", 2), ("B", 0)):
        for part, count in (("train", 6), ("test", 4)):
            (root / "colours" / f"{part}{side}").mkdir(parents=True)
            for i in range(count):
                pixels = picture(1000 * channel + i + 100 * (part == "test"), 40, 40)
                pixels[..., channel] = 255 - pixels[..., channel] // 3
                last = (side, part, i) == ("A", "test", count - 1)
                cv2.imwrite(str(root / "colours" / f"{part}{side}" / (HOSTILE if last else f"{i}.png")), pixels)
    data = root / "colours"
    return [
        train_tiny(root / "runs" / "tiny_seed0", data),
        train_tiny(root / "runs" / "tiny_seed1", data, seed=1),
        train_tiny(root / "runs" / "half", data, lambda_cycle=2.5),
    ]


@pytest.fixture(autouse=True)
def no_package(monkeypatch):
    """The panel without EfficientNet-Lite0, for speed."""
    monkeypatch.setattr("translate.evaluation.panel.PACKAGE", "no_such_package")
