import numpy as np
import pytest
import torch
from torch import nn

import translate
from translate.checkpoints.model_file import export_model
from translate.checkpoints.recipe import Recipe
from translate.inference.sampler import Sampler
from translate.networks import LATENT_GENERATORS
from translate.utils.errors import OptionError, UserError


def generator(name="style_synthesis", classes=0, **options):
    """A small untrained generator whose pictures differ visibly."""
    small = {"width": 8, "z_dim": 8, "size": 32} | ({"most": 16, "w_dim": 12} if name == "style_synthesis" else {})
    torch.manual_seed(0)
    options = small | {"classes": classes} | options
    G = LATENT_GENERATORS[name](**options)
    G.spec = {"name": name, **options}
    for layer in G.modules():
        if isinstance(layer, nn.BatchNorm2d):  # as after training: not the identity
            layer.running_mean.normal_(0, 0.1)
            layer.running_var.uniform_(0.2, 0.6)
    if name == "style_synthesis":
        for level in G.levels:
            level.to_rgb.weight.data.mul_(2)
    return G


def recipe_of(G, classes=()):
    channels = {"image": G.out_channels} | ({"label": len(classes)} if classes else {})
    return Recipe(
        task="generate", nets={"G": G.spec}, domains=("things",), size=G.size, preset="fast", steps=1, data="none",
        channels=channels, directions=(), whole=True, facts={"classes": list(classes)} if classes else {},
    )  # fmt: skip


def make(name="style_synthesis", classes=(), **options):
    G = generator(name, len(classes), **options)
    return Sampler(recipe_of(G, classes), nn.ModuleDict({"G": G}))


def save(folder, name="style_synthesis", classes=(), **options):
    G = generator(name, len(classes), **options)
    export_model(nn.ModuleDict({"G": G}), recipe_of(G, classes), folder / "model.safetensors")
    return folder


@pytest.fixture(scope="module")
def digits():
    return make(classes=("0", "1", "two"))


def test_a_model_file_is_loaded(tmp_path):
    save(tmp_path, classes=("cat", "dog"))
    sampler = translate.Sampler.load(tmp_path, "cpu")
    assert (sampler.size, sampler.z_dim, sampler.w_dim, sampler.classes) == (32, 8, 12, ("cat", "dog"))
    assert sampler.precision == "fp32" and sampler.file == tmp_path / "model.safetensors" and not sampler.gray
    pictures = sampler(2)
    assert pictures.shape == (2, 32, 32, 3) and pictures.dtype == np.uint8
    np.testing.assert_array_equal(pictures, make(classes=("cat", "dog"))(2))


@pytest.mark.parametrize("name", ["style_synthesis", "dcgan"])
@pytest.mark.parametrize("classes", [(), ("a", "b", "c")])
def test_a_seed_gives_the_same_picture_in_any_batch(name, classes):
    sampler = make(name, classes)
    many = sampler(21, seed=5)
    for call, rows in (
        (sampler(1, seed=9), [4]),
        (sampler(seeds=[25, 7, 6]), [20, 2, 1]),
        (sampler(9, seed=6, truncation=1.0), range(1, 10)),
    ):
        np.testing.assert_array_equal(call, many[list(rows)])
    assert len({picture.tobytes() for picture in many}) == 21  # and another seed gives another one


@pytest.mark.parametrize(
    ("kind", "reference"),
    [
        ("normal", lambda rng: rng.standard_normal(8)),
        ("uniform", lambda rng: rng.uniform(-1, 1, 8)),
    ],
)
def test_latents_match_numpy(kind, reference):
    z = make("dcgan", z_kind=kind).latents([3, 2**60])
    expected = [reference(np.random.default_rng(seed)).astype(np.float32) for seed in (3, 2**60)]
    np.testing.assert_array_equal(z.numpy(), np.stack(expected))


def test_pictures_match_the_network(digits):
    label = torch.tensor([[0.0, 1.0, 0.0]])
    with torch.no_grad():
        x = digits.G(digits.latents([4]), label)[0]
    expected = ((x + 1) * 127.5).round().clamp(0, 255).permute(1, 2, 0)
    assert np.abs(digits(seed=4)[0] - expected.numpy()).max() <= 1
    assert x.std() > 0.05


def test_gray_pictures_have_three_equal_channels():
    sampler = make(out_channels=1)
    (picture,) = sampler()
    assert sampler.gray and picture.shape == (32, 32, 3)
    assert (picture == picture[..., :1]).all() and picture.std() > 1


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("two", [0, 0, 1]),
        ("0:0.5,two:0.5", [0.5, 0, 0.5]),
        ("0, 1:3", [0.25, 0.75, 0]),
        ({"0": 2, "1": 2}, [0.5, 0.5, 0]),
        ({0: 1}, [1, 0, 0]),
        (1, [0, 1, 0]),
    ],
)
def test_labels(digits, label, expected):
    assert digits.weights_of(range(2), label).tolist() == [expected, expected]


