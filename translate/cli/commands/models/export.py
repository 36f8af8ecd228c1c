"""export: a model as one file that other programs run."""

__all__ = ["ExportModel", "export_model"]

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Literal

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

if TYPE_CHECKING:
    from translate.export.run import Export, ExportOptions

TABLE_WIDTH = 100  # characters of the table of large pictures
FOLDERS = " --input FOLDER --output FOLDER"


@dataclass(frozen=True, kw_only=True)
class ExportModel(TrustOptions, RootOptions, PluginOptions):
    """Write a model as one ONNX file that runs without torch, or as a page that runs it in any browser.

    The file, or the networks of the page, are compared with the model on real pictures.
    """

    model: PathText  # Run folder or model.safetensors.
    # Of a run folder: "last"; "best", those with the best score while training; or "average", of several steps.
    weights: Weights = "last"
    base: PathText = ""  # Of an adapter: the model that it corrects (default: where it was, or beside the adapter).
    output: PathText = ""  # File to write, such as shoe.onnx; NAME.json beside it tells how it is used.
    page: PathText = ""  # Or folder to write: a page for any static web server, on which to draw or drop pictures.
    ort: PathText = ""  # With --page: an unpacked npm package onnxruntime-web (default: npm fetches it).
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
    """Export the model and print how the file, or the networks of the page, compare with it."""
    from translate.export.run import ExportOptions, export_model
    from translate.utils.errors import OptionError

    if bool(options.output) == bool(options.page):
        raise OptionError("say where to: --output FILE for a file, or --page DIR for a page in the browser")
    if options.ort and not options.page:
        raise OptionError("--ort belongs to --page; leave it out")
    chosen = ExportOptions(
        direction=options.direction, format=options.format, half=options.half, int8=options.int8,
        min_psnr=options.min_psnr, dropout=not options.no_dropout, pictures=options.pictures, weights=options.weights,
        base=options.base,
    )  # fmt: skip
    if options.page:
        return _export_page(options, chosen)
    made = export_model(options.model, options.output, chosen)
    _report(options, [made])
    say(f"{made.file}: {' to '.join(made.recipe.domains)}; {made.file.with_suffix('.json').name} says how to use it")
    if options.format == "onnx":
        command, others = ("sample", "") if made.recipe.kind == "generate" else ("translate-folder", FOLDERS)
        say(f"  {command_form(command)} --model {quote(str(made.file))}{others}")
    return 0


def _export_page(options: ExportModel, chosen: "ExportOptions") -> int:
    """Export the page, and print how its networks compare and how to look at it."""
    from translate.export.site import export_page

    page = export_page(options.model, options.page, chosen, ort=options.ort)
    _report(options, page.networks)
    say(f"{page.folder}: {page.title}, {page.size / 2**20:.0f} MB for any static web server; to look at it,")
    say(f"  python -m http.server -d {quote(str(page.folder))}")
    say("and open http://localhost:8000")
    return 0


def _report(options: ExportModel, exports: "Sequence[Export]") -> None:
    """Print the table of each file, and write them to the JSON file if it is requested."""
    from translate.export.parity import parity_table

    for made in exports:
        name = made.file.name if options.page else made.file
        title = f"{name}: {made.recipe.precision}, {made.size / 2**20:.1f} MB, beside the model on real pictures"
        result_console(TABLE_WIDTH).print(parity_table(made.rows, title, made.runtime))
    if options.json:
        from translate.utils.files import write_json

        tables = [{"file": str(made.file), "rows": [asdict(row) for row in made.rows]} for made in exports]
        found = tables[0] if options.output else {"page": options.page, "networks": tables}
        write_json(options.json, json.loads(json.dumps(found, default=str)))
