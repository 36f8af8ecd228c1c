import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from translate.tasks.losses.perceptual import VGGFeatures, load_vgg, perceptual_loss, style_loss, total_variation
from translate.utils.errors import UserError
from translate.utils.torchvision_door import import_torchvision


@pytest.fixture(scope="module")
def reference():
    """The first three blocks of torchvision's network, with random weights."""
    import_torchvision()
    from torchvision.models import vgg16

    with torch.device("meta"):
        layers = vgg16().features[:17]
    torch.manual_seed(0)
    layers.to_empty(device="cpu")
    for p in layers.parameters():
        torch.nn.init.normal_(p, 0, 0.06 if p.dim() == 1 else (2 / p[0].numel()) ** 0.5)
    return layers.eval()


@pytest.fixture(scope="module")
def weights(reference):
    """As a whole vgg16's state dict names them, with some of what follows."""
    first = {f"features.{name}": value.half() for name, value in reference.state_dict().items()}
    return first | {"features.17.bias": torch.zeros(512), "classifier.6.bias": torch.zeros(1000)}


@pytest.fixture(scope="module")
def file(weights, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "vgg16.pth"
    torch.save(weights, path)
    return path


def test_names_and_shapes_are_torchvisions():
    import_torchvision()
    from torchvision.models import vgg16

    with torch.device("meta"):
        theirs, ours = vgg16().state_dict(), VGGFeatures().state_dict()
    assert list(ours) == list(theirs)[: len(ours)]
    assert all(theirs[name].shape == value.shape for name, value in ours.items())
    assert len(ours) == 14


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_features_are_those_of_torchvisions_network_after_its_normalisation(reference, weights, file, tmp_path, suffix):
    if suffix == ".safetensors":
        file = tmp_path / "vgg16.safetensors"
        save_file(weights, file)
    net = load_vgg(str(file))
    x = torch.rand(2, 3, 16, 24)
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    h = ((x.movedim(1, -1) - mean) / std).movedim(-1, 1)
    with torch.no_grad():
        expected = [reference[:stop](h) for stop in (5, 10, 17)]
    found = net(x * 2 - 1)
    assert [tuple(f.shape[1:]) for f in found] == [(64, 8, 12), (128, 4, 6), (256, 2, 3)]
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-2, atol=1e-2 * float(theirs.std()))
    assert not net.training
    assert not any(p.requires_grad for p in net.parameters())
    assert next(net.parameters()).dtype == torch.float32


def test_a_grey_picture_is_seen_as_its_three_equal_channels(file):
    net, x = load_vgg(file), torch.rand(1, 1, 16, 16) * 2 - 1
    for one, three in zip(net(x), net(x.expand(-1, 3, -1, -1)), strict=True):
        torch.testing.assert_close(one, three)


def test_a_file_that_is_not_vgg_16_is_one_line(weights, tmp_path):
    with pytest.raises(UserError, match=r"none\.pth: there is no such file of VGG-16 weights; give the state dict"):
        load_vgg(tmp_path / "none.pth")
    with pytest.raises(UserError, match="no such file"):
        load_vgg(tmp_path)
    for name in ("rubbish.pth", "rubbish.safetensors", "empty.pth", "empty.safetensors"):
        (tmp_path / name).write_bytes(b"rubbish\n" * 40 if name.startswith("rubbish") else b"")
        with pytest.raises(UserError, match=f"{name}: cannot be read as VGG-16 weights"):
            load_vgg(tmp_path / name)
    others = {
        "list.pth": [1, 2],
        "part.pth": {k: v for k, v in weights.items() if k != "features.10.weight"},
        "wrong.pth": weights | {"features.10.weight": torch.zeros(256, 128, 1, 1)},
        "words.pth": weights | {"features.10.weight": "words"},
    }
    for name, content in others.items():
        torch.save(content, tmp_path / name)
        missing = r"features.0.weight of shape \(64, 3, 3, 3\)" if name == "list.pth" else "features.10.weight"
        with pytest.raises(UserError, match=rf"{name}: is not VGG-16 \({missing}") as caught:
            load_vgg(tmp_path / name)
        assert "\n" not in str(caught.value)


