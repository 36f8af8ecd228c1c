"""Options that no command lists: the keys of a recipe, by dotted name, by last part, or by the name the field uses."""

__all__ = ["known_options", "recipe_layer"]

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from translate.tasks import TASKS
from translate.training.config import leaves
from translate.utils.errors import OptionError
from translate.utils.factory import options_of

FAMILIAR = {  # the words of pytorch-CycleGAN-and-pix2pix
    "ngf": "generator.width",
    "ndf": "discriminator.width",
    "netG": "generator.name",
    "netD": "discriminator.name",
    "crop_size": "data.crop",
    "n_layers_D": "discriminator.layers",
}


def recipe_layer(words: Sequence[str], task: str, command_options: Sequence[str]) -> dict[str, Any]:
    """Turn what is left of a command line, such as --train.lr 1e-4 --lambda-identity=0, into a configuration layer.

    Args:
        words: The arguments that the command itself does not know.
        task: The task, whose own options count.
        command_options: The command's own options, to be suggested for a slip of the pen.

    Raises:
        OptionError: An unknown option, with the nearest that exists; a value without an option, or the reverse.
    """
    known = known_options(task)
    layer: dict[str, Any] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("--"):
            raise OptionError(f"unexpected argument {word!r}; put quotes around a pattern such as 'photos/*.jpg'")
        name, equals, text = word.removeprefix("--").partition("=")
        dotted = full_name(name, known, command_options)
        if not equals:
            if not rest or rest[0].startswith("--"):
                raise OptionError(f"--{name} lacks a value")
            text = rest.pop(0)
        section, _, key = dotted.partition(".")
        layer.setdefault(section, {})[key] = parse_value(text)
    return layer


def known_options(task: str) -> list[str]:
    """List every key of a recipe for `task`, dotted."""
    sections = [leaf for leaf in leaves() if "." in leaf]
    tables: Mapping[str, Sequence[Any]] = {
        "method": [TASKS[task]],
        "generator": list(TASKS[task].generators.values()),
        "discriminator": list(TASKS[task].discriminators.values()),
    }
    found = {f"{where}.{key}" for where, functions in tables.items() for f in functions for key in options_of(f)}
    fixed = {  # the task decides them
        "generator.in_channels", "generator.out_channels", "generator.classes", "generator.grow",
        "discriminator.in_channels", "discriminator.classes", "discriminator.grow",
    }  # fmt: skip
    if "method.z_dim" in found:
        fixed.add("generator.z_dim")
    return sorted({*sections, *(found - fixed), "generator.name", "discriminator.name"})


def full_name(name: str, known: Sequence[str], command_options: Sequence[str]) -> str:
    """Return the dotted key that `name` stands for."""
    wanted = FAMILIAR.get(name, name).replace("-", "_")
    matches = [k for k in known if wanted in (k, k.partition(".")[2])]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise OptionError(f"--{name} is ambiguous; say --{' or --'.join(matches)}")
    choices = {k: k for k in known} | {k.partition(".")[2].replace("_", "-"): k for k in known}
    choices |= {c.replace("_", "-"): c.replace("_", "-") for c in command_options}
    close = difflib.get_close_matches(name.replace("_", "-"), choices, 1)
    way_out = f"did you mean --{choices[close[0]]}?" if close else "see --help, and configs/ for the keys of a recipe"
    raise OptionError(f"unknown option --{name}; {way_out}")


def parse_value(text: str) -> Any:
    """Read `text` as TOML would: a number, true, false, a list; else it is the text itself."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):  # of a number of thousands of digits, too
        return text
