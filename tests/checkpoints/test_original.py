"""Checkpoints of the originals, against the published layer lists, written down once more below."""

import pickle
import re

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.conftest import picture
from translate import Translator
from translate.checkpoints.model_file import load_model
from translate.checkpoints.original import load_original
from translate.cli.run import main
from translate.tasks import TASKS
from translate.utils.errors import UserError

NORMS = {
    "instance": nn.InstanceNorm2d,
    "batch": nn.BatchNorm2d,
    "none": lambda channels: nn.Identity(),
}


class Blur(nn.Module):
    """Every second pixel of what the kernel `filt` smooths; with `up` the reverse."""

    def __init__(self, channels, line, up=False):
        super().__init__()
        kernel = torch.outer(*2 * [torch.tensor(line) / sum(line)]) * (4 if up else 1)
        self.register_buffer("filt", kernel.expand(channels, 1, -1, -1).clone())
        self.up = up

    def forward(self, x):
        if self.up:
            framed = F.pad(x, (1, 1, 1, 1), mode="replicate")
            return F.conv_transpose2d(framed, self.filt, stride=2, padding=3, groups=len(self.filt))
        return F.conv2d(F.pad(x, (1, 1, 1, 1), mode="reflect"), self.filt, stride=2, groups=len(self.filt))


class Block(nn.Module):
    def __init__(self, channels, norm, dropout):
        super().__init__()
        bias = norm == "instance"
        half = [nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3, bias=bias), NORMS[norm](channels)]
        again = [nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3, bias=bias), NORMS[norm](channels)]
        self.conv_block = nn.Sequential(*half, nn.ReLU(), *([nn.Dropout(0.5)] if dropout else []), *again)

    def forward(self, x):
        return x + self.conv_block(x)


