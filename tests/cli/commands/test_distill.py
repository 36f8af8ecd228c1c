import json
import shutil

import pytest

from tests.cli.test_run import call, complaint
from tests.training.test_loop import make_config
from translate import Translator
from translate.checkpoints.model_file import read_recipe
from translate.export.students import search
from translate.training.loop import train

QUICK = ["--steps", "2", "--device", "cpu", "--precision", "fp32"]


@pytest.fixture(autouse=True)
def any_time_will_do(monkeypatch):
    """Let the clock say what the test needs: the search itself is tested elsewhere."""
    monkeypatch.setattr(search, "shortest_in_turns", lambda passes, *_, **__: {"teacher": 1.0, "student": 0.1})


@pytest.fixture
def teacher(two_folders, tmp_path, tiny):
    larger = {"generator": {"width": 32, "trunk": 32}}
    train_options = {"steps": 1, "previews": 0, "evaluations": 0}
    return train(make_config(two_folders, tmp_path / "runs" / "teacher", tiny, train=train_options, **larger))


def test_a_student_from_the_pictures_of_the_run(teacher, capsys, tmp_path):
    file = tmp_path / "comparison.json"
    words = ["--model", teacher, "--speedup", "2", *QUICK, "--json", file]
    status, out, err = call(capsys, "distill", *words)
    assert status == 0, err
    run = teacher.parent / "teacher_student"
    assert "student compact_resnet (width" in err and "times fewer multiplications" in err
    assert "as fast" in out and "reds -> blues: PSNR to the teacher" in out and (run / "student.png").is_file()
    found = json.loads(file.read_text())
    assert found["multiplications"][0] >= 2 * found["multiplications"][1] and len(found["nearness"]) == 2
    assert Translator.load(run, device="cpu").recipe.directions == ("ab", "ba")
    # the same command resumes, without another search
    status, out, err = call(capsys, "distill", *words)
    assert status == 0 and "is complete: 2 steps" in err and "compact_resnet" not in err
    status, line = complaint(capsys, "distill", "--model", teacher, "--speedup", "3", *QUICK)
    assert status == 2 and "method.speedup = 3.0 (was 2.0)" in line


def test_a_student_of_a_file_from_sources_alone(teacher, two_folders, capsys, tmp_path):
    (tmp_path / "sent").mkdir()
    file = shutil.copy(teacher / "model.safetensors", tmp_path / "sent" / "model.safetensors")
    status, line = complaint(capsys, "distill", "--model", file, *QUICK)
    assert status == 2 and "lies in no run folder; say what the student learns from: --a X --b Y, --data X, or" in line
    words = ["--model", file, "--speedup", "2", "--images", two_folders[0], "--out", tmp_path / "s", *QUICK]
    status, out, err = call(capsys, "distill", *words)
    assert status == 0, err
    recipe = read_recipe(tmp_path / "s" / "model.safetensors")
    assert (recipe.task, recipe.directions, list(recipe.nets)) == ("cycle", ("ab",), ["G_ab"])
    assert "no pictures of the target are known" in out


def test_one_way(teacher, capsys):
    status, _, err = call(capsys, "distill", "--model", teacher, "--speedup", "2", "--one-way", *QUICK)
    assert status == 0, err
    assert list(read_recipe(teacher.parent / "teacher_student" / "model.safetensors").nets) == ["G_ab"]


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        ("--speedup 1", 2, "--speedup should lie between 1.5 and 1000, got 1"),
        ("--speedup 900", 2, "--speedup 900 is out of reach here: the smallest student has"),
        ("--images x --a y", 2, "--images are sources alone; leave out --a, --b and --data, or --images"),
        ("--minutes 0", 2, "--minutes should be above 0"),
        ("--steps 2 --minutes 3", 2, "give one of --steps, --epochs and --minutes"),
        ("--images nowhere", 1, "nowhere"),
        ("--weights best", 1, "holds no best.safetensors"),
        ("--spedup 3", 2, "did you mean '--speedup'"),
    ],
)
def test_mistakes_are_told_in_a_line(teacher, capsys, words, status, message):
    found, line = complaint(capsys, "distill", "--model", teacher, *words.split())
    assert (found, message in line) == (status, True), line


def test_models_that_do_not_translate(capsys, tmp_path, monkeypatch):
    assert "nowhere: no such model" in complaint(capsys, "distill", "--model", "nowhere")[1]
