"""Pages and comparisons of the other kinds of tasks, on the tiny untrained models of the tests of `evaluate`."""

import pytest

from tests.cli.commands.test_evaluate import generated, holed, run  # noqa: F401
from tests.reports.test_page import Page
from translate.cli.run_commands import commands_of
from translate.reports.comparison import compare_runs
from translate.reports.comparison_grid import comparison_grid
from translate.reports.page import PageOptions, make_report, render_page
from translate.reports.scores import ScoreOptions
from translate.reports.trained_run import read_run


@pytest.mark.parametrize(
    ("kind", "count", "words"),
    [
        ("run", 2, ["edge F1", "mean difference to the truth, in levels of 255", "translate_folder.py"]),
        (
            "generated",
            8,
            ["real training pictures (floor)", "of the one picture to discs, by DCT", "sample.py", "seed 0"],
        ),
        ("holed", 0, ["holes of 20 to 40 %", "mean difference to the truth in the hole", "--masks FOLDER"]),
    ],
)
def test_every_kind_has_a_page_and_a_grid(request, kind, count, words):
    folder = request.getfixturevalue(kind)
    options = PageOptions(scores=ScoreOptions(device="cpu", precision="fp32", count=count))
    record = read_run(folder)
    report = make_report(record, options)
    page = Page(render_page(report, options, commands_of(record)))
    assert not report.problem
    for word in words:
        assert word in page.text, word
    (answers,) = report.answers
    assert len(page.all("img")) == 2 * min(4, len(answers.answers) // 2) * (1 if kind == "generated" else 3)
    comparison = compare_runs([folder], options.scores)
    assert comparison.runs[0].measures
    sheet, titles = comparison_grid(comparison, options.scores, columns=2)
    assert len(titles) == (1 if kind == "generated" else 3) and sheet.std() > 1
