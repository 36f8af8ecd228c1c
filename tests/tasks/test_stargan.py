import pytest
import torch
import torch.nn.functional as F

from tests.tasks.test_tasks import channels_of, make_batch, make_task
from translate.tasks.losses.adversarial import gradient_penalty, wgan_d
from translate.training.step import train_step
from translate.utils.errors import OptionError


def prepared(variant, count=4, **options):
    task = make_task(variant, **options)
    torch.manual_seed(3)
    batch = make_batch(count=count, **channels_of(variant))
    return task, batch, task(batch)


def test_targets_are_the_labels_of_other_pictures():
    task, batch, x = prepared("stargan", count=8)
    rows = sorted(batch["attributes"].tolist())
    assert sorted(x["target"].long().tolist()) == rows and not torch.equal(x["target"], x["own"])


@pytest.mark.parametrize("mentioned", [False, True])
def test_wishes_are_relative_to_the_picture_and_may_name_what_is_there(mentioned):
    task = make_task("stargan")
    own = torch.tensor([[0.0, 1, 0], [1, 1, 0]])
    target = torch.tensor([[1.0, 1, 0], [0, 1, 1]])
    wish, back = task.wishes(own, target, torch.full((2, 3), mentioned))
    there = [1.0, -1.0] if mentioned else [0.0, 0.0]
    assert wish.tolist() == [[1, there[0], there[1]], [-1, there[0], 1]]
    assert torch.equal(target + back, own)


def test_the_wish_for_a_class_is_the_class():
    task = make_task("stargan, classes")
    own, target = torch.eye(2), torch.eye(2).flip(0)
    wish, back = task.wishes(own, target, torch.ones(2, 2, dtype=torch.bool))
    assert torch.equal(wish, target) and torch.equal(back, own)


def test_the_losses_are_those_of_the_paper():
    """By the equations (2) to (6) of the paper, with the discriminator called for one batch after the other."""
    task, batch, x = prepared("stargan", lambda_r1=0.0, lambda_keep=0.0, gan="vanilla")
    real, own, target, fake, back = batch["image"], x["own"], x["target"], x["fake"], x["back"]
    logits, entropy = task.D(real)[1], F.binary_cross_entropy_with_logits
    expected = {
        "gan": 0.5 * (F.softplus(-task.D(real)[0]).mean() + F.softplus(task.D(fake)[0]).mean()),
        "class": sum(entropy(logits[:, k], own[:, k]) for k in range(3)),
    }
    for name, term in task.losses("D", x).items():
        torch.testing.assert_close(term, expected[name], rtol=1e-4, atol=1e-5)
    expected = {
        "gan": F.softplus(-task.D(fake)[0]).mean(),
        "class": sum(entropy(task.D(fake)[1][:, k], target[:, k]) for k in range(3)),
        "cycle": 10 * (task.G(fake, back) - real).abs().mean(),
    }
    for name, term in task.losses("G", x).items():
        torch.testing.assert_close(term, expected[name], rtol=1e-4, atol=1e-5)


def test_classes_are_learned_by_cross_entropy():
    task, _, x = prepared("stargan, classes")
    expected = F.cross_entropy(task.D(x["real"])[1], x["own"].argmax(1))
    torch.testing.assert_close(task.losses("D", x)["class"], expected)


def test_the_gradient_penalty_is_that_of_a_known_slope():
    real, fake = torch.rand(3, 3, 4, 4), torch.rand(3, 3, 4, 4)
    slope = torch.randn(3, 4, 4)
    penalty = gradient_penalty(lambda x: (x * slope).sum((1, 2, 3)), real, fake)
    torch.testing.assert_close(penalty, (slope.norm() - 1).square())
    assert wgan_d(torch.tensor([2.0, 4.0]), torch.tensor([1.0])) == -2


def test_the_critic_learns_from_each_part_and_the_generator_from_the_last(monkeypatch):
    task = make_task("stargan, as published", critic=2)
    seen = []
    for phase, name in (("D", "losses_of_d"), ("G", "losses_of_g")):
        real = getattr(task, name)

        def note(x, *args, phase=phase, real=real):
            seen.append((phase, x))
            return real(x, *args)

        monkeypatch.setattr(task, name, note)
    batch = make_batch(count=4, **channels_of("stargan"))
    before = [p.detach().clone() for p in task.D.parameters()]
    optimizers = {p: torch.optim.SGD(task.parameters_of(p), 1e-3) for p in task.phases}
    logs = train_step(task, batch, optimizers, precision="fp32")
    assert [phase for phase, _ in seen] == ["D", "D", "G"] and set(logs) >= {"D/gan", "D/gp", "G/gan"}
    assert all(
        torch.equal(x, part) for (_, x), part in zip(seen, (*batch["image"].chunk(2), batch["image"][2:]), strict=True)
    )
    assert any(not torch.equal(p, old) for p, old in zip(task.D.parameters(), before, strict=True))
    with pytest.raises(OptionError, match="--critic 0 should be 1 or more"):
        make_task("stargan, as published", critic=0)


@pytest.mark.parametrize("variant", ["stargan", "stargan, classes"])
def test_the_preview_changes_one_label_a_row(variant):
    task, batch, _ = prepared(variant)
    nets = torch.nn.ModuleDict({"G": task.G})
    rows = task.preview(nets, batch)
    labels = task.G.z_dim
    assert list(rows) == ["input", *(f"label {k}" for k in range(labels))]
    for k in range(labels):
        z = torch.zeros(4, labels)
        z[:, k] = 1.0 if task.key == "classes" else 1 - 2.0 * batch["attributes"][:, k]
        torch.testing.assert_close(rows[f"label {k}"], task.G(batch["image"], z))