class PublishedResnet(nn.Module):
    def __init__(self, blocks=6, norm="instance", dropout=False, down=False, up=False, channels=(3, 3), width=4):
        super().__init__()
        bias = norm == "instance"
        layers = [nn.ReflectionPad2d(3), nn.Conv2d(channels[0], width, 7, bias=bias), NORMS[norm](width), nn.ReLU()]
        for c in (width, 2 * width):
            layers += [nn.Conv2d(c, 2 * c, 3, stride=1 if down else 2, padding=1, bias=bias), NORMS[norm](2 * c)]
            layers += [nn.ReLU()] + ([Blur(2 * c, [1.0, 2.0, 1.0])] if down else [])
        layers += [Block(4 * width, norm, dropout) for _ in range(blocks)]
        for c in (4 * width, 2 * width):
            layers += (
                [Blur(c, [1.0, 3.0, 3.0, 1.0], up=True), nn.Conv2d(c, c // 2, 3, padding=1, bias=bias)]
                if up
                else [nn.ConvTranspose2d(c, c // 2, 3, stride=2, padding=1, output_padding=1, bias=bias)]
            )
            layers += [NORMS[norm](c // 2), nn.ReLU()]
        layers += [nn.ReflectionPad2d(3), nn.Conv2d(width, channels[1], 7), nn.Tanh()]
        self.model = nn.Sequential(*layers)

    def forward(self, x):
        return self.model(x)


class Level(nn.Module):
    """One level of a U-Net, around the next one; the outermost gives back what it made alone."""

    def __init__(self, outer, inner, norm, inside=None, outermost=None):
        super().__init__()
        bias, self.outermost = norm == "instance", outermost is not None
        down = nn.Conv2d(outermost or outer, inner, 4, stride=2, padding=1, bias=bias)
        wide = inner if inside is None else 2 * inner
        up = nn.ConvTranspose2d(wide, outer, 4, stride=2, padding=1, bias=bias or self.outermost)
        if self.outermost:
            layers = [down, inside, nn.ReLU(), up, nn.Tanh()]
        elif inside is None:
            layers = [nn.LeakyReLU(0.2), down, nn.ReLU(), up, NORMS[norm](outer)]
        else:
            layers = [nn.LeakyReLU(0.2), down, NORMS[norm](inner), inside, nn.ReLU(), up, NORMS[norm](outer)]
        self.model = nn.Sequential(*layers)

    def forward(self, x):
        return self.model(x) if self.outermost else torch.cat([x, self.model(x)], 1)


class PublishedUnet(nn.Module):
    def __init__(self, levels=7, norm="batch", channels=(3, 3), width=2):
        super().__init__()
        widths = [width * min(2**i, 8) for i in range(levels)]
        level = None
        for outer, inner in zip(widths[-2::-1], widths[:0:-1], strict=True):
            level = Level(outer, inner, norm, level)
        self.model = Level(channels[1], width, norm, level, outermost=channels[0])

    def forward(self, x):
        return self.model(x)


def drawn(net, seed=0):
    """Draw all weights such that every one of them matters."""
    torch.manual_seed(seed)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
            nn.init.normal_(module.weight, 1, 0.2)
        elif isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0, module.weight[0].numel() ** -0.5)
        if getattr(module, "bias", None) is not None:
            nn.init.normal_(module.bias, 0, 0.1)
    return net.train()


def saved(net, path, change=lambda state: state):
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(change(net.state_dict()), path)
    return path


def answers(net, file, side, channels=3, **options):
    """Return what the published network says of a picture, and what ours says that was read from the file."""
    x = torch.rand(1, channels, side, side, generator=torch.Generator().manual_seed(1)) * 2 - 1
    recipe, nets = load_original(file, **options)
    with torch.no_grad():
        return net(x), TASKS[recipe.task].predict(nets, {"a": x}, direction="ab")


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize(("down", "up"), [(False, False), (True, True), (True, False), (False, True)])
@pytest.mark.parametrize(("blocks", "channels"), [(6, (3, 3)), (2, (1, 4)), (9, (3, 3))])
def test_a_resnet_is_recognised_and_gives_the_same_output(tmp_path, norm, down, up, blocks, channels):
    net = drawn(PublishedResnet(blocks, norm, down=down, up=up, channels=channels))
    actual, original = answers(net, saved(net, tmp_path / "latest_net_G.pth"), 24, channels[0])
    torch.testing.assert_close(actual, original, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize(("levels", "side", "channels"), [(7, 128, (3, 3)), (8, 256, (1, 2)), (5, 64, (3, 1))])
def test_a_unet_is_recognised_and_gives_the_same_output(tmp_path, norm, levels, side, channels):
    net = drawn(PublishedUnet(levels, norm, channels))
    actual, original = answers(net, saved(net, tmp_path / "latest_net_G.pth"), side, channels[0], dropout=False)
    torch.testing.assert_close(actual, original, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("norm", NORMS)
def test_dropout_in_a_resnet_is_recognised_and_stays_on(tmp_path, norm):
    net = drawn(PublishedResnet(norm=norm, dropout=True))
    file = saved(net, tmp_path / "latest_net_G.pth")
    recipe, _ = load_original(file)
    assert recipe.nets["G_ab"]["dropout"] == 0.5 and recipe.nets["G_ab"]["norm"] == norm
    assert load_original(file, dropout=False)[0].nets["G_ab"]["dropout"] == 0
    for module in net.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    torch.testing.assert_close(*answers(net, file, 24, dropout=False), rtol=1e-4, atol=1e-4)


def test_the_dropout_of_a_unet_is_on_by_default(tmp_path):
    file = saved(drawn(PublishedUnet()), tmp_path / "latest_net_G.pth")
    assert load_original(file)[0].nets["G"]["dropout"] == 0.5
    assert load_original(file, dropout=False)[0].nets["G"]["dropout"] == 0.0


@pytest.mark.parametrize(
    "net",
    [PublishedResnet(2, "batch"), PublishedResnet(2, "batch", True, True, True), PublishedUnet(), PublishedUnet(5)],
)
def test_averages_give_batch_norms_the_statistics_of_training(tmp_path, net):
    side = 128 if isinstance(net, PublishedUnet) else 24
    file = saved(drawn(net), tmp_path / "latest_net_G.pth")
    actual, original = answers(net.eval(), file, side, averages=True)
    torch.testing.assert_close(actual, original, rtol=1e-3, atol=1e-3)


def test_prefixes_of_wrappers_and_statistics_of_old_instance_norms_are_ignored(tmp_path):
    net = drawn(PublishedResnet(2))

    def aged(state):
        for layer in ("model.2", "model.10.conv_block.2", "model.20"):
            state |= {f"{layer}.running_mean": torch.ones(9), f"{layer}.running_var": torch.ones(9)}
        return {"state_dict": {f"module._orig_mod.{key}": tensor for key, tensor in state.items()}}

    # with two blocks the ways up begin at place 12
    file = saved(net, tmp_path / "latest_net_G.pth", lambda state: aged(dict(state)))
    torch.testing.assert_close(*answers(net, file, 24), rtol=1e-4, atol=1e-4)


def test_old_batch_norms_without_counts_are_loaded(tmp_path):
    net = drawn(PublishedUnet())

    def old(state):
        return {key: tensor for key, tensor in state.items() if "num_batches" not in key}

    file = saved(net, tmp_path / "latest_net_G.pth", old)
    torch.testing.assert_close(*answers(net, file, 128, dropout=False), rtol=1e-4, atol=1e-4)


@pytest.fixture
def both(tmp_path):
    """A folder horse2zebra with generators and discriminators of both directions."""
    folder = tmp_path / "horse2zebra_pretrained"
    for seed, letter in enumerate("AB"):
        saved(drawn(PublishedResnet(2), seed), folder / f"latest_net_G_{letter}.pth")
        D = nn.ModuleDict({"model": discriminator()})
        saved(drawn(D, seed), folder / f"latest_net_D_{letter}.pth")
    return folder


def discriminator(width=4):
    layers = [nn.Conv2d(3, width, 4, 2, 1), nn.LeakyReLU(0.2)]
    for c_in, c_out, stride in ((width, 2 * width, 2), (2 * width, 4 * width, 2), (4 * width, 8 * width, 1)):
        layers += [nn.Conv2d(c_in, c_out, 4, stride, 1), nn.InstanceNorm2d(c_out), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Conv2d(8 * width, 1, 4, 1, 1))


def test_both_directions_side_by_side_become_one_model(both):
    recipe, nets = load_model(both)
    assert (recipe.domains, recipe.directions, recipe.task) == (("horse", "zebra"), ("ab", "ba"), "cycle")
    back, same = load_model(both / "latest_net_G_B.pth")
    assert back.directions == ("ba", "ab")
    for name in ("G_ab", "G_ba"):
        assert all(map(torch.equal, nets[name].state_dict().values(), same[name].state_dict().values()))
    translator = Translator.load(both, precision="fp32")
    there, again = translator(picture(0)), translator(picture(0), "ba")
    assert there.shape == again.shape == picture(0).shape
    assert not np.array_equal(there, again)


def test_training_starts_from_an_original_with_its_discriminators(both, two_folders, tmp_path, capsys):
    out = tmp_path / "run"
    options = [
        "--a", str(two_folders[0]), "--b", str(two_folders[1]), "--out", str(out), "--steps", "1", "--size", "32",
        "--preset", "paper", "--netG", "resnet_9blocks", "--generator.blocks", "2", "--ngf", "4", "--ndf", "4",
        "--train.lr", "0", "--init", str(both), "--precision", "fp32", "--train.ema", "0", "--device", "cpu",
    ]  # fmt: skip
    with pytest.raises(SystemExit) as exit_:
        main("train-cycle", options)
    assert exit_.value.code == 0
    for actual, original in zip(load_model(out)[1].values(), load_model(both)[1].values(), strict=True):
        assert all(map(torch.equal, actual.state_dict().values(), original.state_dict().values()))
    state = torch.load(out / "state" / "last.pt", weights_only=True)["task"]
    for name, letter in (("D_b", "A"), ("D_a", "B")):  # their D_A judges what G_A makes
        D = torch.load(both / f"latest_net_D_{letter}.pth", weights_only=True)
        assert torch.equal(state[f"{name}.body.0.weight"], D["model.0.weight"])
        assert torch.equal(state[f"{name}.body.11.bias"], D["model.11.bias"])
    printed = capsys.readouterr().err
    assert "D_b starts from" in printed and "latest_net_D_A.pth" in printed


def test_an_imported_model_file_gives_the_same_output(both, tmp_path, capsys):
    out = tmp_path / "horse.safetensors"
    with pytest.raises(SystemExit) as exit_:
        main("import-checkpoint", ["--input", str(both), "--output", str(out), "--domains", "pony, zebra"])
    assert exit_.value.code == 0
    assert "pony to zebra and back" in capsys.readouterr().out
    image = picture(3, 41, 30)
    actual, original = (Translator.load(path, precision="fp32")(image) for path in (out, both))
    assert np.array_equal(actual, original)


def test_a_pth_file_translates_a_folder(both, tmp_path):
    (tmp_path / "in").mkdir()
    cv2.imwrite(str(tmp_path / "in" / "a.png"), picture(1))
    words = ["--model", str(both / "latest_net_G_A.pth"), "--input", str(tmp_path / "in"), "--precision", "fp32"]
    with pytest.raises(SystemExit) as exit_:
        main("translate-folder", [*words, "--output", str(tmp_path / "out")])
    assert exit_.value.code == 0
    expected = Translator.load(both, precision="fp32")(picture(1)[..., ::-1])
    assert np.array_equal(cv2.imread(str(tmp_path / "out" / "a.png"))[..., ::-1], expected)


class Trap:
    def __reduce__(self):
        return (exec, ("raise SystemError('code of the file was run')",))


def without(name):
    return lambda state: {key: tensor for key, tensor in state.items() if key != name}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without("model.4.bias"), "has no model.4.bias, which resnet_9blocks (in_channels 3, width 4, blocks 2"),
        (without("model.19.weight"), "has no model.19.weight"),
        (lambda s: s | {"model.4.weight": torch.ones(8, 4, 5, 5)}, "model.4.weight is (8, 4, 5, 5), not (8, 4, 3, 3)"),
        (lambda s: s | {"model.99.weight": torch.ones(1)}, "has model.99.weight, which resnet_9blocks"),
        (lambda s: {"encoder.0.weight": torch.ones(3)}, "its first name is encoder.0.weight; known are resnet_9blocks"),
        (lambda s: {"epoch": 3}, "holds no network"),
        (lambda s: {}, "holds no network"),
        (lambda s: {"model": Trap()}, "holds objects that are no tensors"),
    ],
)
def test_unknown_networks_are_refused_in_one_line(tmp_path, change, message):
    file = saved(drawn(PublishedResnet(2)), tmp_path / "latest_net_G.pth", lambda state: change(dict(state)))
    with pytest.raises(UserError, match=re.escape(message)):
        load_original(file)


def test_a_file_cut_short_and_a_bare_pickle_are_refused(tmp_path):
    file = saved(drawn(PublishedResnet(2)), tmp_path / "latest_net_G.pth")
    file.write_bytes(file.read_bytes()[:5000])
    with pytest.raises(UserError, match="cannot be read as a checkpoint"):
        load_original(file)
    file.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(UserError, match="latest_net_G.pth: "):
        load_original(file)
    with pytest.raises(UserError, match="no such model"):
        load_model(tmp_path / "none_net_G.pth")
    with pytest.raises(UserError, match="G.pth: is a URL; download the model first, and give the file"):
        load_model("https://example.org/latest_net_G.pth")


@pytest.mark.parametrize(
    ("command", "words", "message"),
    [
        (
            "train-cycle",
            ["--dataroot", "x"],
            "--dataroot is not an option here; instead: .* --data x$",
        ),
        ("train-cycle", ["--niter=100"], r"--niter is not an option here; .*train_cycle.py --epochs 100$"),
        (
            "train-pix2pix",
            ["--data", "x", "--direction", "BtoA"],
            "--direction BtoA .* --data x --direction ba$",
        ),
        ("translate-folder", ["--results_dir", "x"], "--results_dir is not an option here; .* --output x"),
        ("translate-folder", ["--eval"], "tools/import_checkpoint.py --averages"),
        ("import-checkpoint", ["--input", "x", "--domains", "horse"], "two names with a comma"),
        ("import-checkpoint", ["--input", "nowhere.pth"], "nowhere.pth: no such model"),
    ],
)
def test_old_options_are_answered_with_ours(command, words, message, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(command, words)
    assert exit_.value.code in (1, 2)
    error = capsys.readouterr().err
    assert re.search(message, error) and len(error.strip().splitlines()) == 1


def test_a_folder_may_be_named_like_an_old_direction(tmp_path, capsys):
    words = ["--model", str(tmp_path / "none"), "--input", "BtoA", "--output", "AtoB"]
    with pytest.raises(SystemExit):
        main("translate-folder", words)
    assert "no such model" in capsys.readouterr().err
