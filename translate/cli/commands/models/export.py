"""export: a model as one file that other programs run."""

__all__ = ["ExportModel", "export_model"]

import json
from dataclasses import asdict, dataclass
from shlex import quote
from typing import Annotated, Literal

from tyro.conf import arg

from translate.cli.commands.options import (
    Direction,
    Flag,
    PathText,
    PluginOptions,
    RootOptions,
    TrustOptions,
    Weights,
)
from translate.utils.program import command_form
from translate.utils.terminal import result_console, say


@dataclass(frozen=True, kw_only=True)
class ExportModel(TrustOptions, RootOptions, PluginOptions):
    """Write a model as one ONNX file that runs without torch, and compare it with the model on real pictures."""

    model: PathText  # Run folder or model.safetensors.
    # Of a run folder: "last"; "best", those with the best score while training; or "average", of several steps.
    weights: Weights = "last"
    output: PathText  # File to write, such as shoe.onnx; NAME.json beside it tells how it is used.
    # "ab": from the first domain to the second; "ba": back; one file has one direction (default: the model's own).
    direction: Annotated[Direction | None, arg(metavar="ab|ba", help_behavior_hint="")] = None
    # "onnx"; "pt2", of torch.export; or "openvino", .xml and .bin.
    format: Literal["onnx", "pt2", "openvino"] = "onnx"
    half: Flag = False  # Weights of 16 bits: half the size.
    int8: Flag = False  # Convolutions of 8 bits, calibrated on pictures: a quarter of the size.
    # With --half or --int8: refuse a file whose PSNR to fp32 is lower, dB.
    min_psnr: float = 35.0
    no_dropout: Flag = False  # Leave out dropout that stays on after training (the U-Net of pix2pix has it).
    # Folder of source pictures to compare on and to calibrate with (default: held-out pictures of the run).
    pictures: PathText = ""
    json: PathText = ""  # Also write the table to this file.


def export_model(options: ExportModel) -> int:
    """Export the model and print how the file compares with it."""
    from translate.export.parity import parity_table
    from translate.export.run import ExportOptions, export_model

    chosen = ExportOptions(
        direction=options.direction, format=options.format, half=options.half, int8=options.int8,
        min_psnr=options.min_psnr, dropout=not options.no_dropout, pictures=options.pictures, weights=options.weights,
    )  # fmt: skip
    made = export_model(options.model, options.output, chosen)
    title = f"{made.file}: {made.recipe.precision}, {made.size / 2**20:.1f} MB, beside the model on real pictures"
    result_console().print(parity_table(made.rows, title, made.runtime))
    say(f"{made.file}: {' to '.join(made.recipe.domains)}; {made.file.with_suffix('.json').name} says how to use it")
    if options.format == "onnx" and made.recipe.kind != "generate":
        say(f"  {command_form('translate-folder')} --model {quote(str(made.file))} --input FOLDER --output FOLDER")
    if options.json:
        from translate.utils.files import write_json

        rows = [asdict(row) for row in made.rows]
        write_json(options.json, json.loads(json.dumps({"file": str(made.file), "rows": rows}, default=str)))
    return 0
