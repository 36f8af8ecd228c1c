import json
import re
import shutil
from html.parser import HTMLParser

import pytest

from tests.reports.conftest import HOSTILE
from translate.reports.page import PageOptions, format_bytes, format_duration, make_report, render_page, script_hash
from translate.reports.scores import ScoreOptions
from translate.reports.trained_run import read_run

VOID = {"meta", "img", "input", "br", "circle", "line", "polyline"}
OPTIONS = PageOptions(scores=ScoreOptions(device="cpu", precision="fp32"))


class Page(HTMLParser):
    """The elements of a page; every one that is opened must be closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.texts, self.scripts = [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        (self.scripts if self.open and self.open[-1] == "script" else self.texts).append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())


@pytest.fixture(scope="module")
def made(runs):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("translate.evaluation.panel.PACKAGE", "no_such_package")
        report = make_report(read_run(runs[0]), OPTIONS)
    return report, render_page(report, OPTIONS, [("Train <it>:", "train --a 'x & y'")])


def test_a_page_is_whole_and_asks_for_nothing_elsewhere(made):
    page = Page(made[1])
    for tag, attributes in page.elements:
        for name in ("src", "href", "data", "action", "srcset"):
            value = attributes.get(name, "#")
            assert value.startswith("#" if tag == "a" else ("#", "data:image/webp;base64,")), (tag, value)
    assert not page.all("link") and not page.all("iframe") and "url(" not in made[1] and "@import" not in made[1]
    (policy,) = [each["content"] for each in page.all("meta") if "http-equiv" in each]
    assert policy.startswith("default-src 'none'") and script_hash("".join(page.scripts)) in policy
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert {each["href"].removeprefix("#") for each in page.all("a")} == set(ids) and len(ids) == len(set(ids))
    assert all(each.get("alt") for each in page.all("img"))


def test_names_are_escaped(made):
    page = Page(made[1])
    assert HOSTILE in page.text and HOSTILE not in made[1] and len(page.scripts) == 1
    assert "Train <it>:" in page.text and "train --a 'x & y'" in page.text


def test_the_figures_are_those_of_evaluate(made):
    report, page = made[0].to_dict(), Page(made[1]).text
    scores = OPTIONS.scores.load(made[0].run.folder).run()
    assert json.loads(json.dumps(report))["scores"] == scores.to_dict()
    for part in scores.directions:
        for row in part.rows:
            assert (
                row.name in page
                and f"{row.kernels['DCT'].value:.{0 if row.kernels['DCT'].value >= 100 else 1}f}" in page
            )


def test_counts_findings_curves_and_samples_are_told(made):
    page = Page(made[1])
    for words in (
        "6 to train on",
        "4 held out",
        made[0].run.recipe.data,
        "9,736 in the model file",
        "learned from 6 only",
    ):
        assert words in page.text
    steps = [each["data-step"] for each in page.all("img") if "data-step" in each]
    (slider,) = page.all("input")
    assert steps == ["3", "6"] and (slider["min"], slider["max"], slider["value"]) == ("0", "1", "1")
    assert {each["aria-label"] for each in page.all("svg")} == {"losses of G", "losses of D", "lr"}


def test_answers_stand_from_the_best_to_the_worst(made):
    first, second = made[0].answers
    assert (first.title, second.title) == (
        "coloursA -> coloursB",
        "coloursB -> coloursA",
    ) and "DCT features" in first.measure
    scores = [answer.score for answer in first.answers]
    assert scores == sorted(scores) and len(scores) == 4
    assert (
        made[1].count("<figcaption>" + first.answers[0].example.name) == 1 or first.answers[0].example.name == HOSTILE
    )


def test_pictures_without_room_are_named(made):
    small = PageOptions(scores=OPTIONS.scores, picture_bytes=3000)
    text = render_page(made[0], small, [])
    assert sum(len(uri) for uri in re.findall(r"base64,([^\"]*)", text)) <= 3000
    assert re.search(r"For lack of room \d+ pictures are left out: .*step_0000003.png", Page(text).text)


def test_a_run_whose_pictures_are_gone_is_reported_without_scores(runs, tmp_path):
    folder = shutil.copytree(runs[0], tmp_path / "run")
    config = (folder / "config.toml").read_text()
    (folder / "config.toml").write_text(config.replace(str(runs[0].parents[1] / "colours"), str(tmp_path / "gone")))
    report = make_report(read_run(folder), OPTIONS)
    assert "Not scored: " in Page(render_page(report, OPTIONS, [])).text and "gone" in report.problem


def test_sizes_and_times_are_readable():
    assert [format_bytes(size) for size in (10, 2_500, 3e6, 4.2e9)] == ["0.0 kB", "2.5 kB", "3.0 MB", "4.2 GB"]
    assert [format_duration(time) for time in (3.4, 600, 9000)] == ["3 s", "10 min", "2.5 h"]
