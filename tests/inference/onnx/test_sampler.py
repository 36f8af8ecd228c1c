import json
import subprocess
import sys

import numpy as np
import onnx
import pytest
from onnx import helper

from tests.export.models import model, network
from tests.inference.onnx.models import PICTURE, recipe, write
from translate import Sampler
from translate.export.graph import make_graph
from translate.export.onnx_export import build_onnx
from translate.export.recipes import make_recipe
from translate.images.io import read_rgb8
from translate.inference.onnx.recipe import KEY
from translate.inference.onnx.sampler import OnnxSampler
from translate.utils.errors import OptionError, UserError

CLASSES = ("cat", "dog", "owl")


def write_onnx(recipe, nets, path):
    """Export without the comparison."""
    graph = make_graph(recipe, nets, "ab")
    onnx.save(build_onnx(graph, make_recipe(recipe, nets, "ab", graph)), path)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Two generators and their ONNX files, by name: gray pictures by class, and one whose z is uniform."""
    root = tmp_path_factory.mktemp("generators")
    tiny = {"size": 32, "width": 4}
    for name, task, net, classes in (
        (
            "labelled",
            "generate_drift",
            network("style_synthesis", size=32, width=4, classes=3, out_channels=1),
            CLASSES,
        ),
        ("plain", "generate", network("dcgan", **tiny, z_kind="uniform"), ()),
    ):
        channels = {"image": net.out_channels} | ({"label": 3} if classes else {})
        (root / name).mkdir()
        file = root / name / "model.safetensors"
        made = model(file, task, {"G": net}, channels=channels, facts={"classes": list(classes)})
        write_onnx(*made, root / f"{name}.onnx")
    return root


@pytest.mark.parametrize("name", ["labelled", "plain"])
def test_a_seed_gives_the_picture_of_the_model(root, name):
    own, file = Sampler.load(root / name, "cpu"), Sampler.load(root / f"{name}.onnx", "cpu")
    assert isinstance(file, OnnxSampler) and isinstance(file, Sampler)
    assert (file.size, file.z_dim, file.classes, file.gray) == (own.size, own.z_dim, own.classes, own.gray)
    expected = own.draw_tensor(own.styles_of([3, 7, 2**40 + 1])).detach().numpy()
    np.testing.assert_allclose(file.planes([3, 7, 2**40 + 1]), expected, atol=1e-4)
    assert expected.std() > 1e-2
    for options in ({"count": 5, "seed": 2}, {"seeds": [8, 1]}):
        drawn, found = own(**options), file(**options)
        assert drawn.shape == found.shape and found.dtype == np.uint8
        assert np.abs(drawn.astype(int) - found).max() <= 1
    np.testing.assert_array_equal(file(seeds=[6])[0], file(9)[6])


@pytest.mark.parametrize("label", ["owl", "cat:0.5,dog:0.25", {"dog": 2, "owl": 1}])
def test_labels_and_mixes_of_labels(root, label):
    own, file = Sampler.load(root / "labelled", "cpu"), Sampler.load(root / "labelled.onnx", "cpu")
    found = file(4, label=label)
    assert np.abs(own(4, label=label).astype(int) - found).max() <= 1 and (found != file(4)).any()


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda s: s(truncation=0.7), "truncation needs styles: an ONNX file .* load the model that it was exported"),
        (lambda s: s(truncation=-1), "truncation -1 is out of range"),
        (lambda s: s(label="fish"), "knows no class 'fish'"),
        (lambda s: s(0), "count 0 is out of range"),
        (lambda s: s(seeds=[-2]), "seed -2 is out of range"),
        (lambda s: s.styles_of([1]), "gives no styles"),
        (lambda s: s.G, "gives no styles"),
    ],
)
def test_what_a_file_cannot_do_is_answered_in_a_line(root, call, reason):
    with pytest.raises(OptionError, match=reason):
        call(Sampler.load(root / "labelled.onnx", "cpu"))


def test_files_and_options_that_do_not_fit_are_named(root, tmp_path):
    with pytest.raises(OptionError, match="trained without labels"):
        Sampler.load(root / "plain.onnx")(label="cat")
    for options, reason in (
        ({"weights": "best"}, "one set of weights"),
        ({"base": "faces"}, "needs no other model"),
        ({"precision": "bf16"}, "exported in fp32"),
        ({"device": "mps"}, "--device mps"),
    ):
        with pytest.raises(OptionError, match=reason):
            Sampler.load(root / "plain.onnx", **options)
    with pytest.raises(UserError, match=r"makes no pictures of its own; use .*translate.folder"):
        Sampler.load(write(tmp_path / "x.onnx", made=recipe()))
    with pytest.raises(UserError, match="no such model"):
        Sampler.load(tmp_path / "missing.onnx")


def test_a_recipe_that_lies_is_refused(root, tmp_path):
    made = recipe(kind="generate", task="generate", domains=("faces",), inputs=(PICTURE,))
    with pytest.raises(UserError, match="recipe is damaged: it makes pictures from other inputs"):
        Sampler.load(write(tmp_path / "g.onnx", made=made))
    lying = onnx.load(root / "labelled.onnx")
    told = json.loads(lying.metadata_props[0].value)
    for change, reason in (({"classes": ["cat"]}, "recipe is damaged"), ({"fixed": 64}, "makes pictures of shape")):
        helper.set_model_props(lying, {KEY: json.dumps(told | change)})
        onnx.save(lying, tmp_path / "lying.onnx")
        with pytest.raises(UserError, match=reason):
            Sampler.load(tmp_path / "lying.onnx")(1)


def test_the_command_draws_without_torch(root, tmp_path):
    """In a process of its own."""
    out = tmp_path / "out"
    words = ["--model", str(root / "labelled.onnx"), "--count", "6", "--label", "owl"]
    words += ["--output", str(out), "--grid", str(tmp_path / "all.png")]
    code = f"""
import sys
from translate.cli.run import main
try:
    main("sample", {words!r})
finally:
    print("torch" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "False" and "wrote" in done.stdout, done.stdout + done.stderr
    assert read_rgb8(tmp_path / "all.png").shape == (2 * 34 - 2, 3 * 34 - 2, 3)
    expected = Sampler.load(root / "labelled", "cpu")(6, label="owl")
    for seed, pixels in enumerate(expected):
        assert np.abs(read_rgb8(out / f"{seed}.png").astype(int) - pixels).max() <= 1
