"""The classes of a set of label maps, by the values in its files, the user's list and the user's options."""

__all__ = ["find_classes"]

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from translate.data.options import DataConfig
from translate.data.sources.class_list import ClassLine, parse_value, read_class_list
from translate.data.sources.label_scan import MapFile, Values, scan_maps
from translate.images.label_maps import MAX_CLASSES, Classes, colour_text, distinct_colours
from translate.utils.errors import OptionError, UserError

NAMED = 6  # values in a message
MIN_NEIGHBOURS = 1  # pairs of values one apart: then 255 behind them is unlabelled, and not the white of a mask
RARE_SHARE = 0.001  # of the pixels: a class of fewer is hardly learned
LIST_HINT = (
    "list the classes in a text file, '#rrggbb name' a line, and say --class-names FILE: each pixel takes the nearest"
)


def find_classes(
    title: str, train: Sequence[MapFile], test: Sequence[MapFile], config: DataConfig, *, progress: bool = False
) -> tuple[Classes, list[str]]:
    """Find the classes of the maps called `title`; return them, and notes on them.

    Raises:
        OptionError: the files contradict each other or the options, or have too many values or one only.
        UserError: no map or no list can be read.
    """
    # 1. the values in the files, and in the user's list
    values = scan_maps(train, title, progress=progress)
    if not values.forms:
        raise UserError(f"{title}: none of {len(train)} label maps can be read")
    listed = read_class_list(config.class_names) if config.class_names else []
    # 2. which of them are classes
    form = _form_of(title, values)
    key = _key_of(title, form, values, config.label_key, listed)
    counts = values.colours if key == "colour" else values.indices
    unlabelled = _find_unlabelled(config.unlabelled, counts, key, listed)
    lines = listed or [ClassLine(value, "", key == "colour") for value in sorted(counts)]
    lines = [line for line in lines if line.value not in unlabelled]
    if not listed:
        _check_count(title, len(lines), key, values)
    _check_lines(title, lines, form, key)
    # 3. how they are shown and called
    numbers = tuple(line.value for line in lines)
    spell = colour_text if key == "colour" else str
    classes = Classes(
        form=form, key=key, values=numbers, colours=_colours(numbers, key, form, values), unlabelled=unlabelled,
        names=tuple(line.name or spell(line.value) for line in lines), nearest=key == "colour" and bool(listed),
    )  # fmt: skip
    return classes, _Notes(title, classes, counts).lines(scan_maps(test, title, progress=progress))


def _check_lines(title: str, lines: Sequence[ClassLine], form: str, key: str) -> None:
    """Raise OptionError for too few or too many classes, or values that the files cannot hold."""
    if not 1 < len(lines) <= MAX_CLASSES:
        count = "no class" if not lines else "1 class" if len(lines) == 1 else f"{len(lines):,} classes"
        raise OptionError(f"{title}: has {count} beside the unlabelled ones; one-hot maps need 2 to {MAX_CLASSES}")
    limit = 0xFFFFFF if key == "colour" else 65535 if form == "gray16" else 255
    if (most := max(line.value for line in lines)) > limit:
        raise OptionError(f"--class-names: the files of {title} hold values up to {limit}, and the list has {most}")


def _form_of(title: str, values: Values) -> str:
    """Return the form of all files; raise OptionError for a mixture."""
    forms = set(values.forms) - {"gray"} if "gray16" in values.forms else set(values.forms)
    if len(forms) > 1:
        words = {"palette": "has a palette", "gray": "is gray", "gray16": "is gray", "rgb": "is RGB"}
        (one, first), (other, second) = list(values.forms.items())[:2]
        raise OptionError(
            f"{title}: {first} {words[one]} and {second} {words[other]}; convert the label maps to one kind"
        )
    return forms.pop()


def _key_of(title: str, form: str, values: Values, wish: str, listed: Sequence[ClassLine]) -> str:
    """Return what tells the classes apart; raise OptionError where palettes or the list contradict."""
    wish = {"rgb": "colour", "palette": wish}.get(form, "index")
    if listed and listed[0].colour != (wish == "colour") and wish != "auto":
        kinds = ("colours", "'#rrggbb name'") if wish == "colour" else ("values", "'7 name'")
        raise OptionError(
            f"--class-names: the maps of {title} tell classes by {kinds[0]}; list them so, {kinds[1]} a line"
        )
    if listed:
        return "colour" if listed[0].colour else "index"
    if wish != "auto":
        return wish
    if clash := _palette_clash(values):
        raise OptionError(
            f"{title}: {clash}; say --data.label_key index if the index tells the class, or --data.label_key colour"
        )
    return "index"


def _palette_clash(values: Values) -> str:
    """Return how palettes contradict each other: one index of two colours, or one colour of two indices."""
    of_colour: dict[int, int] = {}
    for index, colours in sorted(values.colours_of.items()):
        if len(colours) > 1:
            (one, first), (other, second) = list(colours.items())[:2]
            return f"index {index} is {colour_text(one)} in {first}, but {colour_text(other)} in {second}"
        colour = next(iter(colours))
        if of_colour.setdefault(colour, index) != index:
            return f"the indices {of_colour[colour]} and {index} both are {colour_text(colour)}"
    return ""


