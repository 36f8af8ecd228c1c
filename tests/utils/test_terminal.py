import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.progress import Progress
from rich.text import Text

from translate.utils.errors import UserError
from translate.utils.terminal import PatientConsole, as_line, escape, printable, say, set_output


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain [x] \\n", "plain [x] \\n"),
        ("a\nb\r\tc", "a\\nb\\r\\tc"),
        ("\x1b[31mred\x07\x9b", "\\x1b[31mred\\x07\\x9b"),
        ("caf\u00e9 \u65e5 \U0001f600", "caf\u00e9 \u65e5 \U0001f600"),
        ("\U0001f468\u200d\U0001f469", "\U0001f468\u200d\U0001f469"),  # a family: two emoji, joined
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("line\u2028end", "line\\u2028end"),
        (b"bytes\xff\xfe.png".decode("utf-8", "surrogateescape"), "bytes\\xff\\xfe.png"),
        ("\ud800", "\\ud800"),
    ],
)
def test_what_would_do_more_than_show_is_spelt_out(text, shown):
    assert printable(text) == shown
    assert str(UserError(f"{text}: is wrong")) == f"{shown}: is wrong"


@given(st.text(st.characters()))
def test_any_text_is_one_line_that_every_terminal_takes(text):
    shown = printable(text)
    assert shown.splitlines() == [shown][: len(shown)]
    shown.encode("utf-8")
    assert not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in shown)
    assert printable(shown) == shown
    assert Text.from_markup(f"[bold]x[/] {escape(text)}").plain == f"x {shown}"
    assert Text.from_markup(f"[bold]{escape(text)}[/] x").plain == f"{shown} x"


def test_the_end_of_a_long_line_stays():
    line = as_line("a" * 10**5 + "; try again")
    assert len(line) < 2100 and line.startswith("aaa") and line.endswith("aaa; try again")


def test_a_line_is_said(capsys):
    say("a\nb\x1b[2J\udcff")
    assert capsys.readouterr().out == "a\\nb\\x1b[2J\\xff\n"


def test_a_line_below_a_progress_bar_stands_once_in_the_log(tmp_path):
    terminal = PatientConsole(force_terminal=True, file=io.StringIO(), width=40)
    line = "a line that is longer than the terminal and than the log: " + "x" * 200
    set_output(log=str(tmp_path / "log.txt"), title="title")
    try:
        with Progress(console=terminal):
            say(line)
    finally:
        set_output()
    assert (tmp_path / "log.txt").read_text().splitlines().count(line) == 1
    assert (tmp_path / "log.txt").read_text().count("x") == line.count("x")
