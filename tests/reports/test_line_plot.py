from xml.etree import ElementTree

import pytest

from translate.reports.line_plot import (
    BOTTOM,
    HEIGHT,
    LEFT,
    MAX_POINTS,
    RIGHT,
    TOP,
    WIDTH,
    line_plot,
    round_ticks,
    thin,
)


def test_a_line_goes_through_its_points_and_names_are_escaped():
    svg = ElementTree.fromstring(line_plot({"<b>": [(0, -1.0), (50, 0.0), (100, 1.0)]}, 'a "title"'))
    (line,) = svg.iter("polyline")
    places = [tuple(map(float, pair.split(","))) for pair in line.get("points").split()]
    middle = (LEFT + (WIDTH - LEFT - RIGHT) / 2, TOP + (HEIGHT - TOP - BOTTOM) / 2)
    assert places == [(LEFT, HEIGHT - BOTTOM), pytest.approx(middle), (WIDTH - RIGHT, TOP)]
    assert line.find("title").text == "<b>" and svg.get("aria-label") == 'a "title"'
    assert [text.text for text in svg.iter("text")] == [
        "-1",
        "-0.5",
        "0",
        "0.5",
        "1",
        "0",
        "20",
        "40",
        "60",
        "80",
        "100",
    ]


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [(0, 10, [0, 2, 4, 6, 8, 10]), (0.11, 0.29, [0.1, 0.15, 0.2, 0.25, 0.3]), (3, 3, [3, 4]), (0, 0, [0, 0.2])],
)
def test_ticks_are_round_and_enclose_the_values(low, high, ticks):
    assert round_ticks(low, high) == ticks


def test_a_constant_a_single_and_a_tiny_value_are_drawn():
    for points in ([(1, 2.0), (5, 2.0)], [(7, 0.0)], [(1, 1e-14), (2, 3e-14)]):
        svg = ElementTree.fromstring(line_plot({"x": points}, "t"))
        assert len(list(svg.iter("circle"))) == (len(points) == 1)


def test_long_series_are_averaged():
    points = [(i, float(i % 2)) for i in range(10 * MAX_POINTS)]
    assert thin(points)[0] == (4.5, 0.5) and len(thin(points)) == MAX_POINTS
    assert thin(points[:3]) == points[:3]
