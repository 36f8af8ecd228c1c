"""The configuration of a run: a preset, a TOML file on top, flags on top of both; checked, then frozen."""

__all__ = [
    "LENGTHS", "Config", "TrainConfig", "changed_options", "describe_changes", "dump_config", "leaves", "load_config",
    "preset_task",
]  # fmt: skip

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from os import PathLike, fspath
from typing import Any

import tomli_w

from translate.data.options import DataConfig, limited
from translate.tasks import TASKS
from translate.training.config_checks import (
    check_adam,
    check_adapting,
    check_label_maps,
    check_layer,
    check_length,
    check_limits,
    check_patience,
    check_sizes,
    check_text,
)
from translate.utils.errors import OptionError, did_you_mean
from translate.utils.factory import check_type, resolve
from translate.utils.plugins import named_plugins, read_recipe, recipe_file

ADAPTING_STEPS = 600
ADAPTING_RATE = 0.25  # of the recipe's: its full rate would soon forget the model
LENGTHS = ("steps", "epochs", "minutes")
SWITCH = ("auto", "on", "off")


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """The length, the optimization and the bookkeeping of a run; exactly one of steps, epochs and minutes is set."""

    steps: int = limited(0, 0, flag="--steps")  # length in updates
    epochs: float = limited(0.0, 0, flag="--epochs")  # length in passes over the larger domain
    minutes: float = limited(0.0, 0, flag="--minutes")  # length in time: the step is timed, then `steps` is fixed
    lr: float = limited(2e-4, 0)  # Adam's learning rate
    phase_lr: dict = field(default_factory=dict)  # factors on the rates of phases: {D = 2.0} (Heusel et al., 2017)
    betas: tuple = (0.5, 0.999)  # Adam's two decay rates
    warmup: float = limited(0.0, 0, 1)  # fraction of the run over which the learning rate rises from 0
    decay_from: float = limited(0.5, 0, 1)  # fraction of the run from which the learning rate falls linearly to 0
    stairs: int = limited(0, 0)  # equal intervals of constant learning rate; 0 = it changes every step
    ema: float = limited(0.999, 0, 1)  # decay of the averaged generator, which is exported; 0 = export the live one
    clip: float = 0.0  # largest gradient norm of a phase; 0 = no limit
    seed: int = limited(0, 0, flag="--seed")  # of weights, data order and all other random numbers
    device: str = "auto"  # or "cpu", "cuda", "cuda:1", "mps"
    precision: str = limited("auto", choices=("auto", "bf16", "fp32"), flag="--precision")  # "auto" times both
    channels_last: str = limited("auto", choices=SWITCH)  # memory layout; "auto" times both
    compile: str = limited("auto", choices=SWITCH)  # the networks; "auto" = if it is faster in a trial
    graph: str = limited("auto", choices=SWITCH)  # capture the step as a CUDA graph; "auto" = if faster in a trial
    checkpoint: bool = False  # keep few activations and compute the others twice: less memory, more time
    init: str = ""  # model file or run whose weights the networks start from
    adapt: bool = (
        False  # adapt `init` to few pictures: a short run at a low rate, lower layers of discriminators frozen
    )
    freeze: float = limited(0.5, 0, 1)  # share of the layers of discriminators that are frozen then
    adapter: bool = False  # the same, but low-rank corrections of `init` learn alone, and model files hold these
    adapter_rank: int = limited(0, 0, 1024)  # of the corrections; 0 = as many as make about 1 % of the weights
    log_every: int = limited(0, 0)  # steps between log lines; 0 = automatic
    previews: int = limited(10, 0)  # number of sample grids over the run
    evaluations: int = limited(20, 0, flag="--evaluations")  # scores over the run on held-out pictures; 0 = none
    evaluation_share: float = limited(0.05, 0, 1)  # largest share of the time that they take: fewer, of fewer pictures
    keep_best: bool = True  # keep the weights with the best score, in best.safetensors
    post_hoc: bool = True  # keep averages whose length is chosen by scores after the run, in average.safetensors
    patience: float = limited(0.0, 0, 1, flag="--patience")  # end if no score improves over this share; 0 = no
    save_minutes: float = limited(5.0, 0, flag="--save-minutes")  # between saves
    keep: int = limited(2, 1, flag="--keep")  # states to keep: the newest, and older ones in case it is damaged


@dataclass(frozen=True, kw_only=True)
class Config:
    """The configuration of a run."""

    task: str  # key of `tasks.TASKS`
    preset: str = "fast"  # the recipe configs/TASK_PRESET.toml
    plugins: tuple = ()  # that were named when the run was started: absolute paths of files, and modules
    out: str = ""  # folder of the run; "" = runs/ and the names of the domains
    method: dict = field(default_factory=dict)  # options of the task's class
    generator: dict = field(default_factory=dict)  # the network's name, and options of its class
    discriminator: dict = field(default_factory=dict)  # the same
    data: DataConfig = DataConfig()
    train: TrainConfig = TrainConfig()


