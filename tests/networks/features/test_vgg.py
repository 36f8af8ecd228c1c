import pytest
import torch
from safetensors.torch import save_file

from translate.networks.features.load import load_vgg
from translate.networks.features.vgg import VGG16
from translate.utils.errors import UserError
from translate.utils.torchvision_door import import_torchvision


def test_names_and_shapes_are_torchvisions():
    import_torchvision()
    from torchvision.models import vgg16

    with torch.device("meta"):
        theirs, ours = vgg16().state_dict(), VGG16().state_dict()
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
    assert not net.net.training
    assert not any(p.requires_grad for p in net.net.parameters())
    assert next(net.net.parameters()).dtype == torch.float32


def test_a_grey_picture_is_seen_as_its_three_equal_channels(file):
    net, x = load_vgg(file), torch.rand(1, 1, 16, 16) * 2 - 1
    for one, three in zip(net(x), net(x.expand(-1, 3, -1, -1)), strict=True):
        torch.testing.assert_close(one, three)


def test_a_file_that_is_not_vgg_16_is_one_line(weights, tmp_path):
    with pytest.raises(UserError, match=r"none\.pth: there is no such file of weights; give the state dict"):
        load_vgg(tmp_path / "none.pth")
    with pytest.raises(UserError, match="no such file"):
        load_vgg(tmp_path)
    for name in ("rubbish.pth", "rubbish.safetensors", "empty.pth", "empty.safetensors"):
        (tmp_path / name).write_bytes(b"rubbish\n" * 40 if name.startswith("rubbish") else b"")
        with pytest.raises(UserError, match=f"{name}: cannot be read as weights"):
            load_vgg(tmp_path / name)
    others = {
        "list.pth": [1, 2],
        "part.pth": {k: v for k, v in weights.items() if k != "features.10.weight"},
        "wrong.pth": weights | {"features.10.weight": torch.zeros(256, 128, 1, 1)},
        "words.pth": weights | {"features.10.weight": "words"},
    }
    for name, content in others.items():
        torch.save(content, tmp_path / name)
        reason = "holds no known features" if name == "list.pth" else r"is not VGG-16 \(features.10.weight"
        with pytest.raises(UserError, match=f"{name}: {reason}") as caught:
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
