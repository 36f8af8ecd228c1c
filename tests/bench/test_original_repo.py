from contextlib import ExitStack

import pytest
import torch
from torch import nn

from translate.bench.cases import make_case
from translate.bench.original_repo import REQUIRED_FILES, OriginalRepo, original_weights
from translate.bench.worker import Worker
from translate.checkpoints.recipe import Recipe
from translate.networks.resnet import Resnet
from translate.utils.errors import OptionError

CPU = torch.device("cpu")


class Published(nn.Module):
    """The published generator as one long nn.Sequential: the reference for the names of the weights."""

    def __init__(self, width, blocks):
        super().__init__()

        def norm(channels):
            return [nn.InstanceNorm2d(channels), nn.ReLU()]

        layers = [nn.ReflectionPad2d(3), nn.Conv2d(3, width, 7), *norm(width)]
        for k in (1, 2):
            layers += [nn.Conv2d(k * width, 2 * k * width, 3, 2, 1), *norm(2 * k * width)]
        layers += [Block(4 * width) for _ in range(blocks)]
        for k in (4, 2):
            layers += [nn.ConvTranspose2d(k * width, k * width // 2, 3, 2, 1, 1), *norm(k * width // 2)]
        self.model = nn.Sequential(*layers, nn.ReflectionPad2d(3), nn.Conv2d(width, 3, 7), nn.Tanh())

    def forward(self, x):
        return self.model(x)


class Block(nn.Module):
    def __init__(self, channels):
        super().__init__()
        one, two = (
            [nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3), nn.InstanceNorm2d(channels)] for _ in "12"
        )
        self.conv_block = nn.Sequential(*one, nn.ReLU(), *two)

    def forward(self, x):
        return x + self.conv_block(x)


@pytest.mark.parametrize("blocks", [6, 9])
def test_the_original_computes_the_same_with_our_weights(blocks):
    torch.manual_seed(0)
    ours, theirs = Resnet(width=8, blocks=blocks), Published(8, blocks)
    for p in ours.parameters():
        nn.init.normal_(p, 0, 0.1)
    theirs.load_state_dict(original_weights(ours))
    x = torch.rand(1, 3, 32, 40) * 2 - 1
    with torch.no_grad():
        torch.testing.assert_close(ours(x), theirs(x), rtol=1e-4, atol=1e-4)


TRAIN = """
import torch
from models import create_model
model = create_model(None)
for i in range(1000):
    model.set_input(i)
    model.optimize_parameters()
raise SystemExit("it should have been ended before")
"""
MODEL = """
import time, torch
class Model:
    device = torch.device("cpu")
    def set_input(self, i):
        print("chatter", i)
        time.sleep(0.01)
    def optimize_parameters(self):
        time.sleep(0.03)
def create_model(options):
    return Model()
"""


@pytest.fixture
def checkout(tmp_path):
    """A folder with the layout of the original and a small training loop."""
    for part in REQUIRED_FILES:
        (tmp_path / part).parent.mkdir(exist_ok=True)
        (tmp_path / part).write_text("")
    (tmp_path / "train.py").write_text(TRAIN)
    (tmp_path / "models" / "__init__.py").write_text(MODEL)
    return tmp_path


def test_the_original_takes_steps_on_request(checkout):
    case = make_case("cycle", "paper", CPU, size=32, generator="resnet_6blocks")
    with ExitStack() as stack:
        command = OriginalRepo.open(str(checkout)).training_command(case, 32, stack)
        assert command and command[command.index("--netG") + 1] == "resnet_6blocks"
        assert command[command.index("--gpu_ids") + 1] == "-1"
        with Worker("the original", {}, command) as worker:
            # the time of both methods counts
            assert min(worker.facts["steady"], worker.take_turn(), worker.take_turn()) >= 0.04
            assert worker.peak >= 0


@pytest.mark.parametrize(
    ("task", "preset", "options", "generator"),
    [
        ("cycle", "paper", {"size": 256}, "resnet_9blocks"),
        ("cycle", "paper", {"size": 128}, "resnet_6blocks"),
        ("pix2pix", "paper", {"size": 256}, "unet_256"),
        ("pix2pix", "paper", {"size": 64}, None),
        ("cycle", "fast", {"size": 64}, None),
        ("generate", "paper", {}, None),
    ],
)
def test_only_networks_of_the_original_are_compared(checkout, task, preset, options, generator, monkeypatch):
    monkeypatch.setattr("translate.bench.original_repo.write_dataset", lambda *_: None)
    with ExitStack() as stack:
        case = make_case(task, preset, CPU, **options)
        command = OriginalRepo.open(str(checkout)).training_command(case, case.size, stack)
        assert (command and command[command.index("--netG") + 1]) == generator


def test_the_originals_test_script_gets_our_weights(checkout, tmp_path):
    peer = OriginalRepo.open(str(checkout))
    G = Resnet(width=8, blocks=6)
    recipe = Recipe(
        task="cycle", nets={"G_ab": {"name": "resnet"}}, domains=("a", "b"), size=32, preset="paper", steps=1, data=""
    )
    prepare = peer.test_command(recipe, nn.ModuleDict({"G_ab": G}), tmp_path / "images", 7, "cpu")
    command = prepare(tmp_path / "work")
    for name, value in (("--netG", "resnet_6blocks"), ("--ngf", "8"), ("--num_test", "7"), ("--gpu_ids", "-1")):
        assert command[command.index(name) + 1] == value
    saved = torch.load(tmp_path / "work" / "bench" / "latest_net_G.pth", weights_only=True)
    assert saved.keys() == Published(8, 6).state_dict().keys()
    with pytest.raises(OptionError, match="cannot run a cycle model of resnet"):
        peer.test_command(recipe, nn.ModuleDict({"G_ab": Resnet(width=8, blocks=2)}), tmp_path, 7, "cpu")


def test_a_folder_without_a_checkout_is_refused(tmp_path):
    with pytest.raises(OptionError, match=r"--peer .*: has no train.py; give a folder"):
        OriginalRepo.open(str(tmp_path))
