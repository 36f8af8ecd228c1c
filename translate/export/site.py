"""Export a model to a page: the networks of all its directions, each compared with the model, and their page."""

__all__ = ["PageExport", "export_page"]

import json
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from translate.checkpoints.model_file import load_model, model_file
from translate.checkpoints.recipe import Recipe
from translate.export.onnx_export import OPSET, quiet
from translate.export.onnxruntime_web import find_package, runtime_files
from translate.export.page import check_folder, write_page
from translate.export.page_model import has_page, page_model
from translate.export.run import Export, ExportOptions, check_exportable, export_model
from translate.utils.errors import OptionError, UserError


@dataclass(frozen=True)
class PageExport:
    """A page, and how its networks compare with the model."""

    folder: Path
    title: str
    networks: list[Export]
    size: int  # bytes


def export_page(model: str | Path, folder: str | Path, options: ExportOptions, *, ort: str = "") -> PageExport:
    """Write the page of a model: a folder for any static web server; an older page in it is replaced.

    Args:
        model: a run folder or a model file.
        folder: to write.
        options: of the networks; without a direction, the page has all that the model has.
        ort: an unpacked onnxruntime-web; "": npm fetches it.

    Raises:
        OptionError: options that contradict the page or the model, or a folder with other files.
        UserError: a model without a page, no onnxruntime-web, or a reason of `export_model`.
    """
    folder = Path(folder).expanduser()
    # 1. refuse early what takes minutes
    if options.format != "onnx":
        raise OptionError(f"a page runs ONNX; leave --format {options.format} out")
    check_folder(folder)
    file = model_file(model, options.weights)
    recipe, nets = load_model(file, base=options.base)
    check_exportable(file, recipe)
    if not has_page(recipe, nets):
        raise UserError(f"{file}: a model of the task {recipe.task!r} has no page yet; leave --page out")
    package = find_package(ort)
    runtime_files(package)
    # 2. export the networks
    name = file.parent.resolve().name if file.name == "model.safetensors" else file.stem
    directions = (options.direction,) if options.direction else recipe.directions or (None,)
    with tempfile.TemporaryDirectory(prefix="translate-page-") as temporary:
        made = [
            export_model(model, Path(temporary, f"{name}_{way or 'all'}.onnx"), replace(options, direction=way))
            for way in directions
        ]
        networks = [one.file for one in made]
        if "E" in nets:
            networks.append(_write_encoder(recipe, nets["E"], Path(temporary) / f"{name}_look.onnx"))
        # 3. write the page
        recipe = replace(recipe, directions=tuple(way for way in directions if way))
        described = page_model(name, recipe, nets)
        size = write_page(folder, described, networks, package)
    return PageExport(folder, described.title, made, size)


class _Look(nn.Module):
    """Picture -> the mean of its style code."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, picture: Tensor) -> Tensor:
        return self.encoder(picture)[0]


def _write_encoder(recipe: Recipe, encoder: nn.Module, path: Path) -> Path:
    """Write the style encoder for squares of the trained size, and its recipe beside it."""
    side, channels = recipe.size, recipe.channels["b"]
    example = torch.zeros(1, channels, side, side)
    with torch.no_grad(), quiet():
        torch.onnx.export(
            _Look(encoder.cpu().float().eval()), (example,), str(path), dynamo=True, opset_version=OPSET,
            external_data=False, verbose=False, input_names=["picture"], output_names=["z"],
        )  # fmt: skip
    entry = {"name": "picture", "shape": ["batch", channels, side, side]}
    described = {"kind": "look", "channels": [channels, 0], "size": side, "fixed": side, "inputs": [entry]}
    described |= {"multiple": side, "min_side": side, "direction": ""}
    path.with_suffix(".json").write_text(json.dumps(described), encoding="utf-8")
    return path
