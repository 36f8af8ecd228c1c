import pytest
import torch

from tests.tasks.test_tasks import make_batch, make_task
from translate.networks import GENERATORS
from translate.tasks.drift import Drift, content_distance, patch_drift
from translate.tasks.feature_queue import FeatureQueue
from translate.tasks.losses.drifting import drifting_loss
from translate.tasks.losses.patch_samples import patch_samples
from translate.training.step import seed_step, train_step
from translate.utils.errors import OptionError
from translate.utils.factory import Factory


def nets_of(task):
    return torch.nn.ModuleDict({name: task.get_submodule(name) for name in task.exports})


def colours(step, count=8):
    """Bright pictures in place of a, dark ones in place of b, with the same shapes."""
    batch = make_batch(step, count, a=3, b=3)
    return {"a": batch["a"] * 0.2 + 0.5, "b": batch["b"] * 0.2 - 0.5}


def test_strength_leads_from_the_source_to_the_target():
    task = make_task("drift, pixels alone", queue=128, content_least=1e-3, content_most=10.0)
    optimizer = {"G": torch.optim.Adam(task.parameters_of("G"), 3e-3, betas=(0.9, 0.95))}
    for step in range(60):
        seed_step(0, step)
        train_step(task, colours(step), optimizer, precision="fp32")
    source = colours(99)["a"]
    z = [torch.full((1, 1), s) for s in (0.0, 0.5, 1.0)]
    means = [Drift.predict(nets_of(task), {"a": source}, direction="ab", z=one).mean().item() for one in z]
    assert 0.5 > means[0] > means[1] + 0.02 > means[2] + 0.04
    assert means[2] < 0.0  # more than half of the way


@pytest.mark.parametrize("direction", ["ab", "ba"])
def test_a_direction_is_one_call_of_its_own_generator(direction):
    task, batch = make_task("drift"), make_batch()
    G, z = Drift.generator_for(nets_of(task), direction, None, None)
    assert G is task.get_submodule(f"G_{direction}") and z.tolist() == [[Drift.strength]]
    source = batch[direction[0]]
    found = Drift.predict(nets_of(task), {direction[0]: source}, direction=direction)
    assert torch.equal(found, G(source, z.expand(2, -1)))
    own = torch.tensor([[0.1], [0.9]])
    assert torch.equal(Drift.predict(nets_of(task), batch, direction=direction, z=own), G(source, own))


def test_strengths_are_spread_over_the_batch():
    task, batch = make_task("drift"), make_batch(count=8)
    seen = [task(batch)["strength"].flatten() for _ in range(2)]
    assert all(((s.sort().values * 8).floor() == torch.arange(8)).all() for s in seen)
    assert not torch.equal(*seen)


def test_domains_of_other_channels():
    task = make_task("drift", channels={"a": 1, "b": 4})
    terms = task.losses("G", task(make_batch(a=1, b=4)))
    assert terms.keys() == {"drift_ab", "content_ab", "drift_ba", "content_ba"}
    assert all(term.isfinite() for term in terms.values())


def test_content_is_shape_and_colour_of_each_picture():
    pictures = make_batch(count=3)["a"]
    features = [torch.rand(3, 4, 8, 8), torch.rand(3, 4, 4, 4)]
    same = content_distance(pictures, pictures, features, features)
    assert same.shape == (3,) and same.abs().max() < 1e-6
    darker = content_distance(pictures, pictures - 0.25, features, features)
    assert torch.allclose(darker, torch.full((3,), 0.25), atol=1e-4)  # the lightness is relative, the colour is not
    other = content_distance(pictures, pictures, features, [features[0], -features[1]])
    assert torch.allclose(other, torch.full((3,), 8.0), atol=1e-4)  # twice the squared distance of opposite units
    gray = pictures.mean(1, keepdim=True)
    assert content_distance(pictures, gray, [], []).max() < 1e-4  # other channels: lightness alone


def test_patches_are_those_of_the_picture():
    x, features = torch.rand(2, 3, 32, 32), [torch.rand(2, 5, 8, 8), torch.rand(2, 6, 4, 4), torch.rand(2, 7, 2, 2)]
    patches = patch_samples(x, features, most=99)
    assert [p.shape[2] for p in patches] == [192, 192, 80, 24, 7]
    assert [p.shape[1] for p in patches] == [4, 16, 4, 4, 4]
    assert torch.equal(patches[2][1, 3].view(5, 4, 4), features[0][1, :, 4:, 4:])
    few = patch_samples(x, features, most=3)
    assert [p.shape[:2] for p in few] == [(2, 3)] * 5
    for points, all_points in zip(few, patches, strict=True):  # of their own picture, and each at most once
        equal = (points[:, :, None] == all_points[:, None]).all(3)
        assert (equal.sum(2) == 1).all() and (equal.sum(1) <= 1).all()


def test_patches_see_those_of_the_pictures_in_the_queue_alone():
    generated, real = torch.randn(2, 3, 4), torch.randn(3, 5, 4)
    queue = FeatureQueue(1, 4)
    queue.push([real])
    (stored,) = queue.read()
    assert stored.shape == (4, 5, 4) and queue.groups().tolist() == [0, 0, 0, -1]
    expected = drifting_loss(generated.flatten(0, 1), real.flatten(0, 1))
    assert torch.allclose(patch_drift(generated, stored, queue.groups()), expected, rtol=1e-4)


def test_what_cannot_drift_is_refused():
    with pytest.raises(OptionError, match="'skip_resnet' can be told no strength; say --netG skip_style_resnet"):
        Drift(Factory({"name": "skip_resnet"}, GENERATORS, "generator"), {"a": 3, "b": 3})
    with pytest.raises(OptionError, match="--content-least should be above 0 and at most --content-most"):
        make_task("drift", content_least=2.0)


def test_flat_pictures_have_finite_gradients():
    task, batch = make_task("drift"), make_batch()
    batch = {name: torch.full_like(x, 0.5) for name, x in batch.items()}
    torch.stack(list(task.losses("G", task(batch)).values())).sum().backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in task.parameters())
