import pytest
import torch
from torch import nn

from translate.export.students.cost import count_multiplications, count_parameters, shortest_in_turns
from translate.networks import GENERATORS
from translate.utils.factory import Factory


def built(name, **options):
    return Factory({"name": name, **options}, GENERATORS, "net")(in_channels=3, out_channels=3)


def by_hooks(net, *inputs):
    """Count multiplications from the shapes that pass through each layer."""
    total = [0]

    def add(layer, given, made):
        if isinstance(layer, nn.Linear):
            total[0] += layer.in_features * made.numel()
        elif isinstance(layer, nn.ConvTranspose2d):
            total[0] += given[0].numel() * layer.out_channels // layer.groups * layer.kernel_size[0] ** 2
        else:
            total[0] += made.numel() * layer.in_channels // layer.groups * layer.kernel_size[0] ** 2

    hooks = [
        m.register_forward_hook(add) for m in net.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d | nn.Linear)
    ]
    net(*inputs)
    for hook in hooks:
        hook.remove()
    return total[0]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("compact_resnet", {"z_dim": 4}),
        ("compact_resnet", {"fold": 4, "width": 24}),
        ("style_resnet", {"width": 8, "most": 16, "z_dim": 3, "upsample": "bilinear"}),
        ("unet_128", {"width": 4}),
    ],
)
def test_multiplications_are_those_of_the_layers(name, options):
    net, size = built(name, **options).eval(), 128
    inputs = [torch.zeros(1, 3, size, size), *([torch.zeros(1, net.z_dim)] if net.z_dim else [])]
    with torch.no_grad():
        expected = by_hooks(net, *inputs)
    assert count_multiplications(net, size) == expected
    assert next(net.parameters()).device.type == "cpu"  # the network itself stays as it is


def test_parameters_are_counted():
    assert count_parameters(nn.ModuleDict({"a": nn.Linear(3, 4), "b": nn.Conv2d(2, 5, 3)})) == 16 + 95


def test_the_shortest_time_counts_and_passes_take_turns():
    calls = []
    passes = {name: lambda name=name: calls.append(name) for name in "ab"}
    times = shortest_in_turns(passes, torch.device("cpu"), rounds=5, seconds=9.0)
    assert calls == list("ab") * 6 and set(times) == {"a", "b"} and all(0 <= each < 0.1 for each in times.values())
    calls.clear()
    shortest_in_turns(passes, torch.device("cpu"), rounds=5, seconds=0.0)
    assert len(calls) == 2 * (1 + 3)