def test_without_a_label_the_class_is_the_seed_modulo_k(digits):
    assert digits.weights_of(range(4)).argmax(1).tolist() == [0, 1, 2, 0]
    assert digits.weights_of([5, 3]).argmax(1).tolist() == [2, 0]
    assert make().weights_of(range(4)) is None
    np.testing.assert_array_equal(digits(seed=5), digits(seed=5, label="two"))
    assert not np.array_equal(digits(seed=5), digits(seed=5, label="1"))


def test_a_class_name_may_have_the_form_of_a_mix():
    assert make(classes=("a:1", "a", "b,c")).weights_of(range(1), "a:1").tolist() == [[1, 0, 0]]
    assert make(classes=("a:1", "a", "b,c")).weights_of(range(1), "b,c").tolist() == [[0, 0, 1]]


def test_truncation_moves_styles_to_the_mean_of_the_label(digits):
    z, weights = digits.latents([1, 2]), digits.weights_of(range(2), "1")
    w = digits.styles(z, weights)
    seeds = range(10_000, 12_000)  # an estimate of the mean of its own
    mean = digits.styles(digits.latents(seeds), digits.weights_of(range(2000), "1")).mean(0)
    spread = digits.styles(digits.latents(seeds), digits.weights_of(range(2000), "1")).std(0)
    middle = digits.styles(z, weights, 0.0)
    assert (middle[0] == middle[1]).all() and ((middle[0] - mean).abs() < 0.15 * spread + 1e-6).all()
    torch.testing.assert_close(digits.styles(z, weights, 0.7), middle + 0.7 * (w - middle))
    other = digits.styles(z, digits.weights_of(range(2), "0"), 0.0)
    assert (other[0] - middle[0]).norm() > 0.1 * spread.norm()


def test_styles_and_pictures_are_differentiable(digits):
    z = digits.latents([0, 1, 2]).requires_grad_()
    w = digits.styles(z, digits.weights_of(range(3), "1"), 0.7)
    x = digits.draw_tensor(w)
    assert x.shape == (3, 3, 32, 32) and x.min() >= -1 and x.max() <= 1
    x[1].sum().backward()
    moved = z.grad.abs().sum(1) > 0
    assert moved.tolist() == [False, True, False]
    assert all(parameter.grad is None for parameter in digits.G.parameters())


def test_bf16_draws_nearly_the_same():
    G = generator()
    rough = Sampler(recipe_of(G), nn.ModuleDict({"G": G}), precision="bf16")(4).astype(int)
    assert 0 < np.abs(rough - make()(4)).mean() < 4


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: s(0), "count 0 is out of range"),
        (lambda s: s(seed=-1), "seed -1 is out of range"),
        (lambda s: s("3"), "count '3' is out of range; give a whole number from 1 on"),
        (lambda s: s(seed=1.5), "seed 1.5 is out of range; give a whole number from 0 on"),
        (lambda s: s(seeds=5), r"seeds 5 are no whole numbers; give a list such as \[3, 8\]"),
        (lambda s: s(seeds=[1.5]), r"seeds \[1.5\] are no whole numbers"),
        (lambda s: s(truncation="a"), "truncation 'a' is out of range"),
        (lambda s: s(label={"0": "x"}), "the weight 'x' is no number"),
        (lambda s: s(seeds=[]), "no seeds are given"),
        (lambda s: s(truncation=-0.1), "truncation -0.1 is out of range"),
        (lambda s: s(truncation=float("nan")), "truncation nan is out of range"),
        (lambda s: s(label="7"), "the model knows no class '7'; choose from 0, 1, two"),
        (lambda s: s(label="tow"), "did you mean 'two'"),
        (lambda s: s(label="0:x"), "the weight 'x' is no number"),
        (lambda s: s(label="0:0"), "weights are 0 or more, and not all 0"),
        (lambda s: s(label="0:-1,1:2"), "weights are 0 or more"),
        (lambda s: s(label={}), "weights are 0 or more"),
        (lambda s: s(label={"0": float("inf")}), "weights are 0 or more"),
        (lambda s: make()(label="0"), "trained without labels; leave --label out"),
    ],
)
def test_mistakes(digits, call, message):
    with pytest.raises(OptionError, match=message):
        call(digits)


def test_models_of_other_tasks_and_precisions_are_refused(tmp_path):
    recipe = Recipe(task="cycle", nets={}, domains=("a", "b"), size=64, preset="fast", steps=1, data="none")
    with pytest.raises(UserError, match="'cycle' makes no pictures of its own; use python tools/translate_folder.py"):
        Sampler(recipe, nn.ModuleDict())
    with pytest.raises(OptionError, match="precision 'fp8' is unknown"):
        Sampler.load(save(tmp_path), "cpu", "fp8")


def test_repr_tells_the_model_and_where_it_runs(digits):
    assert repr(digits) == "Sampler(things, generate fast, 1 steps, 3 classes, cpu fp32)"


def test_seeds_of_other_types_are_those_of_lists(digits):
    for seeds in (np.array([3, 8]), torch.tensor([3, 8]), iter([3, 8])):
        assert (digits(seeds=seeds) == digits(seeds=[3, 8])).all()
