"""Curves over the steps of a run as SVG: axes with round ticks, and a line for each series."""

__all__ = ["Series", "line_plot"]

import math
from collections.abc import Mapping, Sequence
from xml.etree.ElementTree import Element, SubElement, tostring

Series = Sequence[tuple[float, float]]  # points (step, value), by step
WIDTH, HEIGHT = 640, 260  # of the drawing, px
LEFT, RIGHT, TOP, BOTTOM = 62, 14, 12, 30  # margins for the labels of the ticks, px
MAX_POINTS = 400  # of a line: more would be less than 2 px apart
COLOURS = 8  # that the page's style sheet has, as the classes s0, s1, ...


def line_plot(series: Mapping[str, Series], title: str, *, dots: bool = False) -> str:
    """Return an SVG element with a line for each series of at least one point, and with `dots` its points as well."""
    drawn = {name: thin(points) for name, points in series.items()}
    xs, ys = zip(*(point for points in drawn.values() for point in points), strict=True)
    svg = Element("svg", {"viewBox": f"0 0 {WIDTH} {HEIGHT}", "role": "img", "aria-label": title})
    axes = Axes(svg, max(xs), round_ticks(min(ys), max(ys)))
    for number, (name, points) in enumerate(drawn.items()):
        axes.draw(name, points, f"s{number % COLOURS}", dots=dots or len(points) == 1)
    return tostring(svg, encoding="unicode")


class Axes:
    """The axes of a plot from step 0 to `end`, with ticks of the values."""

    def __init__(self, svg: Element, end: float, ticks: Sequence[float]) -> None:
        self.svg, self.end, self.low, self.high = svg, max(end, 1), ticks[0], ticks[-1]
        for value in ticks:
            _, y = self.place(0, value)
            self.line("tick", LEFT, y, WIDTH - RIGHT, y)
            self.text(LEFT - 6, y + 4, value, "end")
        for step in round_ticks(0, self.end):
            if step <= self.end:
                x, y = self.place(step, self.low)
                self.line("axis", x, y, x, y + 4)
                self.text(x, HEIGHT - 8, step, "middle" if x < WIDTH - 3 * RIGHT else "end")
        self.line("axis", LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM)

    def place(self, step: float, value: float) -> tuple[float, float]:
        """Return the place of a point in the drawing, px."""
        x = LEFT + (WIDTH - LEFT - RIGHT) * step / self.end
        return x, HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (value - self.low) / (self.high - self.low)

    def draw(self, name: str, points: Series, colour: str, *, dots: bool) -> None:
        """Draw a series in the colour of a class."""
        places = [tuple(map("{:.1f}".format, self.place(*point))) for point in points]
        line = SubElement(self.svg, "polyline", {"class": colour, "points": " ".join(map(",".join, places))})
        SubElement(line, "title").text = name
        for (x, y), (step, value) in zip(places, points, strict=True) if dots else ():
            dot = SubElement(self.svg, "circle", {"class": colour, "cx": x, "cy": y, "r": "3.5"})
            SubElement(dot, "title").text = f"{name}: {value:.5g} at step {step:g}"

    def line(self, kind: str, x: float, y: float, x_end: float, y_end: float) -> None:
        """Draw a line of the class `kind`."""
        ends = {"x1": x, "y1": y, "x2": x_end, "y2": y_end}
        SubElement(self.svg, "line", {"class": kind} | {name: f"{end:.1f}" for name, end in ends.items()})

    def text(self, x: float, y: float, value: float, anchor: str) -> None:
        """Write a number."""
        SubElement(self.svg, "text", {"x": f"{x:.1f}", "y": f"{y:.1f}", "text-anchor": anchor}).text = f"{value:.10g}"


def thin(points: Series) -> Series:
    """Return at most `MAX_POINTS` points: the means of neighbours."""
    size = -(-len(points) // MAX_POINTS)
    parts = [points[i : i + size] for i in range(0, len(points), size)]
    return [(sum(x for x, _ in part) / len(part), sum(y for _, y in part) / len(part)) for part in parts]


def round_ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Return about `count` multiples of 1, 2 or 5 times a power of ten that enclose `low` and `high`."""
    span = high - low or abs(high) or 1.0
    power = 10.0 ** math.floor(math.log10(span / count))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor * count >= 0.999 * span)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [float(f"{i * step:.12g}") for i in range(first, max(last, first + 1) + 1)]
