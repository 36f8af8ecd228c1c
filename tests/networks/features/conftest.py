import pytest
import torch

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
