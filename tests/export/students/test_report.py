import json

import cv2
import numpy as np
import pytest

from tests.conftest import picture
from translate.evaluation.evaluation import EvaluationOptions
from translate.evaluation.registry import load_evaluation
from translate.export.students.report import Nearness, compare_with_teacher
from translate.training.config import load_config
from translate.training.loop import train


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of one step on domains with test parts of 22 pictures."""
    root = tmp_path_factory.mktemp("report")
    for k, (part, count) in enumerate({"trainA": 4, "trainB": 4, "testA": 22, "testB": 22}.items()):
        (root / "data" / part).mkdir(parents=True)
        for i in range(count):
            cv2.imwrite(str(root / "data" / part / f"{i}.png"), picture(100 * k + i, 32, 32))
    small = {
        "generator": {"name": "skip_resnet", "width": 8, "trunk": 8, "blocks": 1},
        "discriminator": {"name": "patch_34", "width": 8, "norm": "none"},
        "data": {"crop": 32, "size": 32, "root": str(root / "data")},
        "train": {"precision": "fp32", "channels_last": "off", "device": "cpu", "previews": 0, "steps": 1},
    }
    return train(load_config("cycle", "fast", small, out=str(root / "run")))


def test_a_model_is_its_own_best_student(run):
    report = compare_with_teacher(run, run, "cpu", "fp32", progress=False)
    assert [near.title for near in report.nearness] == ["dataA -> dataB", "dataB -> dataA"]
    assert all(near.psnr == 100 and near.student == near.teacher and near.pictures == 22 for near in report.nearness)
    assert report.multiplications[0] == report.multiplications[1] > 0
    assert report.parameters[0] == report.parameters[1] and report.bytes[0] == report.bytes[1]
    assert 0.3 < report.speedup < 3
    assert report.sheet is not None and report.sheet.shape == (2 * 3 * 34 - 2, 6 * 34 - 2, 3)
    assert json.loads(json.dumps(report.to_dict()))["nearness"][0]["psnr"] == 100


def test_kernel_distances_are_those_of_evaluate(run):
    report = compare_with_teacher(run, run, "cpu", "fp32", progress=False)
    scores = load_evaluation(EvaluationOptions(model=str(run), device="cpu", precision="fp32")).run(progress=False)
    for near, way in zip(report.nearness, scores.to_dict()["directions"], strict=True):
        row = next(row for row in way["rows"] if row["name"] == "this model")
        kernel = next(iter(row["kernels"].values()))
        assert near.student == pytest.approx((kernel["value"], kernel["error"]), rel=1e-4)


def test_the_words_of_a_direction():
    near = Nearness(title="a -> b", pictures=9, psnr=31.26, teacher=(40.0, 2.0), student=(44.0, 2.5))
    words = (
        "a -> b: PSNR to the teacher 31.3 dB, on 9 held-out pictures; kernel distance 44.0 ± 2.5, the teacher's 40.0"
    )
    assert str(near) == words + " ± 2.0, +10%"
    assert "%" not in str(Nearness(title="", pictures=9, psnr=31.0, teacher=(1.0, 2.0), student=(4.0, 2.5)))
    assert str(Nearness(title="a", pictures=9, psnr=31.0, teacher=None, student=None)).endswith("target are known")


def test_the_sheet_shows_source_teacher_and_student(run):
    report = compare_with_teacher(run, run, "cpu", "fp32", progress=False)
    first = cv2.cvtColor(cv2.imread(str(run.parent / "data" / "testA" / "0.png")), cv2.COLOR_BGR2RGB)
    assert np.array_equal(report.sheet[:32, :32], first)
    assert np.array_equal(report.sheet[34:66], report.sheet[68:100])  # the answers of both
