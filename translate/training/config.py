"""A run, written down: a preset, a TOML file on top, flags on top of that; checked, then frozen."""

__all__ = [
    "Config",
    "TrainConfig",
    "differences",
    "dump_config",
    "leaves",
    "load_config",
]

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from typing import Any

import tomli_w

from translate.data.options import DataConfig
from translate.images.picture import parse_range
from translate.utils.errors import OptionError, did_you_mean
from translate.utils.factory import check_type
from translate.utils.package_data import shipped
from translate.utils.toml_files import read_toml

LENGTHS = ("steps", "epochs", "minutes")
_LARGEST = 2**16  # px


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """How it is learned.

    Attributes:
        steps: Length of the run in updates; one of steps, epochs and minutes is set.
        epochs: Length in passes over the larger domain.
        minutes: Length in time: the step is measured first, then the number of steps is fixed.
        lr: Adam's learning rate.
        phase_lr: Factor on the learning rate of single phases, such as {D = 2.0} (Heusel et al., 2017).
        betas: Adam's two decay rates.
        warmup: Fraction of the run over which the learning rate rises from 0.
        decay_from: Fraction of the run from which the learning rate falls linearly to 0.
        stairs: Number of equal intervals in which the learning rate stays the same; 0 = it moves every step.
        ema: Decay of the averaged generator, which is what is exported; 0 = the live one is.
        clip: Largest gradient norm of a phase; 0 = no limit.
        seed: Of weights, data order and everything random.
        device: "auto", "cpu", "cuda", "cuda:1" or "mps".
        precision: "auto", "bf16" or "fp32".
        channels_last: Memory layout: "auto" times both; "on", "off".
        compile: Compile the networks: "on", "off", or "auto": where trying it shows that it pays.
        graph: Capture the step as a CUDA graph: "on", "off", or "auto": where trying it shows that it pays.
        checkpoint: Keep few activations and compute the others twice: less memory, more time.
        init: Model file or run whose weights are started from.
        log_every: Steps between log lines; 0 = chosen.
        previews: Number of sample grids over the run.
        save_minutes: Minutes between saves.
        keep: States that are kept: the newest, and those before it in case that it is damaged.
    """

    steps: int = 0
    epochs: float = 0.0
    minutes: float = 0.0
    lr: float = 2e-4
    phase_lr: dict = field(default_factory=dict)
    betas: tuple = (0.5, 0.999)
    warmup: float = 0.0
    decay_from: float = 0.5
    stairs: int = 0
    ema: float = 0.999
    clip: float = 0.0
    seed: int = 0
    device: str = "auto"
    precision: str = "auto"
    channels_last: str = "auto"
    compile: str = "auto"
    graph: str = "auto"
    checkpoint: bool = False
    init: str = ""
    log_every: int = 0
    previews: int = 10
    save_minutes: float = 5.0
    keep: int = 2


@dataclass(frozen=True, kw_only=True)
class Config:
    """One run. `method`, `generator` and `discriminator` hold keyword options of the classes they configure."""

    task: str
    preset: str = "fast"
    out: str = ""
    method: dict = field(default_factory=dict)
    generator: dict = field(default_factory=dict)
    discriminator: dict = field(default_factory=dict)
    data: DataConfig = DataConfig()
    train: TrainConfig = TrainConfig()


def load_config(task: str, preset: str = "fast", *layers: Mapping[str, Any]) -> Config:
    """Build the configuration of a run: the preset's recipe, then each of `layers`, later ones winning.

    A layer is a nested mapping such as {"train": {"lr": 1e-4}, "generator": {"name": "resnet_9blocks"}}.

    Raises:
        OptionError: An unknown or ill-typed option, or more than one of steps, epochs and minutes.
    """
    recipes = {p.stem.removeprefix(f"{task}_"): p for p in shipped("configs").glob(f"{task}_*.toml")}
    if preset not in recipes:
        raise OptionError(f"unknown preset {preset!r}{did_you_mean(preset, recipes)}")
    values: dict[str, Any] = {}
    for layer in (read_toml(recipes[preset]), *layers, {"task": task, "preset": preset}):
        values = merge(values, layer)
    config = from_dict(Config, values)
    validate(config)
    return config


def merge(base: Mapping[str, Any], layer: Mapping[str, Any]) -> dict[str, Any]:
    """Lay `layer` over `base`. A length in `layer` replaces whichever of steps, epochs and minutes `base` has.

    So does a network of another name: its predecessor's options were not meant for it.
    """
    merged = dict(base)
    if any(length in layer.get("train", {}) for length in LENGTHS):
        merged["train"] = {k: v for k, v in merged.get("train", {}).items() if k not in LENGTHS}
    for key, value in layer.items():
        old = merged.get(key)
        if isinstance(value, Mapping) and isinstance(old, Mapping):
            replaced = "name" in value and value["name"] != old.get("name")
            merged[key] = dict(value) if replaced else {**merged[key], **value}
        else:
            merged[key] = value
    return merged


def from_dict(cls: type, values: Mapping[str, Any], where: str = "") -> Any:
    """Build the dataclass `cls`, checking names and types.

    Raises:
        OptionError: Naming the option and the nearest valid one, or the type that is wanted.
    """
    known = {f.name: f for f in fields(cls)}
    arguments: dict[str, Any] = {}
    for name, value in values.items():
        if name not in known:
            raise OptionError(f"unknown option {where}{name}{did_you_mean(name, known)}")
        kind: Any = known[name].type
        if is_dataclass(kind) and isinstance(value, Mapping):
            value = from_dict(kind, value, f"{where}{name}.")  # type: ignore[arg-type]
        elif isinstance(value, list):
            value = tuple(value)
        elif kind is tuple and isinstance(value, str):  # a flag such as --mask-kinds strokes,boxes
            value = tuple(value.split(","))
        if not is_dataclass(kind):
            check_type(f"{where}{name}", value, kind)
            check_text(f"{where}{name}", value)
            value = kind(value)
        arguments[name] = value
    return cls(**arguments)


