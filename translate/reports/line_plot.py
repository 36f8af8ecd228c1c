"""Curves over the steps of a run, drawn as SVG: axes, round ticks, a line and a legend entry for each series."""

__all__ = ["Series", "line_plot"]

import math
from collections.abc import Mapping, Sequence
from xml.etree import ElementTree

Series = Sequence[tuple[float, float]]  # points (step, value), by step
WIDTH, HEIGHT = 640, 260  # of the drawing, px
LEFT, RIGHT, TOP, BOTTOM = 62, 12, 12, 30  # margins for the labels of the ticks, px
MAX_POINTS = 400  # of a line: more would be less than 2 px apart; neighbours are averaged
COLOURS = 8  # that the style sheet names, as classes s0, s1, ...


def line_plot(series: Mapping[str, Series], title: str, *, dots: bool = False) -> str:
    """Draw series by name, with a dot at each point if asked for; return an SVG element.

    A constant series, or one of one point, is drawn too; there must be a point.
    """
    drawn = {name: thin(points) for name, points in series.items() if points}
    xs, ys = zip(*(point for points in drawn.values() for point in points), strict=True)
    x_ticks = [tick for tick in round_ticks(0, max(xs)) if tick <= max(xs)]
    y_ticks = round_ticks(min(ys), max(ys))
    low, high = min(y_ticks[0], *ys), max(y_ticks[-1], *ys)
    place = lambda x, y: (  # noqa: E731
        LEFT + (WIDTH - LEFT - RIGHT) * x / max(max(xs), 1),
        HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (y - low) / (high - low),
    )
    svg = ElementTree.Element("svg", {"viewBox": f"0 0 {WIDTH} {HEIGHT}", "role": "img", "aria-label": title})
    for value in y_ticks:
        y = place(0, value)[1]
        _line(svg, "tick", LEFT, y, WIDTH - RIGHT, y)
        _text(svg, LEFT - 6, y + 4, f"{value:.10g}", "end")
    for value in x_ticks:
        x = place(value, low)[0]
        _line(svg, "axis", x, HEIGHT - BOTTOM, x, HEIGHT - BOTTOM + 4)
        _text(svg, x, HEIGHT - 8, f"{value:.10g}", "middle" if x < WIDTH - 40 else "end")
    _line(svg, "axis", LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM)
    for number, (name, points) in enumerate(drawn.items()):
        colour = f"s{number % COLOURS}"
        places = [place(*point) for point in points]
        path = ElementTree.SubElement(svg, "polyline", {"class": colour, "points": " ".join("%.1f,%.1f" % p for p in places)})
        ElementTree.SubElement(path, "title").text = name
        for (x, y), point in zip(places, points, strict=True) if dots or len(points) == 1 else ():
            dot = ElementTree.SubElement(svg, "circle", {"class": colour, "cx": f"{x:.1f}", "cy": f"{y:.1f}", "r": "3.5"})
            ElementTree.SubElement(dot, "title").text = f"{name}: {point[1]:.5g} at step {point[0]:g}"
    return ElementTree.tostring(svg, encoding="unicode")


def thin(points: Series) -> Series:
    """Return at most `MAX_POINTS` points: the means of neighbours."""
    size = -(-len(points) // MAX_POINTS)
    parts = [points[i : i + size] for i in range(0, len(points), size)]
    return [(sum(x for x, _ in part) / len(part), sum(y for _, y in part) / len(part)) for part in parts]


def round_ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Return about `count` multiples of 1, 2 or 5 times a power of ten that span `low` to `high`."""
    span = high - low or abs(high) or 1.0
    power = 10.0 ** math.floor(math.log10(span / count))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor * count >= span)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(i * step, 12) for i in range(first, max(last, first + 1) + 1)]


def _line(svg: ElementTree.Element, kind: str, *ends: float) -> None:
    ElementTree.SubElement(svg, "line", {"class": kind} | dict(zip(("x1", "y1", "x2", "y2"), map("{:.1f}".format, ends), strict=True)))


def _text(svg: ElementTree.Element, x: float, y: float, words: str, anchor: str) -> None:
    ElementTree.SubElement(svg, "text", {"x": f"{x:.1f}", "y": f"{y:.1f}", "text-anchor": anchor}).text = words
