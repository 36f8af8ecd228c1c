import pytest
import torch

from tests.checkpoints.hub.fake_hub import FakeHub, serve
from translate.checkpoints.hub import fetch
from translate.checkpoints.model_file import export_model
from translate.checkpoints.recipe import Recipe
from translate.networks import GENERATORS
from translate.utils.factory import Factory


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """An empty Hub on this machine, and an empty cache; nobody is logged in."""
    from huggingface_hub import constants

    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no_token"))
    monkeypatch.setattr(constants, "HF_STORED_TOKENS_PATH", str(tmp_path / "no_tokens"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(fetch, "_fetched", {})
    state = FakeHub()
    with serve(state) as address:
        monkeypatch.setattr(constants, "ENDPOINT", address)
        template = address + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        state.address = address
        yield state


@pytest.fixture(scope="session")
def painter(tmp_path_factory):
    """The bytes of a tiny model."""
    torch.manual_seed(0)
    spec = {"name": "skip_resnet", "in_channels": 3, "out_channels": 3, "width": 8, "trunk": 8, "blocks": 1}
    nets = torch.nn.ModuleDict({name: Factory(spec, GENERATORS, name)() for name in ("G_ab", "G_ba")})
    recipe = Recipe(
        task="cycle", nets={name: spec for name in nets}, domains=("photos", "monet"), size=32, preset="fast", steps=6,
        data="abc",
    )  # fmt: skip
    path = tmp_path_factory.mktemp("painter") / "model.safetensors"
    export_model(nets, recipe, path)
    return path.read_bytes()
