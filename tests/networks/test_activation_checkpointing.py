import copy
from functools import partial

import pytest
import torch
from torch import nn
from torch.func import functional_call

from translate.networks import DISCRIMINATORS, ENCODERS, GENERATORS, LATENT_DISCRIMINATORS, LATENT_GENERATORS, MASKED
from translate.networks.activation_checkpointing import checkpoint_activations
from translate.networks.compact_resnet import CompactResnet
from translate.networks.patchgan import MultiScale, PatchGAN
from translate.networks.resnet import Resnet
from translate.networks.skip_style_resnet import SkipStyleResnet
from translate.networks.style_resnet import StyleResnet
from translate.networks.stylegan import ResidualDiscriminator
from translate.utils.memory import PeakMeter

PICTURE, HOLE, VECTOR = (2, 3, 64, 64), (2, 4, 64, 64), (3, 100)
NETS = {
    "resnet": (partial(GENERATORS["resnet"], size=64, width=4), [PICTURE]),
    "skip_resnet": (partial(GENERATORS["skip_resnet"], width=4, trunk=8), [PICTURE]),
    "skip_style_resnet": (partial(SkipStyleResnet, width=4, trunk=8, z_dim=1), [PICTURE, (2, 1)]),
    "compact_resnet": (partial(CompactResnet, width=4, trunk=8, z_dim=4), [PICTURE, (2, 4)]),
    "style_resnet, bilinear": (
        partial(StyleResnet, width=8, z_dim=4, style_dim=8, upsample="bilinear"),
        [PICTURE, (2, 4)],
    ),
    "style_resnet": (partial(StyleResnet, width=8, z_dim=4, style_dim=8), [PICTURE, (2, 4)]),
    "vit_unet": (partial(GENERATORS["vit_unet"], width=4, most=8, heads=2, z_dim=4), [PICTURE, (2, 4)]),
    "unet": (partial(GENERATORS["unet_128"], width=2, noise="concat"), [(1, 3, 128, 128)]),
    "fourier_resnet": (partial(MASKED["fourier_resnet"], width=4, trunk=8), [HOLE]),
    "context_encoder": (partial(MASKED["context_encoder"], size=64, width=4), [HOLE]),
    "partial_unet": (partial(MASKED["partial_unet"], size=64, width=4), [HOLE]),
    "style_synthesis": (partial(LATENT_GENERATORS["style_synthesis"], size=32, width=4, z_dim=100), [VECTOR]),
    "dcgan": (partial(LATENT_GENERATORS["dcgan"], size=32, width=4), [VECTOR]),
    "patch_batch": (partial(PatchGAN, width=4, norm="batch", detail=2.0), [PICTURE]),
    "patch_spectral": (partial(PatchGAN, width=4, norm="spectral"), [PICTURE]),
    "multi_scale": (partial(MultiScale, width=4, window=32), [PICTURE]),
    "residual": (partial(ResidualDiscriminator, size=32, width=4, norm="spectral"), [(4, 3, 32, 32)]),
    "dcgan_d": (partial(LATENT_DISCRIMINATORS["dcgan"], size=32, width=4), [(4, 3, 32, 32)]),
    "projected": (partial(DISCRIMINATORS["projected"], width=4, stages=3), [PICTURE]),
    "vit": (partial(DISCRIMINATORS["vit"], width=8, detail=2.0), [PICTURE]),
    "style_encoder": (partial(ENCODERS["style_encoder"], width=4), [PICTURE]),
    "plain": (
        lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(), nn.Conv2d(4, 1, 3)),
        [PICTURE],
    ),
}


def pair(make):
    """A network, and a copy of a copy that has its activations computed again."""
    torch.manual_seed(0)
    net = make().train()
    again = copy.deepcopy(net)
    checkpoint_activations(again)
    return net, copy.deepcopy(again)


def flat(output):
    return [output] if isinstance(output, torch.Tensor) else [x for part in output for x in flat(part)]


def step(net, inputs, *, frozen=False, bf16=False):
    """Two calls and a backward pass; return all that could depend on how that was done."""
    torch.manual_seed(1)
    inputs = [x.clone().requires_grad_() for x in inputs]
    net.zero_grad()
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        net.requires_grad_(not frozen)
        found = [x.float() for _ in range(2) for x in flat(net(*inputs))]
        net.requires_grad_(True)
    weighted = [(x * torch.linspace(-1, 1, x.numel()).view(x.shape)).sum() for x in found]
    torch.stack(weighted).sum().backward()
    grads = [x.grad for x in (*inputs, *net.parameters()) if x.grad is not None]
    return [*found, *grads, *(b.clone() for b in net.buffers()), torch.rand(4)]


