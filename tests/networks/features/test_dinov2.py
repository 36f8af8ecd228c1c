import math

import numpy as np
import pytest
import torch

from translate.networks.features.dinov2 import DINOv2
from translate.networks.features.load import load_features
from translate.utils.errors import UserError

WIDTH, DEPTH, GRID = 128, 8, 3  # two heads
MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


def make_weights(registers=0):
    """Random weights with the published names and shapes, and some of what the network does not use."""
    shapes = {
        "cls_token": (1, 1, WIDTH), "pos_embed": (1, 1 + GRID**2, WIDTH), "mask_token": (1, WIDTH),
        "patch_embed.proj.weight": (WIDTH, 3, 14, 14), "patch_embed.proj.bias": (WIDTH,),
        "norm.weight": (WIDTH,), "norm.bias": (WIDTH,),
    }  # fmt: skip
    shapes |= {"register_tokens": (1, registers, WIDTH)} if registers else {}
    layers = {
        "norm1": (), "attn.qkv": (3 * WIDTH, WIDTH), "attn.proj": (WIDTH, WIDTH), "norm2": (),
        "mlp.fc1": (4 * WIDTH, WIDTH), "mlp.fc2": (WIDTH, 4 * WIDTH),
    }  # fmt: skip
    for i in range(DEPTH):
        for name, shape in layers.items():
            shapes |= {
                f"blocks.{i}.{name}.weight": shape or (WIDTH,),
                f"blocks.{i}.{name}.bias": (shape or (WIDTH,))[:1],
            }
        shapes |= {f"blocks.{i}.ls1.gamma": (WIDTH,), f"blocks.{i}.ls2.gamma": (WIDTH,)}
    rng = torch.Generator().manual_seed(0)
    return {name: torch.randn(shape, generator=rng) / math.sqrt(math.prod(shape[1:])) for name, shape in shapes.items()}


def resampling(n, m, kernel):
    """The matrix (m, n) that resamples n points to m, with centres of pixels at halves and the border repeated."""
    matrix = np.zeros((m, n))
    for i in range(m):
        centre = (i + 0.5) * n / m - 0.5
        for j in range(math.floor(centre) - 1, math.floor(centre) + 3):
            matrix[i, min(max(j, 0), n - 1)] += kernel(abs(centre - j))
    return matrix


def linear(d):
    return max(0.0, 1 - d)


def cubic(d, a=-0.75):
    """The kernel of Keys, 1981, with PyTorch's constant."""
    if d < 1:
        return (a + 2) * d**3 - (a + 3) * d**2 + 1
    return a * (d**3 - 5 * d**2 + 8 * d - 4) if d < 2 else 0.0


def layer_norm(x, w, name):
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-6) * w[f"{name}.weight"] + w[f"{name}.bias"]


def dense(x, w, name):
    return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]


