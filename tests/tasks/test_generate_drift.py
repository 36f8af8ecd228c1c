import pytest
import torch
import torch.nn.functional as F

from tests.tasks.test_tasks import SIZE, make_batch, make_task
from translate.networks.features.load import load_features
from translate.tasks.generate_drift import draw_groups, fine_chroma
from translate.tasks.latents import draw_latents
from translate.tasks.losses.drifting import drifting_loss
from translate.training.step import seed_step, train_step
from translate.utils.errors import OptionError

PLAIN, LABELLED = "generate_drift", "generate_drift, labelled"


def test_samples_learn_to_resemble_the_two_training_pictures():
    task = make_task(PLAIN)
    optimizers = {"G": torch.optim.Adam(task.parameters_of("G"), 5e-3, betas=(0.9, 0.95))}
    real = torch.tensor([-0.8, 0.8])[:, None, None, None].expand(2, 3, SIZE, SIZE).repeat(8, 1, 1, 1).clone()
    real[:, 0] = 0.5
    for step in range(60):
        seed_step(0, step)
        optimizers["G"].param_groups[0]["lr"] = 5e-3 * (1 - step / 60)
        train_step(task, {"image": real}, optimizers, precision="fp32")
    samples = task.G(draw_latents(task.G, range(64)))
    distance = (samples[:, None] - real[None, :2]).abs().mean((2, 3, 4))
    assert distance.min(1).values.median() < 0.25  # gray ones would be 0.55 off, in the mean
    assert 16 < (distance.argmin(1) == 0).sum() < 48


def test_the_terms_are_the_drifting_losses_of_colours_and_features():
    task = make_task(PLAIN, features="efficientnet_lite0", lambda_features=0.5, queue=4)
    assert task.notes == ()
    batch = make_batch(count=4, image=3)
    terms = task.losses("G", task(batch) | {"fake": (fake := make_batch(1, 4, image=3)["image"])})
    colours = [F.avg_pool2d(x, 2).flatten(1) for x in (fake, batch["image"])]
    assert terms["colours"].item() == pytest.approx(drifting_loss(*colours).item(), rel=1e-4)
    net = load_features("efficientnet_lite0")
    pairs = zip(net(fake), net(batch["image"]), strict=True)
    expected = sum(drifting_loss(x.flatten(1), y.flatten(1)).item() for x, y in pairs)
    assert terms["features"].item() == pytest.approx(0.5 * expected, rel=1e-3)


def test_fine_chroma_sees_coloured_fringes_alone():
    side = 12
    ramp = torch.linspace(-1, 1, side).expand(1, 3, side, side)
    flat = torch.tensor([0.5, -0.5, 0.1])[:, None, None].expand(1, 3, side, side)
    assert fine_chroma(flat).abs().max() < 1e-6
    gray = torch.rand(1, 1, side, side).expand(1, 3, side, side)
    assert fine_chroma(gray).abs().max() < 1e-6 and fine_chroma(ramp).abs().max() < 1e-6
    line = flat.clone()
    line[:, 0, :, 6] += 0.5  # red
    red_green, blue_yellow = fine_chroma(line)[0, :, 6, 6]
    assert red_green.item() == pytest.approx(0.5 * 0.8) and blue_yellow.item() == pytest.approx(-0.25 * 0.8)
    assert fine_chroma(torch.rand(1, 3, 256, 256)).shape == (1, 2, 128, 128)


