import math

import numpy as np
import pytest
import torch

from translate.networks.transformers.attention import Attention, Transformer, TransformerBlock
from translate.utils.errors import OptionError


def with_noise(net):
    """A network whose every weight matters."""
    torch.manual_seed(0)
    for p in net.parameters():
        torch.nn.init.normal_(p, 0.0, 0.4)
    return net.requires_grad_(False)


def weights_of(net):
    return {name: p.double().numpy() for name, p in net.named_parameters()}


def plain_attention(w, x, heads):
    """Softmax attention of one picture's tokens (N, C), head by head and token by token, in float64."""
    q, k, v = np.split(x @ w["to_qkv.weight"].T + w["to_qkv.bias"], 3, axis=1)
    count, width = len(x), x.shape[1] // heads
    y = np.zeros_like(x)
    for head in range(heads):
        part = slice(head * width, (head + 1) * width)
        for i in range(count):
            weights = np.exp([q[i, part] @ k[j, part] / math.sqrt(width) for j in range(count)])
            y[i, part] = weights @ v[:, part] / weights.sum()
    return y @ w["mix.weight"].T + w["mix.bias"]


def plain_norm(w, name, x):
    x = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-5)
    return x * w[f"{name}.weight"] + w[f"{name}.bias"]


def plain_block(w, picture, tokens, heads):
    """A block on one picture (C, H, W) and its further tokens (n, C), in float64."""
    channels, height, width = picture.shape
    padded = np.pad(picture, ((0, 0), (1, 1), (1, 1)))
    h = picture + w["position.bias"][:, None, None]
    for down in range(3):
        for right in range(3):
            tap = w["position.weight"][:, 0, down, right, None, None]
            h = h + tap * padded[:, down : down + height, right : right + width]
    h = np.concatenate([tokens, h.reshape(channels, -1).T])
    inner = {name.removeprefix("attention."): p for name, p in w.items() if name.startswith("attention.")}
    h = h + w["scale1"] * plain_attention(inner, plain_norm(w, "norm1", h), heads)
    wide = plain_norm(w, "norm2", h) @ w["hidden.0.weight"].T + w["hidden.0.bias"]
    wide = wide * (1 + np.vectorize(math.erf)(wide / math.sqrt(2))) / 2  # GELU
    h = h + w["scale2"] * (wide @ w["hidden.2.weight"].T + w["hidden.2.bias"])
    return h[len(tokens) :].T.reshape(picture.shape), h[: len(tokens)]


@pytest.mark.parametrize(("heads", "count"), [(1, 7), (2, 30), (4, 256)])
def test_attention_is_softmax_of_products(heads, count):
    net = with_noise(Attention(8, heads))
    x = torch.randn(2, count, 8)
    expected = np.stack([plain_attention(weights_of(net), one, heads) for one in x.double().numpy()])
    torch.testing.assert_close(net(x).double(), torch.from_numpy(expected), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", [(3, 5), (4, 4)])
def test_a_block_is_that_of_the_papers(size):
    net = with_noise(TransformerBlock(8, 2))
    x, tokens = torch.randn(2, 8, *size), torch.randn(2, 1, 8)
    found = net(x, tokens)
    pairs = zip(x.double().numpy(), tokens.double().numpy(), strict=True)
    for i, (one, other) in enumerate(pairs):
        for actual, expected in zip(found, plain_block(weights_of(net), one, other, 2), strict=True):
            torch.testing.assert_close(actual[i].double(), torch.from_numpy(expected), rtol=1e-4, atol=1e-5)
    alone, none = net(x)
    expected, _ = plain_block(weights_of(net), x[0].double().numpy(), np.zeros((0, 8)), 2)
    assert none is None
    torch.testing.assert_close(alone[0].double(), torch.from_numpy(expected), rtol=1e-4, atol=1e-5)


def test_every_place_sees_every_other_and_the_tokens():
    net = Transformer(8, 1, 2)
    x, tokens = torch.randn(1, 8, 9, 9, requires_grad=True), torch.randn(1, 1, 8, requires_grad=True)
    y, _ = net(x, tokens)
    y[0, :, 0, 0].sum().backward()
    assert (x.grad.abs().sum((0, 1)) > 0).all() and (tokens.grad != 0).any()


def test_a_block_begins_near_the_identity():
    torch.manual_seed(0)
    net = Transformer(32, 4, 4)
    for block in net.blocks:
        torch.nn.init.zeros_(block.position.weight)
        torch.nn.init.zeros_(block.position.bias)
    x = torch.randn(2, 32, 8, 8)
    y, _ = net(x, torch.randn(2, 1, 32))
    assert 0 < (y - x).std() < 0.3


@pytest.mark.parametrize("heads", [0, 3])
def test_heads_that_do_not_divide_the_channels_are_refused(heads):
    with pytest.raises(OptionError, match=f"heads should divide the 8 channels of a token, got {heads}"):
        Attention(8, heads)
