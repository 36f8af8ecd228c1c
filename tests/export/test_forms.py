import pytest
import torch
from torch import nn

from tests.export.models import KINDS, SIZE, network
from translate.checkpoints.recipe import Recipe
from translate.export.forms import FourierByMatrices, Noise, UnshuffleByConvolution, to_graph_form, without_dropout
from translate.export.graph import make_graph
from translate.export.parity import make_case, own_run
from translate.export.recipes import make_recipe
from translate.networks import GENERATORS, LATENT_GENERATORS, MASKED
from translate.networks.fourier_resnet import FourierUnit
from translate.utils.errors import OptionError

PICTURES = [torch.randint(0, 256, (70, 90, 3), dtype=torch.uint8).numpy() for _ in range(2)]
TINY = {
    "style_resnet": {"width": 8, "most": 16, "blocks": 1, "z_dim": 3},
    "skip_style_resnet": {"width": 8, "trunk": 8, "blocks": 1, "z_dim": 1},
    "skip_resnet": {"width": 8, "trunk": 8, "blocks": 1},
    "vit_unet": {"width": 8, "most": 16, "blocks": 2, "z_dim": 3},
    "fourier_resnet": {"width": 8, "trunk": 16, "blocks": 1, "z_dim": 3},
    "context_encoder": {"size": SIZE, "width": 4},
    "partial_unet": {"size": SIZE, "width": 4},
    "style_synthesis": {"size": SIZE, "width": 4, "classes": 3, "grow": True},
    "dcgan": {"size": SIZE, "width": 4},
}


def options_of(name):
    if name in MASKED:
        return {"in_channels": 4} | TINY[name]
    if name in TINY:
        return TINY[name]
    return {"width": 4} | ({"size": 64} if name in ("unet", "resnet") else {})


def task_of(name):
    if name in LATENT_GENERATORS:
        return "generate"
    return "inpaint" if name in MASKED else "drift" if name == "skip_style_resnet" else "pix2pix"


@pytest.mark.parametrize("name", [*GENERATORS, *MASKED, *LATENT_GENERATORS])
def test_the_graph_computes_what_the_model_computes(name):
    task = task_of(name)
    net = without_dropout(network(name, **options_of(name)))
    nets = nn.ModuleDict({"G_ab": net, "G_ba": net} if task == "drift" else {"G": net})
    facts = {"domains": ("photos", "monet"), "channels": {"a": 3, "b": 3}} | KINDS[task]
    recipe = Recipe(task=task, nets={}, size=SIZE, preset="", steps=0, data="", **facts)
    graph = make_graph(recipe, nets, "ab")
    made = make_recipe(recipe, nets, "ab", graph)
    side = graph.fixed or max(32, 2 * graph.multiple)
    case = make_case(made, PICTURES, 2, side, graph.fixed or side + graph.multiple)
    assert list(case.feeds) == [entry.name for entry in graph.inputs]
    with torch.inference_mode():
        found = graph.module(*map(torch.from_numpy, case.feeds.values()))
    expected = torch.from_numpy(own_run(recipe, nets, "ab")(case.feeds))
    assert found.std() > 1e-3
    torch.testing.assert_close(found, expected, atol=3e-5, rtol=0)


@pytest.mark.parametrize(("height", "width"), [(8, 12), (9, 5), (16, 16)])
def test_matrices_transform_as_the_library(height, width):
    unit = FourierUnit(4).eval()
    nn.init.normal_(unit.norm.running_mean)
    x = torch.randn(2, 4, height, width)
    torch.testing.assert_close(FourierByMatrices(unit)(x), unit(x), atol=3e-6, rtol=0)


@pytest.mark.parametrize("factor", [2, 4])
def test_blocks_become_channels_bit_for_bit(factor):
    x = torch.randn(2, 3, 16, 24)
    assert torch.equal(UnshuffleByConvolution(factor)(x), nn.functional.pixel_unshuffle(x, factor))


def test_dropout_is_refused_or_left_out():
    net = network("unet_128", width=4)
    with pytest.raises(OptionError, match="--no-dropout"):
        to_graph_form(net, Noise(), dropout=True)
    form = to_graph_form(net, Noise(), dropout=False)
    x = torch.randn(1, 3, 128, 256)
    assert torch.equal(form(x), form(x)) and net.dropout == 0.5
    resnet = network("resnet_6blocks", width=4, dropout=0.5)
    with pytest.raises(OptionError, match="--no-dropout"):
        to_graph_form(resnet, Noise(), dropout=True)
    assert without_dropout(resnet).trunk[0].dropout == 0


@pytest.mark.parametrize("noise", ["concat", "add"])
def test_the_noise_of_a_unet_is_an_input(noise):
    net = network("unet_128", width=4, noise=noise, dropout=0.0)
    given = Noise()
    form = to_graph_form(net, given, dropout=True)
    x = torch.randn(1, 3, 128, 256)
    torch.manual_seed(3)
    expected = net(x)
    torch.manual_seed(3)
    given.given = [torch.randn_like(x[:, :1] if noise == "concat" else x)]
    torch.testing.assert_close(form(x), expected)