def test_weights_of_colours_and_chroma():
    fake, real = make_batch(1, 4, image=3)["image"], make_batch(count=4, image=3)
    terms = {}
    for weight in (0.0, 0.5):
        options = {"features": "efficientnet_lite0", "lambda_colours": 4.0, "lambda_chroma": weight}
        task = make_task(PLAIN, queue=4, **options)
        terms[weight] = task.losses("G", task(real) | {"fake": fake})
    assert terms[0.0].keys() == {"colours", "features"} and terms[0.5].keys() == {"colours", "chroma", "features"}
    colours = [F.avg_pool2d(x, 2).flatten(1) for x in (fake, real["image"])]
    assert terms[0.5]["colours"].item() == pytest.approx(4 * drifting_loss(*colours).item(), rel=1e-4)
    chroma = [fine_chroma(x).flatten(1) for x in (fake, real["image"])]
    assert terms[0.5]["chroma"].item() == pytest.approx(0.5 * drifting_loss(*chroma).item(), rel=1e-4)
    assert terms[0.5]["features"].item() == pytest.approx(terms[0.0]["features"].item(), rel=1e-5)
    alone = make_task(PLAIN, features="none", queue=4, lambda_colours=4.0, lambda_chroma=0.5)
    alone = alone.losses("G", alone(real) | {"fake": fake})
    assert alone.keys() == {"colours", "pixels"}
    assert alone["colours"].item() == pytest.approx(drifting_loss(*colours).item(), rel=1e-4)


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_pictures_may_have_any_number_of_channels(channels):
    task = make_task(PLAIN, {"image": channels}, features="efficientnet_lite0", lambda_chroma=0.5)
    optimizer = torch.optim.SGD(task.parameters_of("G"), 0.1)
    logs = train_step(task, make_batch(count=4, image=channels), {"G": optimizer}, precision="fp32")
    assert logs.keys() == {"G/colours", "G/features"} and all(term.isfinite() for term in logs.values())


def test_samples_come_in_groups_of_a_class():
    torch.manual_seed(0)
    ten, two = torch.ones(10), torch.ones(2)
    assert sorted(draw_groups(64, ten, 16).unique(return_counts=True)[1].tolist()) == [16] * 4
    assert draw_groups(64, two, 16).bincount().tolist() == [32, 32]
    assert len(draw_groups(10, ten, 16).unique()) == 1  # the batch is smaller than a group
    assert torch.cat([draw_groups(64, ten, 16) for _ in range(50)]).bincount(minlength=10).min() > 100
    assert sorted(draw_groups(4, torch.tensor([0, 3, 0, 1]), 2).unique().tolist()) == [1, 3]  # those that have come


def test_samples_of_a_class_drift_to_its_own_pictures():
    task = make_task(LABELLED, group=6)
    x = task(make_batch(count=6, image=1, label=3))
    drawn = int(x["label"][0])
    assert (x["label"] == drawn).all()
    before = torch.autograd.grad(task.losses("G", x)["colours"], x["fake"], retain_graph=True)[0]
    for changed in (drawn, (drawn + 1) % 3):
        for rows in task.real.features:
            others = rows[:-1][task.real.groups() == changed]
            rows[:-1][task.real.groups() == changed] = others.flip(1)
        after = torch.autograd.grad(task.losses("G", x)["colours"], x["fake"], retain_graph=True)[0]
        alike = F.cosine_similarity(before.flatten(), after.flatten(), 0)
        assert (alike < 0.9) if changed == drawn else (alike > 0.999)
        before = after


def test_unlabelled_pictures_and_classes_of_one_picture_are_no_obstacle():
    task = make_task(LABELLED)
    batch = make_batch(count=6, image=1, label=3)
    batch["label"] = torch.tensor([0, -1, 1, 1, -1, 1])  # one of the class 0, none of the class 2
    logs = train_step(task, batch, {"G": torch.optim.SGD(task.parameters_of("G"), 0.1)}, precision="fp32")
    assert all(term.isfinite() for term in logs.values())
    assert all(parameter.isfinite().all() for parameter in task.parameters())
    assert (task.real.groups() >= 0).sum() == 4


def test_without_features_the_user_is_told_what_is_lost():
    assert "without pretrained features, drifting compares pixels alone" in make_task(PLAIN).notes[0]


def test_what_cannot_drift_is_refused():
    with pytest.raises(OptionError, match="--group should be at least 2 pictures, got 1"):
        make_task(PLAIN, group=1)
    with pytest.raises(OptionError, match="--queue should be at least 2 pictures, got 0"):
        make_task(PLAIN, queue=0)
    with pytest.raises(OptionError, match="--batch-size 1: drifting needs at least 2"):
        make_task(PLAIN)(make_batch(count=1, image=3))
