import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tests.tasks.test_tasks import SIZE, make_batch, make_task
from translate.tasks.generate import depth_at
from translate.tasks.latents import draw_latents, one_hot
from translate.training.step import seed_step, train_step
from translate.utils.errors import OptionError

PLAIN, LABELLED = "generate", "generate, relativistic, labelled, growing"


def test_samples_learn_to_resemble_the_two_training_pictures():
    task = make_task(PLAIN, gan="relativistic", lambda_r1=0.0, lambda_r2=0.0)
    optimizers = {p: torch.optim.Adam(task.parameters_of(p), 5e-3, betas=(0.0, 0.99)) for p in task.phases}
    real = torch.tensor([-0.8, 0.8])[:, None, None, None].expand(2, 3, SIZE, SIZE).repeat(4, 1, 1, 1).clone()
    real[:, 0] = 0.5
    for step in range(150):
        seed_step(0, step)
        train_step(task, {"image": real}, optimizers, precision="fp32")
    samples = task.G(draw_latents(task.G, range(64)))
    nearest = (samples[:, None] - real[None, :2]).abs().mean((2, 3, 4)).min(1).values
    assert nearest.median() < 0.3  # gray ones would be 0.55 off, in the mean


def test_the_adversarial_terms_are_those_of_the_papers():
    task = make_task(PLAIN, gan="vanilla", lambda_r1=0.0, lambda_r2=0.0)
    x = task(make_batch(count=4, image=3))
    real, fake = task.D(x["real"]), task.D(x["fake"])
    assert task.losses("G", x)["gan"].item() == pytest.approx(-F.logsigmoid(fake).mean().item(), rel=1e-5)
    expected = -(F.logsigmoid(real).mean() + F.logsigmoid(-fake).mean()) / 2
    assert task.losses("D", x)["gan"].item() == pytest.approx(expected.item(), rel=1e-5)
    assert task.extra_logs["real"].item() == pytest.approx(real.mean().item())
    assert task.extra_logs["fake"].item() == pytest.approx(fake.mean().item())
    task = make_task(PLAIN, gan="relativistic", lambda_r1=0.0, lambda_r2=0.0)
    assert task.losses("G", x)["gan"].item() == pytest.approx(-F.logsigmoid(fake - real).mean().item(), rel=1e-5)
    assert task.losses("D", x)["gan"].item() == pytest.approx(-F.logsigmoid(real - fake).mean().item(), rel=1e-5)


def test_extra_logs_are_logged_and_not_minimised():
    task = make_task(PLAIN)
    logs = train_step(
        task, make_batch(count=4, image=3), {"D": torch.optim.SGD(task.parameters_of("D"), 0.0)}, precision="fp32"
    )
    assert set(logs) == {"D/gan", "D/r1", "D/r2", "D/real", "D/fake"}


def test_a_real_picture_without_a_label_trains_real_or_fake_alone():
    task = make_task(LABELLED)
    batch = make_batch(count=4, image=1, label=3)
    batch["label"][:] = -1
    x = task(batch)
    assert x["label"].sum() == 0
    assert torch.equal(x["fake_label"].sum(1), torch.ones(4))  # fakes are of some class
    plain = task.D(x["real"])
    assert torch.equal(task.D(x["real"], x["label"]), plain)
    assert not torch.equal(task.D(x["real"], x["fake_label"]), plain)


def test_fakes_have_the_classes_of_the_real_pictures():
    task = make_task(LABELLED)
    batch = make_batch(count=6, image=1, label=3)
    x = task(batch)
    assert x["fake_label"].argmax(1).tolist() == batch["label"].tolist() == [0, 1, 2, 0, 1, 2]


def test_one_hot():
    assert one_hot(torch.tensor([1, -1, 0]), 3).tolist() == [[0, 1, 0], [0, 0, 0], [1, 0, 0]]


def test_the_latent_of_a_seed_is_always_the_same():
    task = make_task(PLAIN)
    whole = draw_latents(task.G, range(5))
    assert torch.equal(whole[3:], draw_latents(task.G, [3, 4]))
    assert torch.equal(whole[0], torch.from_numpy(np.random.default_rng(0).standard_normal(4).astype(np.float32)))
    uniform = draw_latents(make_task("generate, dcgan").G, range(50))
    assert uniform.abs().max() <= 1
    assert uniform.std().item() == pytest.approx(3**-0.5, rel=0.1)


def test_networks_grow_during_their_part_of_the_run():
    assert [depth_at(p, 4) for p in (0, 1 / 12, 1 / 6, 0.25, 1 / 3, 0.99, 1)] == pytest.approx(
        [1, 1.5, 2, 2, 2, 4, 4], abs=1e-6
    )
    task = make_task(LABELLED)
    task.set_progress(0.0)
    w = task.G.style(torch.randn(2, 4), one_hot(torch.tensor([0, 1]), 3))
    coarse, lowest = task.G.draw(w), task.G.levels[0](task.G.start(w).unflatten(1, (-1, 4, 4)), w)[1]
    for _ in range(3):
        lowest = F.interpolate(lowest, scale_factor=2, mode="bilinear")
    torch.testing.assert_close(coarse, torch.tanh(lowest))
    assert float(task.G.depth) == float(task.D.depth) == 1
    assert len(task.G.levels) == len(task.D.from_rgb) + 1  # D works on blocks of 2 x 2 px
    task.set_progress(0.5)
    assert float(task.G.depth) == len(task.G.levels)
    assert float(task.D.depth) == len(task.D.from_rgb)


def test_networks_that_cannot_grow_are_refused():
    with pytest.raises(OptionError, match="'dcgan' cannot grow; leave --grow out"):
        make_task("generate, dcgan", grow=0.5)


def test_predict_needs_the_exported_generator_only():
    task = make_task(LABELLED)
    nets = torch.nn.ModuleDict({"G": task.G})
    label = torch.eye(3)
    out = task.predict(nets, {"label": label}, seed=7)
    assert torch.equal(out, task.G(draw_latents(task.G, [7, 8, 9]), label))