def reference(picture, weights, rows, columns):
    """The transformer in NumPy, picture (3, H, W) in [-1, 1]: the normalised patch tokens after each block."""
    w = {name: x.double().numpy() for name, x in weights.items()}
    down, across = (resampling(n, 14 * m, linear) for n, m in zip(picture.shape[1:], (rows, columns), strict=True))
    picture = ((down @ picture @ across.T + 1) / 2 - MEAN[:, None, None]) / STD[:, None, None]
    cells = [picture[:, 14 * i : 14 * i + 14, 14 * j : 14 * j + 14] for i in range(rows) for j in range(columns)]
    kernel = w["patch_embed.proj.weight"].reshape(WIDTH, -1)
    tokens = np.stack([kernel @ cell.ravel() for cell in cells]) + w["patch_embed.proj.bias"]
    grid = w["pos_embed"][0, 1:].reshape(GRID, GRID, WIDTH)
    grid = np.einsum("rg,ch,ghd->rcd", resampling(GRID, rows, cubic), resampling(GRID, columns, cubic), grid)
    tokens = tokens + grid.reshape(-1, WIDTH)
    first = w["cls_token"][0] + w["pos_embed"][0, :1]
    x = np.concatenate([first, *([w["register_tokens"][0]] if "register_tokens" in w else []), tokens])
    outputs = []
    for i in range(DEPTH):
        qkv = dense(layer_norm(x, w, f"blocks.{i}.norm1"), w, f"blocks.{i}.attn.qkv")
        heads = []
        for head in range(WIDTH // 64):
            q, k, v = (qkv[:, n * WIDTH + 64 * head :][:, :64] for n in range(3))
            weight = np.exp(q @ k.T / 8)
            heads.append(weight / weight.sum(1, keepdims=True) @ v)
        x = x + w[f"blocks.{i}.ls1.gamma"] * dense(np.concatenate(heads, 1), w, f"blocks.{i}.attn.proj")
        h = dense(layer_norm(x, w, f"blocks.{i}.norm2"), w, f"blocks.{i}.mlp.fc1")
        h = h * (1 + np.vectorize(math.erf)(h / math.sqrt(2))) / 2
        x = x + w[f"blocks.{i}.ls2.gamma"] * dense(h, w, f"blocks.{i}.mlp.fc2")
        outputs.append(layer_norm(x, w, "norm")[-rows * columns :].T.reshape(WIDTH, rows, columns))
    return outputs


@pytest.mark.parametrize("registers", [0, 4])
def test_it_is_the_transformer_of_the_paper_on_a_grid_of_the_pictures_shape(tmp_path, registers):
    weights = make_weights(registers)
    torch.save({name: x.half() for name, x in weights.items()}, tmp_path / "dinov2.pth")
    weights = {name: x.half().float() for name, x in weights.items()}
    features = load_features(str(tmp_path / "dinov2.pth"))
    assert (features.channels, features.title) == ((WIDTH,) * 4, "DINOv2 ViT-128/14")
    pictures = torch.rand(2, 3, 33, 40) * 2 - 1
    found = features(pictures)
    assert [tuple(f.shape) for f in found] == [(2, WIDTH, 4, 5)] * 4
    expected = reference(pictures[1].double().numpy(), weights, 4, 5)
    for ours, theirs in zip(found, expected[1::2], strict=True):
        np.testing.assert_allclose(ours[1].numpy(), theirs, rtol=1e-3, atol=1e-3)


def test_large_pictures_have_a_token_for_16_px():
    net = DINOv2(make_weights())
    assert net(torch.zeros(1, 1, 192, 200))[0].shape == (1, WIDTH, 12, 12)
    assert net(torch.zeros(1, 3, 191, 400))[0].shape == (1, WIDTH, 24, 50)


def test_gradients_reach_the_pictures_alone(tmp_path):
    torch.save(make_weights(), tmp_path / "dinov2.pth")
    features = load_features(str(tmp_path / "dinov2.pth"))
    pictures = torch.zeros(1, 3, 32, 32, requires_grad=True)
    features(pictures)[-1].square().sum().backward()
    assert pictures.grad.abs().min() > 0
    assert not any(p.requires_grad for p in features.net.parameters())


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("patch_embed.proj.weight", (WIDTH, 3, 16, 16), r"patch_embed.proj.weight of shape \(128, 3, 16, 16\)"),
        ("patch_embed.proj.weight", (WIDTH + 4, 3, 14, 14), r"patch_embed.proj.weight of shape \(132, 3, 14, 14\)"),
        ("pos_embed", (1, GRID**2, WIDTH), "pos_embed of 9 tokens"),
        ("blocks.2.attn.qkv.weight", (WIDTH, WIDTH), "holds other weights"),
        ("blocks.5.mlp.fc1.weight", None, "'blocks.5.mlp.fc1.weight' is missing"),  # SwiGLU
        ("blocks.5.ls1.gamma", None, "'blocks.5.ls1.gamma' is missing"),  # another transformer
        ("pos_embed", None, "'pos_embed' is missing"),  # DINOv3
    ],
)
def test_other_transformers_are_one_line(tmp_path, name, shape, message):
    weights = make_weights()
    weights.pop(name) if shape is None else weights.update({name: torch.zeros(shape)})
    torch.save(weights, tmp_path / "other.pth")
    with pytest.raises(UserError, match=rf"other\.pth: .*{message}.*; give the state dict of .*DINOv2") as caught:
        load_features(str(tmp_path / "other.pth"))
    assert "\n" not in str(caught.value)
