import pytest
import torch

from tests.export.students.test_cost import built
from translate.export.students import search
from translate.export.students.search import candidates, find_student
from translate.inference.precision import Mode
from translate.utils.errors import OptionError, UserError

CPU, MODE = torch.device("cpu"), Mode("fp32")


def timed_by(monkeypatch, seconds):
    """Let `seconds(passes)` stand for the clock; return the list of what was timed."""
    seen = []

    def shortest(passes, device, **limits):
        seen.append(passes)
        return seconds(len(seen))

    monkeypatch.setattr(search, "shortest_in_turns", shortest)
    return seen


def test_the_largest_student_that_is_fast_enough_is_chosen(monkeypatch):
    teacher = built("skip_resnet")
    seen = timed_by(monkeypatch, lambda n: {"teacher": 1.0, "student": 0.5 if n < 4 else 0.4})
    found = find_student(teacher, 64, 5.0, MODE, CPU)
    assert len(seen) == 4  # three were too slow
    assert found.fewer >= 5 and found.faster == pytest.approx(2.5)
    assert found.spec["name"] == "compact_resnet" and found.spec["norm"] == "instance"
    assert "times fewer multiplications, 2.5 times as fast here" in str(found)


def test_a_speedup_is_one_of_multiplications_too(monkeypatch):
    timed_by(monkeypatch, lambda n: {"teacher": 1.0, "student": 0.001})
    ratios = [find_student(built("skip_resnet"), 64, s, MODE, CPU).fewer for s in (2.0, 6.0, 12.0)]
    assert all(s <= ratio < 1.5 * s for s, ratio in zip((2.0, 6.0, 12.0), ratios, strict=True))


def test_a_teacher_without_norms_has_students_without(monkeypatch):
    timed_by(monkeypatch, lambda n: {"teacher": 1.0, "student": 0.1})
    found = find_student(built("skip_style_resnet", z_dim=1), 64, 4.0, MODE, CPU)
    assert found.spec["norm"] == "none" and "z_dim" not in found.spec


def test_what_cannot_be_reached_is_told_with_what_can(monkeypatch):
    timed_by(monkeypatch, lambda n: {"teacher": 1.0, "student": 0.24})
    message = (
        "--speedup 9 is out of reach here: .* fewer multiplications, and is 4.2 times as fast; say --speedup 8.3 or"
    )
    with pytest.raises(OptionError, match=message):
        find_student(built("skip_resnet"), 64, 9.0, MODE, CPU)
    with pytest.raises(UserError, match="the model is tiny itself: the smallest student has 1.0 times fewer"):
        find_student(built("compact_resnet", width=8, trunk=16, blocks=1, fold=4), 64, 4.0, MODE, CPU)


def test_students_take_pictures_of_the_size(monkeypatch):
    assert {spec["fold"] for spec in candidates("none", 128)} == {2, 4}
    assert {spec["fold"] for spec in candidates("none", 36)} == {2}


def test_the_clock_is_real():
    found = find_student(built("resnet_9blocks", width=16, blocks=3), 64, 2.0, MODE, CPU)
    assert found.faster >= 1 and found.fewer >= 2