def assert_equal(mine, theirs):
    assert len(mine) == len(theirs)
    assert all(torch.equal(x, y) for x, y in zip(mine, theirs, strict=True))


@pytest.mark.parametrize("bf16", [False, True], ids=["fp32", "bf16"])
@pytest.mark.parametrize("frozen", [False, True], ids=["learning", "frozen"])
@pytest.mark.parametrize("name", NETS)
def test_losses_gradients_and_statistics_keep_their_bits(name, frozen, bf16):
    make, shapes = NETS[name]
    net, again = pair(make)
    inputs = [torch.rand(shape, generator=torch.Generator().manual_seed(2)) * 2 - 1 for shape in shapes]
    for _ in range(2):  # the second step starts from the statistics of the first
        assert_equal(step(net, inputs, frozen=frozen, bf16=bf16), step(again, inputs, frozen=frozen, bf16=bf16))


def test_every_registered_network_is_among_those_tested():
    tested = {type(make()) for make, _ in NETS.values()}
    for table in (GENERATORS, MASKED, LATENT_GENERATORS, DISCRIMINATORS, LATENT_DISCRIMINATORS, ENCODERS):
        assert {type(make()) for make in table.values()} <= tested


def test_nothing_but_memory_changes_for_the_outside():
    net, again = pair(NETS["unet"][0])
    assert list(net.state_dict()) == list(again.state_dict())
    again.load_state_dict({name: torch.zeros_like(x) for name, x in net.state_dict().items()})
    assert again(torch.rand(1, 3, 128, 128)).abs().max() == 0  # a copy computes with its own weights


def test_a_backward_pass_may_be_repeated():
    net, again = pair(NETS["patch_spectral"][0])
    x = torch.rand(PICTURE)
    for one in (net, again):
        loss = one(x).square().sum()
        loss.backward(retain_graph=True)
        loss.backward()
    assert_equal([p.grad for p in net.parameters()], [p.grad for p in again.parameters()])
    assert_equal(list(net.buffers()), list(again.buffers()))


def test_without_gradients_nothing_is_computed_twice():
    calls = []
    net, again = pair(NETS["patch_batch"][0])
    again.body[0].register_forward_hook(lambda *_: calls.append(1))
    with torch.no_grad():
        again(torch.rand(PICTURE))
    assert len(calls) == 1
    again(torch.rand(PICTURE)).sum().backward()
    assert len(calls) == 3


def test_the_encoder_may_be_called_with_weights_that_do_not_learn():
    net, again = pair(NETS["style_encoder"][0])
    x = torch.rand(PICTURE, requires_grad=True)
    grads = []
    for one in (net, again):
        read, _ = functional_call(one, {name: p.detach() for name, p in one.named_parameters()}, (x,))
        grads += torch.autograd.grad(read.square().sum(), x)
    assert torch.equal(*grads)


@pytest.mark.parametrize("name", ["resnet", "patch_batch", "patch_spectral"])
def test_compiled_networks_learn_the_same(name):
    make, shapes = NETS[name]
    net, again = pair(make)
    again.compile(backend="aot_eager")
    inputs = [torch.rand(shape, generator=torch.Generator().manual_seed(2)) * 2 - 1 for shape in shapes]
    for mine, theirs in zip(step(net, inputs), step(again, inputs), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-3, atol=1e-3)  # the compiler adds up in another order


def cycle(size, *, again):
    """The peak memory, in bytes, of CycleGAN's generator calls, six pictures in three of them, and a backward pass."""
    nets = [Resnet(width=8) for _ in range(2)]
    if again:
        for net in nets:
            checkpoint_activations(net)
    G, F = nets
    with PeakMeter() as meter:
        a, b = torch.rand(2, 3, size, size).split(1)
        fake_b, same_b = G(torch.cat([a, b])).split(1)
        fake_a, rec_a, same_a = F(torch.cat([b, fake_b, a])).split(1)
        torch.cat([same_a, same_b, rec_a, G(fake_a)]).square().sum().backward()
    return meter.peak


def test_cyclegan_at_twice_the_size_takes_little_more_memory():
    assert cycle(128, again=True) < 1.4 * cycle(64, again=False)
    assert cycle(128, again=True) < cycle(128, again=False) / 2.5
