"""Bars as they look in a pipe: rich draws them once, at the end, or not at all."""

import pytest

from translate.utils.progress import Bar, counting_spinner, open_progress, progress_bar, show_folder_bar, track


def test_a_bar_in_a_pipe_is_printed_once_on_stderr(capsys):
    with progress_bar("some [bold] name", 3) as bar:
        bar.advance()
        bar.advance(2)
    out, err = capsys.readouterr()
    assert not out and len(err.splitlines()) == 1
    assert err.startswith("some [bold] name ━") and "3/3" in err


@pytest.mark.parametrize("options", [{"shown": False}, {"transient": True}])
def test_hidden_and_transient_bars_leave_no_trace(capsys, options):
    with progress_bar("name", None, **options) as bar:
        bar.update(completed=1, total=2)
    with counting_spinner(False):
        pass
    assert list(track([1, 2], "name", 2)) == [1, 2]
    assert "".join(capsys.readouterr()).strip() == ""


@pytest.mark.parametrize(
    ("style", "words"),
    [("percent", "50%"), ("count", "2/4"), ("frames", "2/4 frames"), ("bytes", "2/4 bytes"), ("pictures", "2/4")],
)
def test_every_style_shows_its_columns(capsys, style, words):
    with progress_bar("name", 4, style=style) as bar:
        bar.update(completed=2)
    assert words in capsys.readouterr().err


def test_a_display_of_several_rows(capsys):
    with open_progress("training", True) as progress:
        first, second = Bar(progress, "a", 4, facts=""), Bar(progress, "b", 2, completed=1, facts="loss 0.5")
        first.update(facts="loss 0.1")
        second.advance()
    first, second = capsys.readouterr().err.splitlines()
    assert "0/4 loss 0.1" in first and "2/2 loss 0.5" in second


def test_the_bar_of_a_folder_counts_pictures_and_prints_above_itself(capsys):
    with show_folder_bar(3, True) as bar:
        bar.skip()
        bar.advance()
        bar.show_large("streaming [x]", 0.0)
        bar.show_large("streaming [x]", 0.5)
        bar.print("failed: y")
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == ["streaming [x]", "failed: y"]
    assert "1/2" in lines[2] and "50/100" in lines[3]
    with show_folder_bar(3, False) as bar:
        bar.print("failed: y")
    assert "".join(capsys.readouterr()).strip() == ""