def _find_unlabelled(text: str, counts: Collection[int], key: str, listed: Sequence[ClassLine]) -> tuple[int, ...]:
    """Return the values that mean no class: those given, or 255 behind values that count up."""
    if text == "auto":
        others = sorted(value for value in counts if value < 255)
        neighbours = sum(b - a == 1 for a, b in zip(others, others[1:], strict=False))
        named = any(line.value == 255 for line in listed)
        return (255,) if key == "index" and 255 in counts and neighbours >= MIN_NEIGHBOURS and not named else ()
    if text in ("", "none"):
        return ()
    found = [parse_value(word) for word in text.replace(";", ",").split(",")]
    if any(colour != (key == "colour") for _, colour in found):
        kind = "colours, such as #000000" if key == "colour" else "numbers, such as 255"
        raise OptionError(f"--unlabelled {text}: the classes of these maps are told by {kind}")
    return tuple(value for value, _ in found)


def _check_count(title: str, count: int, key: str, values: Values) -> None:
    """Raise OptionError for more values than classes can have, with the way out."""
    if count <= MAX_CLASSES:
        return
    number, file = values.most
    if key == "colour":
        total = sum(values.colours.values())
        most = values.colours.most_common(NAMED)
        share = sum(pixels for _, pixels in most) / total
        raise OptionError(
            f"{title}: has {count:,} colours, {number:,} of them in {file}, as JPEG and soft edges make; {LIST_HINT}"
            f" (the most frequent are {', '.join(colour_text(value) for value, _ in most)}, {share:.0%} of the pixels)"
        )
    raise OptionError(
        f"{title}: has {count:,} values, more than {MAX_CLASSES} classes, as instance numbers make; list those that"
        " are classes in a text file, '7 name' a line, and say --class-names FILE"
    )


def _colours(numbers: Sequence[int], key: str, form: str, values: Values) -> tuple[int, ...]:
    """Return a colour for each class: its own, or where it has none, or another class has it, one that is free."""
    if key == "colour":
        return tuple(numbers)
    own = {number: next(iter(values.colours_of[number]), -1) for number in numbers if number in values.colours_of}
    if form != "palette":
        own = {}
    free = iter(colour for colour in distinct_colours(255) if colour not in set(own.values()))
    taken, result = set[int](), []
    for number in numbers:
        colour = own.get(number, -1)
        if colour < 0 or colour in taken:
            colour = next(free)
        taken.add(colour)
        result.append(colour)
    return tuple(result)


@dataclass(frozen=True)
class _Notes:
    title: str
    classes: Classes
    counts: Counter[int]  # pixels by value in the training maps

    def lines(self, test: Values) -> list[str]:
        """Return notes on the classes, and on values that count as unlabelled."""
        classes, total = self.classes, sum(self.counts.values())
        how = {"index": "palette index" if classes.form == "palette" else "value", "colour": "colour"}[classes.key]
        how = f"the nearest {how}" if classes.nearest else how
        words = f"{self.title}: {len(classes)} classes, told by {how}, get a channel each"
        ignored = [value for value in classes.unlabelled if value in self.counts]
        if ignored:
            share = sum(self.counts[value] for value in ignored) / total
            words += (
                f"; unlabelled: {self._spell(ignored)}, {share:.1%} of the pixels (--unlabelled none makes it a class)"
            )
        return [words, *self._rare(total), *self._unknown(test)]

    def _rare(self, total: int) -> Iterable[str]:
        if self.classes.nearest:
            return
        shares = {
            name: self.counts[value] / total
            for name, value in zip(self.classes.names, self.classes.values, strict=True)
        }
        rare = sorted((share, name) for name, share in shares.items() if share < RARE_SHARE)
        if rare:
            named = ", ".join(f"{name} {share:.2%}" if share else f"{name} (never)" for share, name in rare[:NAMED])
            yield f"{self.title}: {len(rare)} classes are rare and hardly learned: {named}" + " ..." * (
                len(rare) > NAMED
            )

    def _unknown(self, test: Values) -> Iterable[str]:
        if self.classes.nearest:
            return
        known = {*self.classes.values, *self.classes.unlabelled}
        held_out = test.colours if self.classes.key == "colour" else test.indices
        for counts, where in ((self.counts, "in no list"), (held_out, "in held-out maps alone")):
            unknown = sorted(value for value in counts if value not in known)
            known.update(unknown)
            if unknown:
                share = sum(counts[value] for value in unknown) / max(1, sum(counts.values()))
                what = f"{len(unknown)} value{'s' * (len(unknown) > 1)}"
                what += f" {where} count as unlabelled"
                yield f"{self.title}: {what}: {self._spell(unknown)}, {share:.2%} of the pixels"

    def _spell(self, values: Sequence[int]) -> str:
        return ", ".join(map(self.classes.text, values[:NAMED])) + " ..." * (len(values) > NAMED)
