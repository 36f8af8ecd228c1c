import pytest
import torch
import torch.nn.functional as F

from translate.metrics.squeezenet_features import SqueezeNetFeatures
from translate.utils.errors import UserError
from translate.utils.torchvision_door import import_torchvision


@pytest.fixture(scope="module")
def reference():
    """The network of torchvision, with random weights."""
    import_torchvision()
    from torchvision.models import squeezenet1_0

    torch.manual_seed(0)
    return squeezenet1_0().eval()


@pytest.fixture(scope="module")
def file(reference, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "squeezenet.pth"
    torch.save(reference.state_dict(), path)
    return path


def test_matches_torchvision_on_blue_green_red_less_their_means(reference, file):
    pictures = torch.randint(0, 256, (2, 3, 227, 227), generator=torch.Generator().manual_seed(0)).byte()
    red, green, blue = pictures.float().unbind(1)
    shown = torch.stack([blue - 104, green - 117, red - 123], dim=1)
    with torch.no_grad():
        wanted = reference.features(shown).mean(dim=(2, 3))
    wanted = wanted / wanted.square().mean(dim=1, keepdim=True).sqrt()
    net = SqueezeNetFeatures(file)
    torch.testing.assert_close(net(pictures), wanted, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(net(pictures.float() / 127.5 - 1), wanted, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("size", [28, 64, 300])
def test_pictures_of_any_size_are_brought_to_227_px(file, size):
    x = torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(0)) * 2 - 1
    net = SqueezeNetFeatures(file)
    found = net(x)
    assert found.shape == (1, net.num_features)
    large = F.interpolate(x, (227, 227), mode="bilinear", antialias=True)
    torch.testing.assert_close(found, net(large), rtol=1e-3, atol=1e-3)


def test_a_wrong_file_gets_one_line(tmp_path, reference, monkeypatch):
    wrong = {
        "missing.pth": ("no such file", None),
        "text.pth": ("cannot be read as a file of weights", b"not weights"),
        "empty.pth": ("cannot be read as a file of weights", b""),
    }
    for name, (_, data) in wrong.items():
        if data is not None:
            (tmp_path / name).write_bytes(data)
    torch.save({"features.0.weight": torch.zeros(64, 3, 3, 3)}, tmp_path / "other.pth")
    torch.save([1, 2], tmp_path / "list.pth")
    torch.save(reference, tmp_path / "module.pth")  # would execute code when read
    lines = {name: message for name, (message, _) in wrong.items()} | {
        "other.pth": "holds no weights of SqueezeNet 1.0",
        "list.pth": "holds no weights of SqueezeNet 1.0",
        "module.pth": "cannot be read as a file of weights",
        "": "cannot be read as a file of weights",
    }
    for name, message in lines.items():
        with pytest.raises(UserError, match=message) as error:
            SqueezeNetFeatures(tmp_path / name)
        assert "\n" not in str(error.value) and str(tmp_path / name) in str(error.value)
