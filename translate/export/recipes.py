"""How an exported file is used: what a program without this package needs to know, in words and numbers."""

__all__ = ["make_recipe"]

from dataclasses import replace

from torch import nn

import translate
from translate.checkpoints.model_hash import model_hash
from translate.checkpoints.recipe import Recipe
from translate.export.graph import Graph, channels_of
from translate.inference.memory_budget import MIN_SIDE_PX
from translate.inference.onnx.recipe import OnnxRecipe, StyleCodes
from translate.tasks import TASKS
from translate.tasks.pix2pix import typical_code

KINDS = {"images": "generate", "masked": "inpaint", "reduced": "upscale"}  # by kind of data; all others translate


def make_recipe(recipe: Recipe, nets: nn.ModuleDict, direction: str, graph: Graph) -> OnnxRecipe:
    """Return the recipe of the file with one direction of a model."""
    task, facts = TASKS[recipe.task], recipe.facts
    kind = KINDS.get(task.data, "translate")
    domains = recipe.domains
    if kind == "translate" and len(recipe.directions) > 1 and direction == "ba":
        domains = domains[::-1]
    z = _style_codes(recipe, nets, kind)
    made = OnnxRecipe(
        kind=kind, task=recipe.task, domains=tuple(domains), direction=direction if kind == "translate" else "",
        channels=channels_of(recipe, direction, task.data), size=recipe.size, multiple=graph.multiple,
        inputs=graph.inputs, min_side=MIN_SIDE_PX, fixed=graph.fixed, whole=recipe.whole,
        scale=task.scale_of(nets), paired=task.data == "paired",
        sketch=bool(facts.get("sketch")), labels=_source_key(recipe, direction) in str(facts.get("labels", "")),
        values=facts.get("value_range", ""), classes=tuple(facts.get("classes", ())) if kind == "generate" else (),
        z=z, random=(z is not None and z.drawn != "strength") or any("noise" in i.name for i in graph.inputs),
        translate=translate.__version__, model=model_hash(recipe, nets),
    )  # fmt: skip
    return _with_words(made)


def _source_key(recipe: Recipe, direction: str) -> str:
    """Return the side of the source, "a" or "b"; data of models of one direction are swapped before training."""
    return direction[0] if len(recipe.directions) > 1 else "a"


def _style_codes(recipe: Recipe, nets: nn.ModuleDict, kind: str) -> StyleCodes | None:
    z_dim = max(int(getattr(net, "z_dim", 0)) for net in nets.values())
    strength = TASKS[recipe.task].strength
    if not z_dim:
        return None
    if strength is not None:
        return StyleCodes(dim=1, default=(strength,), drawn="strength")
    if "E" in nets:
        looks = nets["E"].get_buffer("looks").float().cpu()
        return StyleCodes(
            dim=z_dim, default=tuple(typical_code(looks).tolist()), drawn="looks",
            looks=tuple(tuple(row) for row in looks.tolist()),
        )  # fmt: skip
    drawn = "normal" if kind != "generate" or nets["G"].z_kind == "normal" else "uniform"
    return StyleCodes(dim=z_dim, default=(0.0,) * z_dim, drawn=drawn)


def _with_words(made: OnnxRecipe) -> OnnxRecipe:
    return replace(made, preprocess=tuple(_preprocess(made)), postprocess=tuple(_postprocess(made)))


def _preprocess(made: OnnxRecipe) -> list[str]:
    """Return the steps from a picture to the inputs."""
    if made.kind == "generate":
        return [_how_z(made), *(["label: 1 for the class, 0 for the others"] if made.classes else [])]
    steps = ["decode to RGB, 8 bits per channel, upright (EXIF's rotation applied)"]
    if made.paired:
        steps.append("composite transparent pictures on white")
    if made.sketch:
        steps.append("the picture is a drawing: dark lines on white, without colour")
    if made.channels[0] == 1:
        steps.append("convert to gray: 0.299 R + 0.587 G + 0.114 B")
    steps += _sizing(made)
    others = {
        "mask": "mask: 1 in the hole, -1 elsewhere; padded by reflection like the picture",
        "hints": "hints: R, G, B and alpha in [-1, 1], all -1 where there is no stroke; padded with -1",
        "z": _how_z(made),
        "noise": "noise: N(0, 1), the same for all pictures of a batch; from a seed, for results that can be repeated",
    }
    names = {entry.name for entry in made.inputs}
    return [*steps, *(text for name, text in others.items() if name in names)]


def _sizing(made: OnnxRecipe) -> list[str]:
    """Return the steps to the network's size and numbers."""
    numbers = "x = value / 127.5 - 1; order: batch, channel, row, column; float32"
    if made.fixed:
        return [f"resize to {made.fixed} x {made.fixed} px", numbers]
    how = "without interpolation" if made.labels else "by area to shrink, Lanczos to enlarge"
    whole = [f"resize so that the shorter side has {made.size} px, {how}"] if made.whole else []
    fill = "with white (1)" if made.sketch else "by reflection"
    size = f"of at least {made.min_side} px that are multiples of {made.multiple}"
    return [*whole, numbers, f"pad evenly on both sides, {fill}, to a height and width {size}"]


def _how_z(made: OnnxRecipe) -> str:
    if made.z is None:
        return ""
    if made.z.drawn == "strength":
        return f"z: the strength from 0, near the picture, to 1; {made.z.default[0]} by default"
    if made.z.drawn == "looks":
        return "z: z.default for the typical look, or one of z.looks for the look of a training picture"
    kind = "uniform in [-1, 1]" if made.z.drawn == "uniform" else "N(0, 1)"
    return f"z: {made.z.dim} numbers, {kind}"


def _postprocess(made: OnnxRecipe) -> list[str]:
    """Return the steps from the output to a picture."""
    padding = f"crop the padding, which is {made.scale} times as wide" if made.scale > 1 else "crop the padding"
    steps = [] if made.fixed or made.kind == "generate" else [padding]
    steps.append("value = round(clamp((y + 1) / 2, 0, 1) * 255)")
    if made.whole:
        steps.append("resize to the size of the picture")
    if made.kind == "inpaint":
        steps.append("copy the known pixels from the picture: only the hole is the network's")
    return steps
