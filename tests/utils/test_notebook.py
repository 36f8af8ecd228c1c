"""Bars and sample grids in a notebook, whose IPython is replaced by one that records what is displayed."""

import sys
import types

import cv2
import numpy as np
import pytest

from tests.conftest import TINY
from tests.training.test_loop import make_config
from translate.training.loop import train
from translate.utils.errors import UserError
from translate.utils.progress import counting_spinner, in_notebook, progress_bar, track


class Handle:
    """The handle of a displayed output: `shown` are the objects that it has shown, the last still."""

    def __init__(self, shown):
        self.shown = [shown]

    def update(self, shown):
        self.shown.append(shown)


@pytest.fixture
def outputs(monkeypatch):
    """Run in a notebook; return the list of outputs below the cell."""
    outputs = []
    shell = types.SimpleNamespace(kernel=object())
    ipython, display = types.ModuleType("IPython"), types.ModuleType("IPython.display")

    def show(shown, display_id):
        outputs.append(Handle(shown))
        return outputs[-1]

    ipython.get_ipython, ipython.display, display.display = lambda: shell, display, show
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    return outputs


def test_a_notebook_is_recognised(outputs, monkeypatch):
    assert in_notebook()
    monkeypatch.setattr(sys.modules["IPython"], "get_ipython", lambda: object())  # IPython in a terminal
    assert not in_notebook()
    monkeypatch.delitem(sys.modules, "IPython")
    assert not in_notebook() and "IPython" not in sys.modules


def test_a_bar_is_one_output_that_is_updated_in_place(outputs, capfd):
    with progress_bar("reading <1>", 10_000) as bar:
        for _ in range(10_000):
            bar.advance()
    assert len(outputs) == 1 and 2 <= len(outputs[0].shown) < 100
    first, last = outputs[0].shown[0], outputs[0].shown[-1]
    assert "10000/10000" in repr(last) and "reading <1>" in repr(last) and "10000/10000" not in repr(first)
    assert "reading &lt;1&gt;" in last._repr_html_() and last._repr_html_().startswith("<pre")
    assert capfd.readouterr() == ("", "")


def test_a_transient_bar_leaves_nothing(outputs, capfd):
    with counting_spinner(True):
        assert list(track(range(5), "decoding", 5)) == [0, 1, 2, 3, 4]
    assert len(outputs) == 1 and "decoding" in repr(outputs[0].shown[0]) and repr(outputs[0].shown[-1]) == ""
    assert capfd.readouterr() == ("", "")


def test_a_hidden_bar_shows_nothing(outputs):
    with progress_bar("reading", 10, shown=False) as bar:
        bar.advance()
    assert not outputs


def test_training_shows_a_bar_and_the_newest_grid(outputs, two_folders, tmp_path, capfd):
    out = train(make_config(two_folders, tmp_path / "r", TINY, train={"steps": 6, "log_every": 2, "previews": 3}))
    bars = [one for one in outputs if hasattr(one.shown[-1], "_repr_html_") and "6/6" in repr(one.shown[-1])]
    assert len(bars) == 1 and "G/cycle" in repr(bars[0].shown[-1])
    [grids] = [one.shown for one in outputs if hasattr(one.shown[-1], "_repr_png_")]
    files = sorted((out / "samples").glob("step_*.png"))
    assert len(grids) == len(files) == 3
    for shown, file in zip(grids, files, strict=True):
        assert (np.asarray(shown) == cv2.imread(str(file))[..., ::-1]).all()
    assert "step 6/6" not in capfd.readouterr().err  # the bar has it


def test_an_error_of_the_user_is_one_line_in_a_notebook():
    assert UserError("x.png: is empty")._render_traceback_() == ["UserError: x.png: is empty"]
