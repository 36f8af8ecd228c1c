"""Export a model: write the file, compare it with the model on real pictures, and keep it only if both agree."""

__all__ = ["Export", "ExportOptions", "export_model"]

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from translate.checkpoints.model_file import load_model, model_file
from translate.checkpoints.recipe import Recipe
from translate.export.formats import check_format, openvino_run, pt2_run, write_openvino, write_pt2, write_recipe
from translate.export.forms import without_dropout
from translate.export.graph import Graph, make_graph
from translate.export.onnx_export import build_onnx, set_recipe
from translate.export.parity import MAX_DIFFERENCE, Row, Run, compare, make_case, make_cases, own_run
from translate.export.pictures import find_pictures
from translate.export.quantise import to_half, to_int8
from translate.export.recipes import make_recipe
from translate.inference.onnx.file import open_onnx
from translate.inference.onnx.recipe import OnnxRecipe
from translate.inference.onnx.runner import OnnxRunner
from translate.inference.precision import Mode, apply_mode
from translate.inference.runner import ModelRunner
from translate.tasks import TASKS
from translate.utils.errors import OptionError, UserError, short_reason
from translate.utils.files import WriteError

MIN_PSNR = 35.0  # dB to fp32, below which a smaller form is refused
CALIBRATION_PICTURES = 24
COMPARED_PICTURES = 3


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """Options of `export_model`; raises OptionError for contradictions."""

    direction: str | None = None  # of translation; None: the model's default
    format: str = "onnx"  # a key of `formats.FORMATS`
    half: bool = False
    int8: bool = False
    min_psnr: float = MIN_PSNR  # dB that --half or --int8 must have
    dropout: bool = True  # whether a network that draws dropout is refused
    pictures: str = ""  # to compare and to calibrate with; "": those of the run
    weights: str = "last"
    base: str = ""  # of an adapter, as for `load_model`

    def __post_init__(self) -> None:
        if self.half and self.int8:
            raise OptionError("--half and --int8 are two ways to make one file smaller; give one of them")

    @property
    def precision(self) -> str:
        """Precision of the file."""
        return "half" if self.half else "int8" if self.int8 else "fp32"


@dataclass(frozen=True)
class Export:
    """An exported file, and how it compares with the model."""

    file: Path
    recipe: OnnxRecipe
    rows: list[Row]
    runtime: str  # that ran the file
    size: int  # bytes
    notes: list[str] = field(default_factory=list)


def export_model(model: str | Path, output: str | Path, options: ExportOptions | None = None) -> Export:
    """Write one direction of a model as one file with its recipe, and NAME.json beside it.

    The file is first written to a folder beside the output, run at three sizes and in a batch of two, and moved only if
    no output differs from the model's by more than MAX_DIFFERENCE (fp32), or if its PSNR is high enough (half, int8).

    Raises:
        OptionError: an option that contradicts another, the format or the model.
        UserError: no model, no pictures, missing packages, a network that cannot be written, or a file that differs.
    """
    options, output = options or ExportOptions(), Path(output).expanduser()
    check_format(options.format, output, smaller=options.half or options.int8)
    # 1. the model
    file = model_file(model, options.weights)
    recipe, nets = load_model(file, base=options.base)
    check_exportable(file, recipe)
    direction = check_direction(recipe, options.direction)
    graph = make_graph(recipe, nets, direction, dropout=options.dropout)
    nets = apply_mode(nets if options.dropout else without_dropout(nets), Mode("fp32"))
    made = make_recipe(recipe, nets, direction, graph)
    made = replace(made, precision=options.precision, bytes_per_pixel=_bytes_per_pixel(recipe, nets))
    # 2. real pictures
    needed = CALIBRATION_PICTURES if options.int8 else COMPARED_PICTURES
    has_source = TASKS[recipe.task].data != "images"
    pictures = find_pictures(file, recipe, direction, options.pictures, needed) if has_source else []
    # 3. write, compare, keep
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{output.stem}.", dir=output.parent) as folder:
            draft = Path(folder) / output.name
            run, runtime = _write(graph, made, draft, options, pictures)
            exact = own_run(recipe, nets, direction, torch.float64)
            rows = compare(make_cases(made, pictures), own_run(recipe, nets, direction), run, exact)
            check_rows(rows, output, options)
            del run
            for part in sorted(Path(folder).iterdir(), key=lambda path: path == draft):  # the file itself comes last
                part.replace(output.parent / part.name)
    except OSError as error:
        raise WriteError(f"{output}: cannot be written ({short_reason(error)})") from error
    return Export(output, made, rows, runtime, output.stat().st_size)


