"""Checks of option values, beyond their types."""

__all__ = [
    "check_adam",
    "check_adapting",
    "check_label_maps",
    "check_layer",
    "check_length",
    "check_limits",
    "check_patience",
    "check_sizes",
    "check_text",
]

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from translate.data.options import DataConfig
from translate.images.picture import parse_range
from translate.utils.errors import OptionError, short_repr
from translate.utils.factory import check_type

MAX_SIDE_PX = 2**16
MIN_SIDE_PX = 32  # smaller crops show a discriminator too little


def check_label_maps(data: DataConfig, kind: str) -> None:
    """Check that the options of one-hot label maps are for pairs, the `kind` of data, and for one-hot maps."""
    if data.one_hot and kind != "paired":
        raise OptionError("--data.one_hot is for pairs, one of whose pictures are label maps; leave it out")
    for name, unset in (("class_names", ""), ("unlabelled", "auto"), ("label_key", "auto")):
        if not data.one_hot and getattr(data, name) != unset:
            flag = "--data.label_key" if name == "label_key" else f"--{name.replace('_', '-')}"
            raise OptionError(f"{flag} is for one-hot label maps; add --one-hot, or leave it out")


def check_layer(layer: Any) -> None:
    """Check that a layer of options is a nested mapping."""
    if not isinstance(layer, Mapping) or not all(isinstance(name, str) for name in layer):
        example = "{'train': {'steps': 100}}"
        raise OptionError(f"options should be a nested mapping, such as {example}, got {short_repr(layer)}")
    for name in ("data", "train"):
        if not isinstance(layer.get(name, {}), Mapping):
            raise OptionError(f"{name} should be a table, got {short_repr(layer[name])}")


def check_length(lengths: Mapping[str, float]) -> None:
    """Check that exactly one length of the run is given."""
    given = [name for name, value in lengths.items() if value]
    if len(given) != 1:
        raise OptionError(f"give one of --steps, --epochs and --minutes, not {' and '.join(given) or 'none'}")


def check_limits(section: Any, name: str) -> None:
    """Check the values in the configuration's section `name`, a dataclass, against the limits of its fields."""
    for field in fields(section):
        if not field.metadata:
            continue
        value, (low, high, choices, flag) = getattr(section, field.name), field.metadata.values()
        option = flag or f"--{name}.{field.name}"
        if choices and value not in choices:
            raise OptionError(f"{option} should be one of {', '.join(choices)}, got {value!r}")
        if high is not None and not low <= value <= high:
            raise OptionError(f"{option} should lie between {low} and {high}, got {value}")
        if low is not None and value < low:
            raise OptionError(f"{option} should be at least {low}, got {value}")


def check_adapting(train: Any) -> None:
    """Check that a run that adapts a model has one."""
    if (train.adapt or train.adapter) and not train.init:
        word = "--adapter" if train.adapter else "--adapt"
        raise OptionError(f"{word} starts from a model; name it with --init MODEL or RUN")


def check_patience(patience: float, evaluations: int) -> None:
    """Check that a run that may end early has scores to end by."""
    if patience and not evaluations:
        raise OptionError(f"--patience {patience:g} goes by scores while training; leave --evaluations 0 out")


def check_sizes(data: DataConfig) -> None:
    """Check sizes in px, which networks halve at least twice, and ranges."""
    for name, side in (("--size", data.size), ("--data.crop", data.crop)):
        automatic = (0, -1) if name == "--data.crop" else (0,)
        if side not in automatic and (side < MIN_SIDE_PX or side % 4):
            near = max(MIN_SIDE_PX, round(side / 4) * 4)
            raise OptionError(f"{name} should be a multiple of 4 and at least {MIN_SIDE_PX}, got {side}; try {near}")
        if side > MAX_SIDE_PX:
            raise OptionError(f"{name} should be at most {MAX_SIDE_PX}, got {side}")
    if 0 < data.size < data.crop:
        raise OptionError(f"--data.crop {data.crop} is larger than --size {data.size}; lower it, or give 0 for all")
    if data.mask_low >= data.mask_high:
        raise OptionError(f"--mask-low {data.mask_low:g} should be below --mask-high {data.mask_high:g}")
    parse_range(data.value_range)


def check_adam(betas: Sequence[Any], phase_lr: Mapping[str, Any]) -> None:
    """Check the elements of Adam's options that are lists or tables."""
    if len(betas) != 2 or not all(isinstance(beta, float | int) and 0 <= beta < 1 for beta in betas):
        raise OptionError(f"train.betas should be two numbers from 0 to below 1, got {list(betas)}")
    for phase, factor in phase_lr.items():
        check_type(f"train.phase_lr.{phase}", factor, float)


def check_text(name: str, value: Any) -> None:
    """Refuse a string that TOML cannot hold: a file name may be any bytes."""
    if isinstance(value, str) and ("\0" in value or value.encode("utf-8", "ignore").decode("utf-8") != value):
        raise OptionError(f"{name} {value!r} is no text in UTF-8; rename the file or folder")
