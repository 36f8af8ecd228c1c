"""A text file that names the classes of label maps, and perhaps their values."""

__all__ = ["ClassLine", "parse_value", "read_class_list"]

import re
from pathlib import Path
from typing import NamedTuple

from translate.utils.errors import OptionError, UserError, short_reason, shorten
from translate.utils.files import read_bytes

MAX_LINES = 70_000
_COLOUR = re.compile(r"#([0-9a-fA-F]{6})(?=[\s,;:]|$)")
_TRIPLE = re.compile(r"(\d{1,3})[\s,;]+(\d{1,3})[\s,;]+(\d{1,3})(?=[\s,;:]|$)")
_NUMBER = re.compile(r"(\d{1,5})(?=[\s,;:]|$)")
USAGE = "a class a line: its name, behind its value if the values are no 0, 1, 2 ...: '7 road', or '#804080 road'"


class ClassLine(NamedTuple):
    """One class in a list."""

    value: int  # an index, a gray value, or 0xRRGGBB
    name: str
    colour: bool  # whether the value is a colour


def read_class_list(file: str) -> list[ClassLine]:
    """Read the classes of a file, a line each: "NAME", "VALUE NAME", "#rrggbb NAME" or "R G B NAME".

    Lines of names alone are numbered from 0. Empty lines, and lines that begin with "# ", are left out.

    Raises:
        UserError: the file cannot be read, mixes values and names or colours, or repeats a value.
    """
    path = Path(file).expanduser()
    try:
        text = read_bytes(path).decode("utf-8-sig")
    except (OSError, ValueError) as error:
        raise UserError(f"--class-names {path}: cannot be read as text ({short_reason(error)}); give {USAGE}") from None
    lines = [line.strip() for line in text.splitlines()[:MAX_LINES]]
    found = [_parse_line(line) for line in lines if line and line != "#" and not line.startswith("# ")]
    if not found:
        raise UserError(f"--class-names {path}: is empty; give {USAGE}")
    kinds = {(line.value < 0, line.colour) for line in found}
    if len(kinds) > 1:
        raise UserError(f"--class-names {path}: mixes names, values and colours; give {USAGE}")
    if found[0].value < 0:
        found = [line._replace(value=number) for number, line in enumerate(found)]
    values = [line.value for line in found]
    if repeated := next((line for line in found if values.count(line.value) > 1), None):
        text = f"#{repeated.value:06x}" if repeated.colour else str(repeated.value)
        raise UserError(f"--class-names {path}: has the value {text} twice; give each class one of its own")
    return found


def parse_value(text: str) -> tuple[int, bool]:
    """Parse "7", "#804080" or "128 64 128": return the value, and whether it is a colour; raise OptionError."""
    line = _parse_line(text.strip())
    if line.value < 0 or line.name:
        raise OptionError(
            f"{shorten(text)!r} is no value of a label map; give a number such as 255, or a colour such as #000000"
        )
    return line.value, line.colour


def _parse_line(line: str) -> ClassLine:
    """Parse one class; a name alone has the value -1."""
    for pattern, colour in ((_COLOUR, True), (_TRIPLE, True), (_NUMBER, False)):
        if match := pattern.match(line):
            numbers = match.groups()
            name = line[match.end() :].strip(" \t,;:")
            if pattern is _COLOUR:
                return ClassLine(int(numbers[0], 16), name, True)
            if pattern is _TRIPLE and max(map(int, numbers)) < 256:
                red, green, blue = map(int, numbers)
                return ClassLine(red << 16 | green << 8 | blue, name, True)
            if not colour:
                return ClassLine(int(numbers[0]), name, False)
    return ClassLine(-1, line, False)