def check_exportable(file: Path, recipe: Recipe) -> None:
    """Raise UserError for a model that no exported file can hold."""
    if recipe.facts.get("maps"):
        raise UserError(f"{file}: takes or answers one-hot label maps, which exported files do not know yet")
    if TASKS[recipe.task].data == "labelled":
        raise UserError(f"{file}: changes labels, which exported files do not know yet")


def check_direction(recipe: Recipe, direction: str | None) -> str:
    """Return the direction to export, "ab" for models without directions; raise OptionError if the model lacks it."""
    if direction is None or direction in recipe.directions:
        return direction or (recipe.directions[0] if recipe.directions else "ab")
    if not recipe.directions:
        raise OptionError("this model has no direction; leave --direction out")
    raise OptionError(f"this model has the direction {recipe.directions[0]} alone; leave --direction out")


def _bytes_per_pixel(recipe: Recipe, nets: nn.ModuleDict) -> float:
    """Return the memory that a pass takes for each pixel; 0 for models that generate pictures of one size."""
    if TASKS[recipe.task].data == "images":
        return 0.0
    return round(ModelRunner(recipe, nets, torch.device("cpu")).memory.bytes_per_pixel, 1)


def _write(
    graph: Graph, recipe: OnnxRecipe, path: Path, options: ExportOptions, pictures: Sequence[Any]
) -> tuple[Run, str]:
    """Write the file and its JSON; return how it runs, and what runs it."""
    write_recipe(recipe, path)
    if options.format == "pt2":
        write_pt2(graph, recipe, path)
        return pt2_run(path, recipe), "torch.export"
    model = build_onnx(graph, recipe)
    if options.format == "openvino":
        write_openvino(model, recipe, path)
        return openvino_run(path, recipe), "OpenVINO"
    if options.half:
        model = to_half(model)
    if options.int8:
        side = recipe.fixed or max(recipe.multiple, recipe.size // recipe.multiple * recipe.multiple)
        count = max(1, len(pictures))
        cases = [make_case(recipe, pictures[i:] or pictures, 1, side, side) for i in range(count)]
        model = to_int8(model, cases)
    set_recipe(model, recipe)
    path.write_bytes(model.SerializeToString())
    content, found, _ = open_onnx(path)  # as a user's program opens it, with all checks
    return OnnxRunner(content, found, path.name, "cpu").run, "onnxruntime"


def check_rows(rows: Sequence[Row], output: Path, options: ExportOptions) -> None:
    """Raise UserError if the file differs from the model by more than its precision allows."""
    worst, psnr = max(row.difference for row in rows), min(row.psnr for row in rows)
    if options.precision == "fp32" and not worst <= MAX_DIFFERENCE:
        raise UserError(
            f"{output}: not written: its output differs from the model's by {worst:.1e}, more than {MAX_DIFFERENCE:.0e}"
        )
    if options.precision != "fp32" and not psnr >= options.min_psnr:
        raise UserError(
            f"{output}: not written: in {options.precision} its PSNR to fp32 is {psnr:.1f} dB, less than"
            f" {options.min_psnr:g}; leave out --{options.precision}, or allow it: --min-psnr {int(psnr)}"
        )