class Harmful:
    def __reduce__(self):
        return print, ("ran",)


def test_a_file_cannot_run_code(tmp_path, capsys):
    torch.save(Harmful(), tmp_path / "harmful.pth")
    with pytest.raises(UserError, match="cannot be read") as caught:
        load_vgg(tmp_path / "harmful.pth")
    assert "\n" not in str(caught.value)
    assert "ran" not in capsys.readouterr().out


SHAPES = ((2, 4, 6, 8), (2, 5, 3, 4))


def features(seed):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape).astype(np.float32) for shape in SHAPES]


def test_the_perceptual_loss_is_equation_3():
    out, comp, truth = features(0), features(1), features(2)
    expected = 0.0
    for a, b, c in zip(out, comp, truth, strict=True):
        values = c[0].size
        for picture in range(2):
            expected += (np.abs(a[picture] - c[picture]).sum() + np.abs(b[picture] - c[picture]).sum()) / values / 2
    found = perceptual_loss(*([torch.from_numpy(x) for x in layers] for layers in (out, comp, truth)))
    assert found.item() == pytest.approx(expected, rel=1e-5)


def test_the_style_loss_is_equations_4_and_5():
    out, comp, truth = features(0), features(1), features(2)
    expected = 0.0
    for a, b, c in zip(out, comp, truth, strict=True):
        _, channels, height, width = c.shape
        K = 1 / (channels * height * width)
        for picture in range(2):
            wanted = np.einsum("chw,dhw->cd", c[picture], c[picture])
            for made in (a, b):
                S = np.einsum("chw,dhw->cd", made[picture], made[picture])
                expected += np.abs(K * (S - wanted)).sum() / channels**2 / 2
    tensors = [[torch.from_numpy(x) for x in layers] for layers in (out, comp, truth)]
    assert style_loss(*tensors).item() == pytest.approx(expected, rel=1e-5)
    shuffled = [x.flatten(2).flip(2).unflatten(2, x.shape[2:]) for x in tensors[2]]
    assert style_loss(shuffled, shuffled, tensors[2]).item() == pytest.approx(0, abs=1e-6)  # wherever things stand
    with torch.autocast("cpu", torch.bfloat16):
        assert style_loss(*tensors).item() == pytest.approx(expected, rel=1e-5)


def test_total_variation_is_equation_6():
    rng = np.random.default_rng(0)
    comp = rng.standard_normal((2, 3, 9, 11)).astype(np.float32)
    hole = np.zeros((2, 1, 9, 11), bool)
    hole[0, 0, 3:5, 4:7] = hole[1, 0, 0, 0] = hole[1, 0, 8, 10] = hole[1, 0, 8, 0] = True
    expected = 0.0
    for picture in range(2):
        R = np.zeros((9, 11), bool)
        for i, j in zip(*np.nonzero(hole[picture, 0]), strict=True):
            R[max(0, i - 1) : i + 2, max(0, j - 1) : j + 2] = True
        total = 0.0
        for i in range(9):
            for j in range(11):
                for y, z in ((i, j + 1), (i + 1, j)):
                    if y < 9 and z < 11 and R[i, j] and R[y, z]:
                        total += np.abs(comp[picture, :, y, z] - comp[picture, :, i, j]).sum()
        expected += total / comp[picture].size / 2
    mask = torch.from_numpy(hole)
    for region in (mask, mask.float(), mask.float() * 2 - 1):
        assert total_variation(torch.from_numpy(comp), region).item() == pytest.approx(expected, rel=1e-5)


def test_the_losses_train_the_hole(file):
    torch.manual_seed(0)
    net, truth = load_vgg(file), torch.rand(1, 3, 16, 16) * 2 - 1
    hole = torch.zeros(1, 1, 16, 16, dtype=torch.bool)
    hole[..., 4:12, 4:12] = True
    out = torch.zeros_like(truth).requires_grad_(True)
    comp = torch.where(hole, out, truth)
    seen = net(out), net(comp), net(truth)
    loss = perceptual_loss(*seen) + style_loss(*seen) + total_variation(comp, hole)
    loss.backward()
    assert out.grad.isfinite().all()
    assert out.grad[..., 4:12, 4:12].any()
