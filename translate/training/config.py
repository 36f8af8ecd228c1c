"""The configuration of a run: a preset, a TOML file on top, flags on top of both; checked, then frozen."""

__all__ = [
    "LENGTHS", "Config", "TrainConfig", "changed_options", "describe_changes", "dump_config", "leaves", "load_config",
]  # fmt: skip

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from typing import Any

import tomli_w

from translate.data.options import DataConfig, limited
from translate.training.config_checks import check_adam, check_length, check_limits, check_sizes, check_text
from translate.utils.errors import OptionError, did_you_mean
from translate.utils.factory import check_type
from translate.utils.package_data import package_folder
from translate.utils.toml_files import read_toml

LENGTHS = ("steps", "epochs", "minutes")
SWITCH = ("auto", "on", "off")


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """The length, the optimization and the bookkeeping of a run.

    Attributes:
        steps: Length of the run in updates; one of steps, epochs and minutes is set.
        epochs: Length in passes over the larger domain.
        minutes: Length in time: the step is timed first, then the number of steps is fixed.
        lr: Adam's learning rate.
        phase_lr: Factor on the learning rate of single phases, such as {D = 2.0} (Heusel et al., 2017).
        betas: Adam's two decay rates.
        warmup: Fraction of the run over which the learning rate rises from 0.
        decay_from: Fraction of the run from which the learning rate falls linearly to 0.
        stairs: Number of equal intervals in which the learning rate is constant; 0 = it changes every step.
        ema: Decay of the averaged generator, which is exported; 0 = the live one is.
        clip: Largest gradient norm of a phase; 0 = no limit.
        seed: Of weights, data order and everything random.
        device: "auto", "cpu", "cuda", "cuda:1" or "mps".
        precision: Of the networks; "auto" times both.
        channels_last: Memory layout; "auto" times both.
        compile: Compile the networks; "auto" where a trial shows that it pays.
        graph: Capture the step as a CUDA graph; "auto" where a trial shows that it pays.
        checkpoint: Keep few activations and compute the others twice: less memory, more time.
        init: Model file or run whose weights the networks start from.
        log_every: Steps between log lines; 0 = automatic.
        previews: Number of sample grids over the run.
        save_minutes: Minutes between saves.
        keep: Number of states to keep: the newest, and older ones in case it is damaged.
    """

    steps: int = limited(0, 0, flag="--steps")
    epochs: float = limited(0.0, 0, flag="--epochs")
    minutes: float = limited(0.0, 0, flag="--minutes")
    lr: float = limited(2e-4, 0)
    phase_lr: dict = field(default_factory=dict)
    betas: tuple = (0.5, 0.999)
    warmup: float = limited(0.0, 0, 1)
    decay_from: float = limited(0.5, 0, 1)
    stairs: int = limited(0, 0)
    ema: float = limited(0.999, 0, 1)
    clip: float = 0.0
    seed: int = limited(0, 0, flag="--seed")
    device: str = "auto"
    precision: str = limited("auto", choices=("auto", "bf16", "fp32"), flag="--precision")
    channels_last: str = limited("auto", choices=SWITCH)
    compile: str = limited("auto", choices=SWITCH)
    graph: str = limited("auto", choices=SWITCH)
    checkpoint: bool = False
    init: str = ""
    log_every: int = limited(0, 0)
    previews: int = limited(10, 0)
    save_minutes: float = limited(5.0, 0, flag="--save-minutes")
    keep: int = limited(2, 1, flag="--keep")


@dataclass(frozen=True, kw_only=True)
class Config:
    """The configuration of a run; `method`, `generator`, `discriminator` hold options of the classes they configure."""

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
        OptionError: An unknown or ill-typed option, a value out of its range, or options that contradict each other.
    """
    # lay one over the other
    recipes = {p.stem.removeprefix(f"{task}_"): p for p in package_folder("configs").glob(f"{task}_*.toml")}
    if preset not in recipes:
        raise OptionError(f"unknown preset {preset!r}{did_you_mean(preset, recipes)}")
    values: dict[str, Any] = {}
    for layer in (read_toml(recipes[preset]), *layers, {"task": task, "preset": preset}):
        values = merge(values, layer)
    # check
    config = from_dict(Config, values)
    check_length({name: getattr(config.train, name) for name in LENGTHS})
    check_limits(config.train, "train")
    check_limits(config.data, "data")
    check_sizes(config.data)
    check_adam(config.train.betas, config.train.phase_lr)
    return config


def merge(base: Mapping[str, Any], layer: Mapping[str, Any]) -> dict[str, Any]:
    """Lay `layer` over `base`, table by table.

    A length in `layer` replaces whichever of steps, epochs and minutes `base` has. A network of another name replaces
    the whole table: the options of its predecessor were not meant for it.
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
        OptionError: A name or a type is wrong; the message has the nearest name, or the expected type.
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


def dump_config(config: Config, plan: Mapping[str, Any]) -> str:
    """Return the TOML text of a run: its configuration, and under [plan] the values chosen for "auto"."""
    return tomli_w.dumps({**asdict(config), "plan": dict(plan)})


def changed_options(config: Config, earlier: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return, by dotted name, the new and the old value where `config` departs from a run's earlier configuration.

    The spelling of the folder makes no difference. An option that the run's version did not know yet has its default.
    """
    new, defaults = flatten(asdict(config)), flatten(asdict(Config(task=config.task)))
    old = defaults | flatten({k: v for k, v in earlier.items() if k != "plan"})
    names = [k for k in {**new, **old} if new.get(k) != old.get(k) and k != "out"]
    return {name: (new.get(name), old.get(name)) for name in names}


def describe_changes(changes: Mapping[str, tuple[Any, Any]]) -> list[str]:
    """Describe the result of `changed_options`: "train.lr = 0.0001 (was 0.0002)"."""
    return [f"{name} = {new!r} (was {old!r})" for name, (new, old) in changes.items()]


def flatten(values: Mapping[str, Any], where: str = "") -> dict[str, Any]:
    """Turn nested tables into one level of dotted names, and tuples into lists."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{where}{key}.")
        else:
            flat[where + key] = list(value) if isinstance(value, tuple) else value
    return flat


def leaves(config_class: type = Config) -> Iterable[str]:
    """Yield the dotted name of every option of the configuration classes."""
    for f in fields(config_class):
        if is_dataclass(f.type):
            yield from (f"{f.name}.{leaf}" for leaf in leaves(f.type))  # type: ignore[arg-type]
        else:
            yield f.name