def check_text(name: str, value: Any) -> None:
    """Refuse a text that a run's config.toml cannot hold: the name of a file may be any bytes."""
    if isinstance(value, str) and ("\0" in value or not _is_unicode(value)):
        raise OptionError(f"{name} {value!r} is no text in UTF-8; rename the file or folder")


def _is_unicode(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def validate(config: Config) -> None:
    """Check what types cannot say.

    Raises:
        OptionError: A value is out of its range, or two contradict each other.
    """
    data, train = config.data, config.train
    given = [name for name in LENGTHS if getattr(train, name)]
    if len(given) != 1:
        raise OptionError(f"give one of --steps, --epochs and --minutes, not {' and '.join(given) or 'none'}")
    for name, value, low in (
        (f"--{given[0]}", getattr(train, given[0]), 0),
        ("--batch-size", data.batch_size, 1),
        ("--seed", train.seed, 0),
        ("--data.zoom", data.zoom, 1),
        ("--train.lr", train.lr, 0),
        ("--train.stairs", train.stairs, 0),
        ("--train.log_every", train.log_every, 0),
        ("--train.previews", train.previews, 0),
        ("--save-minutes", train.save_minutes, 0),
        ("--keep", train.keep, 1),
    ):
        if value < low:
            raise OptionError(f"{name} should be at least {low}, got {value}")
    for name, value, choices in (
        ("--precision", train.precision, ("auto", "bf16", "fp32")),
        ("--train.channels_last", train.channels_last, ("auto", "on", "off")),
        ("--train.compile", train.compile, ("auto", "on", "off")),
        ("--train.graph", train.graph, ("auto", "on", "off")),
        ("--direction", data.direction, ("ab", "ba")),
        ("--data.labels", data.labels, ("auto", "none", "a", "b", "ab")),
    ):
        if value not in choices:
            raise OptionError(f"{name} should be one of {', '.join(choices)}, got {value!r}")
    for name, fraction in (
        ("train.ema", train.ema),
        ("train.warmup", train.warmup),
        ("train.decay_from", train.decay_from),
        ("data.colour_a", data.colour_a),
        ("data.colour_b", data.colour_b),
        ("data.mask_low", data.mask_low),
        ("data.mask_high", data.mask_high),
    ):
        if not 0 <= fraction <= 1:
            raise OptionError(f"--{name} should lie between 0 and 1, got {fraction}")
    parse_range(data.value_range)
    validate_sides(data)
    validate_numbers(train)


def validate_sides(data: DataConfig) -> None:
    """Check the sizes: networks halve a picture twice, and a discriminator needs 32 px to say anything."""
    for name, side in (("--size", data.size), ("--data.crop", data.crop)):
        if side > 0 and (side < 32 or side % 4):
            near = max(32, round(side / 4) * 4)
            raise OptionError(f"{name} should be a multiple of 4 and at least 32, got {side}; try {near}")
        if side > _LARGEST:
            raise OptionError(f"{name} should be at most {_LARGEST}, got {side}")
    if data.mask_low >= data.mask_high:
        raise OptionError(f"--mask-low {data.mask_low:g} should be below --mask-high {data.mask_high:g}")
    if 0 < data.size < data.crop:
        raise OptionError(f"--data.crop {data.crop} is larger than --size {data.size}; lower it, or give 0 for all")


def validate_numbers(train: TrainConfig) -> None:
    """Check what stands inside lists and tables."""
    if len(train.betas) != 2 or not all(isinstance(b, float | int) and 0 <= b < 1 for b in train.betas):
        raise OptionError(f"train.betas should be two numbers from 0 to below 1, got {list(train.betas)}")
    for phase, factor in train.phase_lr.items():
        check_type(f"train.phase_lr.{phase}", factor, float)


def dump_config(config: Config, plan: Mapping[str, Any]) -> str:
    """Return the TOML text of a run: what was asked for, and under [plan] what "auto" came to."""
    return tomli_w.dumps({**asdict(config), "plan": dict(plan)})


def differences(config: Config, earlier: Mapping[str, Any]) -> list[str]:
    """List, as "train.lr = 0.0001 (was 0.0002)", where `config` departs from a run's earlier configuration.

    The folder itself, by whatever spelling, the time between saves and how many are kept make no difference to a run.
    An option that the run's version did not know yet counts as left alone.
    """
    new, untouched = flatten(asdict(config)), flatten(asdict(Config(task=config.task)))
    old = untouched | flatten({k: v for k, v in earlier.items() if k != "plan"})
    without = ("out", "train.save_minutes", "train.keep")
    names = [k for k in {**new, **old} if new.get(k) != old.get(k) and k not in without]
    return [f"{name} = {new.get(name)!r} (was {old.get(name)!r})" for name in names]


def flatten(values: Mapping[str, Any], where: str = "") -> dict[str, Any]:
    """Turn nested sections into one level of dotted names; lists and tuples compare alike."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{where}{key}.")
        else:
            flat[where + key] = list(value) if isinstance(value, tuple) else value
    return flat


def leaves(config_class: type = Config) -> Iterable[str]:
    """Name every option of the configuration classes, dotted."""
    for f in fields(config_class):
        if is_dataclass(f.type):
            yield from (f"{f.name}.{leaf}" for leaf in leaves(f.type))  # type: ignore[arg-type]
        else:
            yield f.name
