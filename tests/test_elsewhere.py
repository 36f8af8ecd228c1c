"""What stands outside the package: the node of ComfyUI, the programs of docs/elsewhere.md, and the notebook."""

import base64
import importlib.util
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from shutil import which

import numpy as np
import pytest
import torch
from PIL import Image

from tests.studio.studios import faces, inpainting, save_model, sketches, unpaired
from translate import Sampler, Translator
from translate.checkpoints.recipe import Recipe
from translate.networks import EXPORTABLE
from translate.utils.errors import UserError
from translate.utils.factory import Factory

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


# ---- ComfyUI


def load_file():
    spec = importlib.util.spec_from_file_location("comfyui_node", DOCS / "comfyui_node.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run_node(name, **given):
    """Call a node as ComfyUI does: with the defaults of its inputs, by the name of its function."""
    node_class = load_file().NODE_CLASS_MAPPINGS[name]
    inputs = node_class.INPUT_TYPES()
    known = {**inputs["required"], **inputs.get("optional", {})}
    assert set(given) <= set(known)
    defaults = {
        key: kind[1]["default"] if len(kind) > 1 else kind[0][0]
        for key, kind in known.items()
        if len(kind) > 1 or isinstance(kind[0], list)
    }
    result = getattr(node_class(), node_class.FUNCTION)(**defaults | given)
    assert isinstance(result, tuple) and len(result) == len(node_class.RETURN_TYPES) == 1
    image = result[0]
    assert image.dtype == torch.float32 and image.ndim == 4 and image.shape[-1] == 3 and image.device.type == "cpu"
    assert image.min() >= 0 and image.max() <= 1
    return image


def drifting():
    torch.manual_seed(3)
    spec = {"name": "skip_style_resnet", "width": 4, "trunk": 4, "blocks": 1}
    nets = {name: Factory(spec, EXPORTABLE, name)(in_channels=3, out_channels=3, z_dim=1) for name in ("G_ab", "G_ba")}
    for net in nets.values():
        for parameter in net.parameters():
            torch.nn.init.normal_(parameter, 0, 0.3)
    recipe = Recipe(
        task="drift", nets={name: net.spec for name, net in nets.items()}, domains=("a", "b"), size=32, preset="fast",
        steps=1, data="none",
    )  # fmt: skip
    return nets, recipe


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    root = tmp_path_factory.mktemp("elsewhere")
    kinds = {"unpaired": unpaired, "sketches": sketches, "fill": inpainting, "faces": faces, "drift": drifting}
    return {name: str(save_model(root / name, *make())) for name, make in kinds.items()}


@pytest.fixture
def pictures():
    return torch.rand(2, 32, 40, 3, generator=torch.Generator().manual_seed(0))


def test_the_file_of_the_nodes_imports_nothing_heavy():
    code = f"""
import importlib.util, sys
spec = importlib.util.spec_from_file_location("comfyui_node", {str(DOCS / "comfyui_node.py")!r})
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
[node.INPUT_TYPES() for node in module.NODE_CLASS_MAPPINGS.values()]
assert set(module.NODE_CLASS_MAPPINGS) == set(module.NODE_DISPLAY_NAME_MAPPINGS)
assert not {{"torch", "translate", "numpy"}} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_node_translates_a_batch_as_the_translator_does(models, pictures):
    array = pictures.numpy()
    for direction in ("ab", "ba"):
        made = run_node("ImageTranslate", image=pictures, model=models["unpaired"], direction=direction)
        expected = Translator.load(models["unpaired"])(array, direction=direction)
        assert np.abs(made.numpy() - expected).max() < 1e-6
    with_alpha = torch.cat([pictures, torch.ones(2, 32, 40, 1)], dim=-1)
    assert torch.equal(run_node("ImageTranslate", image=with_alpha, model=models["unpaired"], direction="ba"), made)


def test_a_seed_counts_for_models_that_have_several_answers(models):
    drawing = torch.ones(1, 32, 32, 3)
    drawing[:, 8:24, 10:12] = 0
    call = {"image": drawing, "model": models["sketches"]}
    typical, first, again, second = (run_node("ImageTranslate", **call, seed=seed) for seed in (-1, 1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, second) and not torch.equal(first, typical)
    assert np.abs(first.numpy() - Translator.load(models["sketches"])(drawing.numpy(), seed=1)).max() < 1e-6


def test_the_strength_counts_for_models_that_have_one(models, pictures):
    weak, strong = (run_node("ImageTranslate", image=pictures, model=models["drift"], strength=s) for s in (0.0, 1.0))
    assert not torch.equal(weak, strong)
    assert np.abs(strong.numpy() - Translator.load(models["drift"])(pictures.numpy(), strength=1.0)).max() < 1e-6


def test_a_mask_is_filled_and_the_rest_stays(models, pictures):
    mask = torch.zeros(1, 32, 40)
    mask[:, 10:20, 10:20] = 1
    made = run_node("ImageTranslate", image=pictures, model=models["fill"], mask=mask)
    known = mask.expand(2, -1, -1) == 0
    assert torch.equal(made[known], pictures[known]) and not torch.equal(made[~known], pictures[~known])


def test_the_other_node_draws_pictures_of_seeds(models):
    made = run_node("ImageGenerate", model=models["faces"], seed=5, count=3, label="dog")
    expected = Sampler.load(models["faces"])(3, seed=5, label="dog")
    assert made.shape == (3, 32, 32, 3) and (np.rint(made.numpy() * 255) == expected).all()


def test_a_wrong_model_is_one_line(models, pictures):
    with pytest.raises(UserError, match="no such model"):
        run_node("ImageTranslate", image=pictures, model="nothing")
    with pytest.raises(UserError, match="makes no pictures|translates no pictures"):
        run_node("ImageTranslate", image=pictures, model=models["faces"])


# ---- the programs of docs/elsewhere.md


def program(language):
    """Return the text of the program in a language."""
    [found] = re.findall(rf"^```{language}\n(.*?)^```", (DOCS / "elsewhere.md").read_text(), re.MULTILINE | re.DOTALL)
    return found


@pytest.fixture(scope="module")
def onnx_model(tmp_path_factory):
    """Return an ONNX file in the form of `tools/export.py`, which blurs and inverts; sides are multiples of 4."""
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper, numpy_helper

    folder = tmp_path_factory.mktemp("onnx")
    kernel = np.zeros((3, 3, 3, 3), np.float32)
    for c in range(3):
        kernel[c, c] = -np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]], np.float32) / 16
    node = helper.make_node("Conv", ["picture", "kernel"], ["result"], pads=[1, 1, 1, 1])
    shape = ["batch", 3, "height", "width"]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("picture", "result")]
    graph = helper.make_graph([node], "blur", ends[:1], ends[1:], [numpy_helper.from_array(kernel, "kernel")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    recipe = {
        "kind": "translate", "channels": [3, 3], "size": 32, "multiple": 4, "min_side": 16, "fixed": 0, "whole": False,
        "sketch": False, "z": None, "output": "result",
    }  # fmt: skip
    model.metadata_props.add(key="image-translate", value=json.dumps(recipe))
    onnx.save(model, folder / "blur.onnx")
    (folder / "blur.json").write_text(json.dumps(recipe))
    return folder / "blur.onnx"


def expected_answer(pixels):
    """Blur and invert (H, W, 3) uint8; padding and cropping, done right, leave mirrored edges."""
    height, width = pixels.shape[:2]
    margins = [(-(-max(side, 16) // 4) * 4 - side) for side in (height, width)]
    spans = [(margin // 2, margin - margin // 2) for margin in margins]
    x = np.pad(pixels / 127.5 - 1, [*spans, (0, 0)], mode="reflect")
    x = np.pad(x, [(1, 1), (1, 1), (0, 0)])  # as Conv pads, with zeros
    taps = [(1, 0), (2, 1), (1, 2)]
    rows, columns = x.shape[0] - 2, x.shape[1] - 2
    y = -sum(a * b * x[i : i + rows, j : j + columns] for a, i in taps for b, j in taps) / 16
    (top, _), (left, _) = spans
    return np.rint(np.clip((y + 1) / 2, 0, 1) * 255)[top : top + height, left : left + width]


def check_program(run, suffix, tmp_path):
    """Run a program on pictures of awkward sizes; a difference of one level is rounding."""
    for height, width in ((32, 40), (21, 30), (16, 33)):
        pixels = np.random.default_rng(height).integers(0, 256, (height, width, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"in{suffix}")
        run(tmp_path / f"in{suffix}", tmp_path / f"out{suffix}")
        made = np.asarray(Image.open(tmp_path / f"out{suffix}").convert("RGB"))
        assert made.shape == pixels.shape and np.abs(made - expected_answer(pixels)).max() <= 1


NODE_MODULES = Path(os.environ.get("TRANSLATE_NODE_MODULES") or ROOT / ".node" / "node_modules")


@pytest.mark.skipif(
    not (which("node") and all((NODE_MODULES / name).is_dir() for name in ("onnxruntime-node", "sharp"))),
    reason="needs node, and onnxruntime-node and sharp in .node or in $TRANSLATE_NODE_MODULES",
)
def test_the_program_in_javascript(onnx_model, tmp_path):
    (tmp_path / "translate.mjs").write_text(program("js"))
    (tmp_path / "node_modules").symlink_to(NODE_MODULES.resolve())

    def run(source, target):
        words = ["node", tmp_path / "translate.mjs", onnx_model, source, target]
        subprocess.run(words, check=True, timeout=300)

    check_program(run, ".png", tmp_path)


@pytest.mark.skipif(
    not (which("g++") and os.environ.get("ONNXRUNTIME_ROOT")),
    reason="needs g++, and a release of ONNX Runtime in $ONNXRUNTIME_ROOT",
)
def test_the_program_in_cpp(onnx_model, tmp_path):
    root = Path(os.environ["ONNXRUNTIME_ROOT"])
    (tmp_path / "translate.cpp").write_text(program("cpp"))
    flags = ["-std=c++17", "-Wall", "-Wextra", "-Werror", f"-I{root / 'include'}", f"-L{root / 'lib'}", "-lonnxruntime"]
    words = ["g++", tmp_path / "translate.cpp", *flags, f"-Wl,-rpath,{root / 'lib'}", "-o", tmp_path / "translate"]
    subprocess.run(words, check=True)

    def run(source, target):
        subprocess.run([tmp_path / "translate", onnx_model, source, target], check=True, timeout=300)

    check_program(run, ".ppm", tmp_path)


# ---- the notebook


def run_notebook(folder):
    """Execute docs/notebook.ipynb in a folder; return its code cells."""
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    notebook = nbformat.read(DOCS / "notebook.ipynb", as_version=4)
    paths = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    place = {"metadata": {"path": folder}}
    client = nbclient.NotebookClient(notebook, timeout=600, kernel_name="python3", resources=place)
    client.execute(env=os.environ | {"PYTHONPATH": paths, "TRANSLATE_DATA": str(folder / "data")})
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def shown(cell, kind):
    """Return what a cell shows of a media type."""
    return ["".join(one.data[kind]) for one in cell.outputs if kind in one.get("data", {})]


def as_array(text):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(text))))


def test_the_notebook_trains_watches_and_translates(tmp_path):
    _, numbers, training, losses, load, photo, painting, back = run_notebook(tmp_path)
    steps = re.search(r"STEPS = [0-9, ]+?(\d+) ", numbers.source)[1]
    # one bar, updated in place, beside the lines of the log; and one grid, the newest
    bars = [one for one in shown(training, "text/html") if "━" in one]
    assert len(bars) == 1 and f"{steps}/{steps}" in bars[0] and bars[0].startswith("<pre")
    [grid] = shown(training, "image/png")
    files = sorted((tmp_path / "runs/notebook/samples").glob("step_*.png"))
    assert len(files) == 3 and (as_array(grid) == np.asarray(Image.open(files[-1]))).all()
    texts = [one.text for one in training.outputs if one.output_type == "stream"]
    assert len("".join(texts).splitlines()) < 25 and not any("%|" in text or "\r" in text for text in texts)
    # what the other cells show
    assert "cycle loss: " in losses.outputs[0].data["text/plain"]
    assert "Translator(landscapesA -> landscapesB and back, cycle fast" in load.outputs[0].data["text/plain"]
    pictures = [as_array(shown(cell, "image/png")[0]) for cell in (photo, painting, back)]
    assert {picture.shape for picture in pictures} == {(64, 64, 3)}
    assert all((one != other).any() for one, other in zip(pictures, pictures[1:], strict=False))


def test_the_notebook_is_stored_as_it_runs():
    notebook = json.loads((DOCS / "notebook.ipynb").read_text(encoding="utf-8"))
    assert notebook["nbformat"] == 4 and len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            compile("".join(cell["source"]), "notebook", "exec")
