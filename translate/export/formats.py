"""The formats of exported files besides ONNX: torch.export's .pt2, and OpenVINO's .xml."""

__all__ = ["FORMATS", "check_format", "openvino_run", "pt2_run", "write_openvino", "write_pt2"]

import json
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from translate.export.graph import Graph
from translate.export.onnx_export import dynamic_shapes, example_size, nested, quiet
from translate.export.parity import Feeds, Run
from translate.inference.onnx.recipe import KEY, OnnxRecipe
from translate.utils.errors import OptionError, UserError, short_reason
from translate.utils.files import write_json

if TYPE_CHECKING:
    from onnx import ModelProto

FORMATS = {"onnx": ".onnx", "pt2": ".pt2", "openvino": ".xml"}
PACKAGES = {"onnx": ("onnx", "onnxscript", "onnxruntime"), "pt2": (), "openvino": ("onnx", "onnxscript", "openvino")}
INSTALL = {"onnx": "image-translate[export]", "openvino": "image-translate[export]' 'openvino"}


def check_format(name: str, output: Path, *, smaller: bool) -> None:
    """Check that a format can be written, before any work.

    Raises:
        OptionError: a format of another suffix than the output's, or `smaller` for another format than ONNX.
        UserError: its packages are missing.
    """
    suffix = FORMATS[name]
    if output.suffix.lower() != suffix:
        raise OptionError(f"--output {output}: a file of --format {name} ends in {suffix}")
    if smaller and name != "onnx":
        raise OptionError(f"--half and --int8 are for --format onnx, not for {name}; leave them out")
    missing = [package for package in PACKAGES[name] if find_spec(package) is None]
    if missing:
        raise UserError(f"--format {name} needs {', '.join(missing)}; install it: pip install '{INSTALL[name]}'")


def write_pt2(graph: Graph, recipe: OnnxRecipe, path: Path) -> None:
    """Write the graph as torch.export does, with the recipe as an extra file in it, and NAME.json beside it.

    Raises:
        UserError: torch.export cannot follow the network.
    """
    example, shapes = graph.example(2, *example_size(graph)), dynamic_shapes(graph)
    try:
        with torch.no_grad(), quiet():
            program = torch.export.export(graph.module, example, dynamic_shapes=nested(graph, shapes))
            if any("image_translate" in str(node.target) for node in program.graph.nodes):
                raise UserError("this network has an operator of this toolkit, which torch lacks; say --format onnx")
            torch.export.save(program, path, extra_files={f"{KEY}.json": json.dumps(recipe.to_json())})
    except UserError:
        raise
    except Exception as error:  # as the exporter of ONNX
        raise UserError(f"the network cannot be written as pt2 ({short_reason(error)})") from error


def pt2_run(path: Path, recipe: OnnxRecipe) -> Run:
    """Return the pass of a .pt2 file that this process has written."""
    module = torch.export.load(path).module()

    @torch.inference_mode()
    def run(feeds: Feeds) -> np.ndarray:
        return module(*[torch.from_numpy(feeds[entry.name]) for entry in recipe.inputs]).numpy()

    return run


def write_openvino(model: "ModelProto", recipe: OnnxRecipe, path: Path) -> None:
    """Convert an ONNX model to OpenVINO's two files, .xml and .bin, of fp32."""
    import openvino

    source = path.with_suffix(".onnx")
    source.write_bytes(model.SerializeToString())
    try:
        converted = openvino.convert_model(source)
        converted.set_rt_info(json.dumps(recipe.to_json()), [KEY])
        openvino.save_model(converted, path, compress_to_fp16=False)
    finally:
        source.unlink()


def openvino_run(path: Path, recipe: OnnxRecipe) -> Run:
    """Return the pass of an OpenVINO file on the CPU in fp32; by itself, OpenVINO computes in bf16 where it can."""
    import openvino

    compiled: Any = openvino.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return lambda feeds: np.asarray(compiled([feeds[entry.name] for entry in recipe.inputs])[0])


def write_recipe(recipe: OnnxRecipe, path: Path) -> None:
    """Write the recipe beside a file, as NAME.json."""
    write_json(path.with_suffix(".json"), recipe.to_json())
