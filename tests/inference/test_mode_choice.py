import threading

import numpy as np
import pytest
import torch

from tests.inference.test_precision import RECIPE, generators
from translate.inference import runner
from translate.inference.precision import Mode
from translate.inference.translator import Translator

IMAGE = np.random.default_rng(0).integers(0, 256, (40, 48, 3), np.uint8)
FAST, SLOW = Mode("bf16"), Mode("fp32", channels_last=False)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "translate" / "inference"


@pytest.fixture
def trials(monkeypatch):
    """A machine whose trials come to the modes in this list, in turn."""
    outcomes = [FAST, SLOW, FAST, SLOW]

    def pick(prepare, device, size):
        mode = outcomes.pop(0)
        return mode, f"{mode}: timed"

    monkeypatch.setattr(runner, "pick_mode", pick)
    return outcomes


def auto(seed=0):
    return Translator(RECIPE, generators(seed), precision="auto")


def test_every_start_computes_the_same_bits(trials, cache):
    first, again = auto(), auto()
    assert (first(IMAGE) == again(IMAGE)).all() and first.mode == again.mode == FAST and len(trials) == 3
    (file,) = cache.iterdir()
    assert first.note == f"{FAST}: timed (timed now; remembered in {file})"
    assert again.note.startswith(f"{FAST}: timed (chosen by the times of 20")
    assert again.note.endswith(f"; delete {file} to time again)")
    file.unlink()
    assert auto().mode == SLOW


def test_other_weights_are_timed_by_themselves(trials):
    assert auto().mode == FAST and auto(seed=1).mode == SLOW and auto().mode == FAST


def test_nothing_is_measured_before_the_first_picture(trials):
    said = []
    translator = auto()
    translator.runner.mode_choice.on_choice = said.append
    other = translator.with_norm_statistics("frozen")
    assert translator.request("ba") and translator.note == "" and len(trials) == 4
    other(IMAGE)
    assert said == [other.note] == [translator.note] and translator.mode == FAST and len(trials) == 3


def test_the_limit_of_the_memory_is_checked_without_a_measurement(trials, monkeypatch):
    translator = Translator(RECIPE, generators(), precision="auto", memory=10**10)
    monkeypatch.setattr(translator.runner, "_measure_bytes_per_pixel", lambda: pytest.fail("measured"))
    translator.runner.memory.check_limit()
    assert len(trials) == 4


def test_threads_agree_on_the_mode(trials):
    translator, modes = auto(), []

    def work():
        torch.set_num_threads(1)
        modes.append(translator.mode)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert modes == [FAST] * 4 and len(trials) == 3


def test_the_choice_of_a_process_that_was_faster_counts(trials, monkeypatch):
    other = auto()
    picked = runner.pick_mode

    def pick_after_the_other(*arguments):
        monkeypatch.setattr(runner, "pick_mode", picked)
        assert other.mode == FAST
        return picked(*arguments)

    monkeypatch.setattr(runner, "pick_mode", pick_after_the_other)
    assert auto().mode == FAST and len(trials) == 2


@pytest.mark.parametrize(
    "fact", ["[]", "{", '{"fact": {"mode": "bf16", "tried": ""}}', '{"fact": {"mode": ["fp16", 1]}}']
)
def test_a_damaged_memory_counts_as_none(trials, cache, fact):
    assert auto().mode == FAST
    for file in cache.iterdir():
        file.write_text(fact)
    assert auto().mode == SLOW and auto().mode == SLOW


def test_a_cache_that_cannot_be_written_is_no_error(trials, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    translator = auto()
    translator(IMAGE)
    assert translator.note == f"{FAST}: timed (timed now)"


def test_the_mode_of_another_run_is_used_without_a_trial(trials):
    translator = auto()
    exact, fast = translator.with_mode(Mode("fp32")), translator.with_mode(FAST)
    asked = Translator(RECIPE, generators(), precision="bf16")
    assert (fast(IMAGE) == asked(IMAGE)).all() and (exact(IMAGE) == Translator(RECIPE, generators())(IMAGE)).all()
    assert len(trials) == 4 and exact.note == "" and (fast(IMAGE) != exact(IMAGE)).any()
    assert fast.with_mode(FAST).runner is fast.runner and asked.with_mode(FAST).runner is asked.runner
    assert translator.mode == FAST and len(trials) == 3  # its own choice, after all
