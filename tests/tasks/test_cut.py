import numpy as np
import pytest
import torch

from tests.tasks.test_tasks import make_batch, make_task
from translate.tasks.losses.patch_nce import PatchHeads, patch_nce
from translate.training.step import seed_step, train_step
from translate.utils.errors import OptionError
from translate.utils.factory import Factory


def test_patch_nce_is_the_cross_entropy_of_finding_the_place():
    rng = np.random.default_rng(0)
    queries, keys = (
        [x / np.linalg.norm(x, axis=-1, keepdims=True) for x in rng.standard_normal((2, 3, 5, 4))] for _ in "qk"
    )
    expected = []
    for q, k in zip(queries, keys, strict=True):
        for picture in range(3):
            for place in range(5):
                positive = np.exp(q[picture, place] @ k[picture, place] / 0.07)
                negatives = sum(
                    np.exp(q[picture, place] @ k[picture, other] / 0.07) for other in range(5) if other != place
                )
                expected.append(-np.log(positive / (positive + negatives)))
    found = patch_nce([torch.from_numpy(x) for x in queries], [torch.from_numpy(x) for x in keys])
    assert found.item() == pytest.approx(np.mean(expected), rel=1e-5)


def test_places_that_are_found_cost_nothing_and_no_gradient_reaches_the_keys():
    q, k = (torch.eye(6)[None].requires_grad_() for _ in "qk")
    loss = patch_nce([q], [k], temperature=0.01)
    assert loss.item() < 1e-6
    loss.backward()
    assert q.grad is not None and k.grad is None


def test_heads_see_the_same_places_of_all_pictures():
    heads = PatchHeads([3, 4], dim=8, patches=5)
    maps = [torch.randn(2, 3, 4, 4), torch.randn(2, 4, 1, 3)]
    places = heads.draw_places(maps)
    assert [len(index) for index in places] == [5, 3] and len(set(places[0].tolist())) == 5
    found = heads(maps, places)
    assert [tuple(x.shape) for x in found] == [(2, 5, 8), (2, 3, 8)]
    by_hand = heads.mlps[0](maps[0][1, :, places[0][2] // 4, places[0][2] % 4])
    torch.testing.assert_close(found[0][1, 2], by_hand / by_hand.norm())


@pytest.mark.parametrize(
    "net", [{"name": "resnet_9blocks", "width": 4}, {"name": "skip_resnet", "width": 4, "trunk": 4}]
)
def test_the_layers_of_a_generator_lead_to_its_output(net):
    task = make_task("cut")
    G = task.generators[net.pop("name")](**net)
    x = make_batch()["a"]
    torch.testing.assert_close(G.finish(G.layers(x)), G(x))


def test_keys_are_those_of_encoding_the_source_again():
    task, batch = make_task("cut"), make_batch()
    x = task(batch)
    again = task.G.layers(torch.cat([batch["a"], batch["b"]]))
    for i, layer in enumerate(again):
        torch.testing.assert_close(x[f"key {i}"], layer)
        assert not x[f"key {i}"].requires_grad
    torch.testing.assert_close(x["fake"], task.G(batch["a"]))


def test_a_mirrored_batch_is_compared_with_its_unmirrored_source():
    """Where G keeps its input, mirroring must cost nothing; the comparison is then of equal features."""
    task, batch = make_task("cut, mirrored", augment=0.0), make_batch()
    seen = set()
    for seed in range(8):
        torch.manual_seed(seed)
        x = task(batch)
        seen.add(bool(x["mirrored"]))
        source = batch["a"].flip(-1) if x["mirrored"] else batch["a"]
        torch.testing.assert_close(x["fakes"], task.G(source))
        for i, layer in enumerate(task.G.layers(batch["a"])):  # keys are never mirrored
            torch.testing.assert_close(x[f"key {i}"], layer)
        x["fakes"] = source.clone().requires_grad_()  # as if G returned its input
        found = task.G.layers(x["fakes"])
        back = [layer.flip(-1) if x["mirrored"] else layer for layer in found]
        torch.manual_seed(seed)
        places = task.H.draw_places(back)
        keys = task.H([x[f"key {i}"] for i in range(len(back))], places)
        torch.manual_seed(seed)
        assert patch_nce(*task._compared(x)).item() == pytest.approx(
            patch_nce(task.H(back, places), keys).item(), rel=1e-5
        )
    assert seen == {False, True}


def test_training_makes_places_recognisable():
    task = make_task("cut", lambda_nce=10.0)
    optimizers = {p: torch.optim.Adam(task.parameters_of(p), 2e-3, betas=(0.5, 0.999)) for p in task.phases}
    found = []
    for step in range(60):
        seed_step(0, step)
        found.append(train_step(task, make_batch(), optimizers, precision="fp32")["G/nce"].item())
    assert np.mean(found[-5:]) < 0.6 * np.mean(found[:5])


def test_generators_without_layers_and_unlike_domains_are_refused():
    unet = Factory({"name": "unet", "width": 2, "size": 32}, make_task("cut").generators, "generator")
    patch = Factory({"name": "patch_34", "width": 4}, make_task("cut").discriminators, "discriminator")
    with pytest.raises(OptionError, match="--netG unet shows no layers to compare"):
        type(make_task("cut"))(unet, patch, {"a": 3, "b": 3})
    with pytest.raises(OptionError, match="A has 1 channels and B has 3"):
        make_task("cut", channels={"a": 1, "b": 3})