def load_config(task: str, preset: str = "fast", *layers: Mapping[str, Any], **sections: Any) -> Config:
    """Build the configuration of a run from the preset's recipe and `layers` on top, where later layers win.

    `load_config("cycle", data={"a": "summer/", "b": "winter/"}, train={"minutes": 10})`. The names are those of the
    flags, `--train.lr` being `train={"lr": ...}`; `translate train-cycle --help-all` describes them.

    Args:
        task: A task by name, "cycle", "pix2pix", "generate", "inpaint" or a plugin's.
        preset: Its recipe, "fast" or "paper", or another file configs/TASK_PRESET.toml. A recipe may name another task
            in its place, a variant that learns from the same data.
        layers: Nested mappings such as {"train": {"lr": 1e-4}, "generator": {"name": "resnet_9blocks"}}.
        sections: The last layer, by keyword: `data`, `train`, `method`, `generator`, `discriminator`, `out`.

    Raises:
        OptionError: An option is unknown, ill-typed or out of range, or options contradict each other.
    """
    # merge the layers
    values: dict[str, Any] = {}
    given = {"task": preset_task(task, preset), "preset": preset, "plugins": list(named_plugins())}
    recipe, own = read_recipe(recipe_file(task, preset)), (*layers, sections, given)
    for layer in (recipe, *own):
        check_layer(layer)
    for layer in (recipe, adapting_layer(recipe, own), *own):
        values = merge(values, layer)
    # check
    config = from_dict(Config, values)
    check_length({name: getattr(config.train, name) for name in LENGTHS})
    check_limits(config.train, "train")
    check_limits(config.data, "data")
    check_sizes(config.data)
    check_label_maps(config.data, TASKS[config.task].data)
    check_patience(config.train.patience, config.train.evaluations)
    check_adam(config.train.betas, config.train.phase_lr)
    check_adapting(config.train)
    return config


def adapting_layer(recipe: Mapping[str, Any], layers: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the length and the rate of a run that one of the `layers` makes adapt a model; {} for other runs."""
    wanted: dict[str, Any] = {}
    for layer in layers:
        wanted |= {key: layer["train"][key] for key in ("adapt", "adapter") if key in layer.get("train", {})}
    if not any(wanted.values()):
        return {}
    rate = recipe.get("train", {}).get("lr", TrainConfig.lr)
    # corrections begin at 0 and move the weights less than the same steps of the weights would
    return {"train": {"steps": ADAPTING_STEPS, "lr": rate if wanted.get("adapter") else ADAPTING_RATE * rate}}


def preset_task(task: str, preset: str) -> str:
    """Return the task that a preset of `task` trains: `task`, or the variant of it that the recipe names.

    Raises:
        OptionError: There is no such task or preset.
    """
    check_type("task", task, str)
    check_type("preset", preset, str)
    resolve(task, TASKS, "task")
    variant = read_recipe(recipe_file(task, preset)).get("task", task)
    resolve(variant, TASKS, "task")
    return variant


def merge(base: Mapping[str, Any], layer: Mapping[str, Any]) -> dict[str, Any]:
    """Merge `layer` into `base`, table by table; `layer` wins.

    A length in `layer` replaces the length in `base`, whether steps, epochs or minutes. A network of another name
    replaces the whole table, since the options in it belong to its predecessor.
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
    """Build the dataclass `cls` from `values`, which stand in the section `where` ("train.").

    Raises:
        OptionError: A name or a type is wrong; the message holds the nearest name, or the expected type.
    """
    known = {f.name: f for f in fields(cls)}
    arguments: dict[str, Any] = {}
    for name, value in values.items():
        if name not in known:
            inner = [leaf for leaf in leaves(cls) if leaf.endswith(f".{name}")]
            hint = f"; did you mean {inner[0]!r}?" if inner else did_you_mean(name, known)
            raise OptionError(f"unknown option {where}{name}{hint}")
        kind: Any = known[name].type
        if is_dataclass(kind) and isinstance(value, Mapping):
            value = from_dict(kind, value, f"{where}{name}.")  # type: ignore[arg-type]
        elif isinstance(value, list):
            value = tuple(value)
        elif kind is tuple and isinstance(value, str):  # a flag such as --mask-kinds strokes,boxes
            value = tuple(value.split(","))
        elif (where, name, value) == ("data.", "crop", "auto"):
            value = -1
        elif kind is str and isinstance(value, PathLike):
            value = fspath(value)
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
    """Return the new and the old value, by dotted name, of options that differ from a run's earlier configuration.

    The spelling of the folder does not change a run. An option newer than the run counts as its default.
    """
    new, defaults = flatten(asdict(config)), flatten(asdict(Config(task=config.task)))
    old = defaults | flatten({k: v for k, v in earlier.items() if k != "plan"})
    names = [k for k in {**new, **old} if new.get(k) != old.get(k) and k != "out"]
    return {name: (new.get(name), old.get(name)) for name in names}


def describe_changes(changes: Mapping[str, tuple[Any, Any]]) -> list[str]:
    """Describe the result of `changed_options`: "train.lr = 0.0001 (was 0.0002)"."""
    return [f"{name} = {new!r} (was {old!r})" for name, (new, old) in changes.items()]


def flatten(values: Mapping[str, Any], where: str = "") -> dict[str, Any]:
    """Flatten nested tables to dotted names, and turn tuples into lists."""
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
