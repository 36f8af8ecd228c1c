"""Recipe keys as options of the training commands: --train.lr, --lr, or the classic name such as --netG."""

__all__ = ["known_options", "recipe_layer"]

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from translate.tasks import TASKS
from translate.training.config import leaves
from translate.utils.errors import OptionError
from translate.utils.factory import options_of
from translate.utils.plugins import Registry, load_installed_plugins

CLASSIC_NAMES = {  # options of pytorch-CycleGAN-and-pix2pix with the same meaning as a recipe key
    "ngf": "generator.width",
    "ndf": "discriminator.width",
    "netG": "generator.name",
    "netD": "discriminator.name",
    "crop_size": "data.crop",
    "n_layers_D": "discriminator.layers",
}


def recipe_layer(words: Sequence[str], task: str, command_options: Sequence[str]) -> dict[str, Any]:
    """Parse recipe keys, such as --train.lr 1e-4 --lambda-identity=0, into a configuration layer.

    Args:
        words: arguments that are not options of the command itself.
        task: a name of `TASKS`.
        command_options: names of the command's own options, to suggest for a misspelt word.

    Raises:
        OptionError: an unknown or ambiguous option; a value without an option, or the reverse.
    """
    known = known_options(task)
    layer: dict[str, Any] = {}
    rest = list(words)
    while rest:
        # the option
        word = rest.pop(0)
        if not word.startswith("--"):
            raise OptionError(f"unexpected argument {word!r}; put quotes around a pattern such as 'photos/*.jpg'")
        name, equals, text = word.removeprefix("--").partition("=")
        if not matching(name, known):  # perhaps a key of an installed plugin's network
            load_installed_plugins()
            known = known_options(task)
        if TASKS[task].discriminators is None:
            refuse_discriminator(name, task, known)
        dotted = full_name(name, known, command_options)
        # its value
        if not equals:
            if not rest or rest[0].startswith("--"):
                raise OptionError(f"--{name} lacks a value")
            text = rest.pop(0)
        section, _, key = dotted.partition(".")
        layer.setdefault(section, {})[key] = parse_value(text)
    return layer


def known_options(task: str) -> list[str]:
    """List every recipe key of `task`, dotted, with those of the plugins that have been loaded."""
    # collect the keys of the sections, the method and the networks
    sections = [leaf for leaf in leaves() if "." in leaf]
    networks = {"generator": TASKS[task].generators, "discriminator": TASKS[task].discriminators}
    tables: dict[str, Sequence[Any]] = {"method": [TASKS[task]]}
    tables |= {section: loaded_values(table) for section, table in networks.items() if table is not None}
    options = {f"{table}.{key}" for table, classes in tables.items() for c in classes for key in options_of(c)}
    # remove those that the task sets
    fixed = {
        "generator.in_channels", "generator.out_channels", "generator.classes", "generator.grow", "generator.scale",
        "discriminator.in_channels", "discriminator.classes", "discriminator.grow", "discriminator.picture",
    }  # fmt: skip
    kind = TASKS[task]
    if "method.z_dim" in options or kind.strength is not None or kind.taught or kind.data == "labelled":
        fixed.add("generator.z_dim")
    return sorted({*sections, *(options - fixed), *(f"{table}.name" for table in tables if table != "method")})


def refuse_discriminator(name: str, task: str, known: Sequence[str]) -> None:
    """Raise OptionError if the option configures the discriminator, which `task` has not."""
    classic = CLASSIC_NAMES.get(name.replace("-", "_"), name)
    if classic.startswith("discriminator.") and not matching(name, known):
        raise OptionError(f"--{name}: the task {task!r} trains without a discriminator; leave it out")


def loaded_values(table: Mapping[str, Any]) -> list[Any]:
    """Return the values of a table of networks, without a search for installed plugins."""
    return list((table.loaded() if isinstance(table, Registry) else table).values())


def matching(name: str, known: Sequence[str]) -> list[str]:
    """Return the keys in `known` that an option may mean."""
    key = CLASSIC_NAMES.get(name, name).replace("-", "_")
    return [k for k in known if key in (k, k.partition(".")[2])]


def full_name(name: str, known: Sequence[str], command_options: Sequence[str]) -> str:
    """Return the dotted key of an option; raise OptionError for an unknown or ambiguous name."""
    matches = matching(name, known)
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise OptionError(f"--{name} is ambiguous; say --{' or --'.join(matches)}")
    choices = {k: k for k in known} | {k.partition(".")[2].replace("_", "-"): k for k in known}
    choices |= {c.replace("_", "-"): c.replace("_", "-") for c in command_options}
    close = difflib.get_close_matches(name.replace("_", "-"), choices, 1)
    hint = f"did you mean --{choices[close[0]]}?" if close else "see --help, and configs/ for the keys of a recipe"
    raise OptionError(f"unknown option --{name}; {hint}")


def parse_value(text: str) -> Any:
    """Parse a TOML value (a number, true, false, a list); return any other text as it is."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):  # TOML refuses numbers of thousands of digits, too
        return text
