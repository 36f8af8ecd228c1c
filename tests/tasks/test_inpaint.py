import pytest
import torch
import torch.nn.functional as F

from tests.tasks.test_tasks import SIZE, channels_of, make_batch, make_task
from translate.tasks import TASKS
from translate.tasks.inpaint import dilate, generator_input, rim_weight
from translate.utils.errors import OptionError
from translate.utils.factory import Factory

MANY, PLAIN = "inpaint, many answers", "inpaint"


def batch_of(variant=PLAIN, count=2):
    return make_batch(count=count, **channels_of(variant))


def nets_of(task):
    return torch.nn.ModuleDict({n: task.get_submodule(n) for n in task.exports}).eval()


def test_the_terms_of_one_output_follow_their_equations():
    task = make_task(PLAIN)
    task.D.eval()  # in training, every call of a spectral norm sharpens its estimate
    batch = batch_of()
    x = task(batch)
    image, hole = batch["image"], (batch["mask"] + 1) / 2
    completed = image * (1 - hole) + x["fake"] * hole
    torch.testing.assert_close(x["completed"], completed)
    real, fake = (task.D(torch.cat([y, batch["mask"]], 1)) for y in (image, completed))
    fm = sum(
        (f - r).abs().mean() for fs, rs in zip(fake, real, strict=True) for f, r in zip(fs[:-1], rs[:-1], strict=True)
    )
    away = (x["fake"] - image).abs()
    expected = {
        "gan": -sum(s[-1].mean() for s in fake) / 2,
        "fm": 10 * fm / 2,
        "hole": task.lambda_hole * (away * hole).mean(),
        "known": task.lambda_known * (away * (1 - hole)).mean(),
    }
    with task.train_only("G"):
        found = task.losses("G", x)
    assert found.keys() == expected.keys()
    for name, term in expected.items():
        torch.testing.assert_close(found[name], term, rtol=1e-4, atol=1e-5)
    with task.train_only("D"):
        d_loss = task.losses("D", x)["gan"]
    d_expected = sum(F.relu(1 - r[-1]).mean() + F.relu(1 + f[-1]).mean() for r, f in zip(real, fake, strict=True)) / 2
    torch.testing.assert_close(d_loss, d_expected, rtol=1e-4, atol=1e-5)


def test_only_the_better_of_two_outputs_has_to_be_near_the_picture():
    task = make_task(MANY)
    batch = batch_of(MANY)
    x = task(batch)
    hole = (batch["mask"] + 1) / 2
    away = [((x[name] - batch["image"]).abs() * hole).mean((1, 2, 3)) for name in ("fake", "other")]
    with task.train_only("G"):
        terms = task.losses("G", x)
    torch.testing.assert_close(terms["hole"], task.lambda_hole * torch.minimum(*away).mean())
    assert terms["seek"] > 0


def test_known_pixels_along_the_hole_weigh_tenfold():
    task = make_task("inpaint, context encoder")
    batch = batch_of("inpaint, context encoder")
    batch["mask"] = torch.full_like(batch["mask"], -1)
    batch["mask"][..., 8:24, 8:24] = 1
    x = task(batch)
    squared = ((x["fake"] - batch["image"]) ** 2)[..., 5:27, 5:27]
    weight = torch.full((22, 22), 10.0)
    weight[3:-3, 3:-3] = 1
    with task.train_only("G"):
        found = task.losses("G", x)["hole"]
    torch.testing.assert_close(found, task.lambda_hole * (squared * weight).sum() / (2 * 3 * SIZE * SIZE))


def test_the_rim_of_the_hole_weighs_more():
    known = torch.ones(1, 1, 96, 96)
    known[..., 20:, :] = 0
    near = rim_weight(known)[0, 0, :, 48]
    assert near[19] == 1
    assert near[20] == pytest.approx(1, abs=0.15)
    assert near[28] == pytest.approx(0.5, abs=0.1)
    assert near[40] == 0
    plain, rim = make_task(PLAIN), make_task(PLAIN, rim=4.0)
    batch = batch_of()
    torch.manual_seed(0)
    x = plain(batch)
    hole = (batch["mask"] + 1) / 2
    weight = hole * (1 + 4 * rim_weight(1 - hole))
    expected = rim.lambda_hole * (weight * (x["fake"] - batch["image"]).abs()).mean()
    with rim.train_only("G"):
        torch.testing.assert_close(rim.losses("G", x)["hole"], expected)


def test_a_region_grows_by_its_reach():
    region = torch.zeros(1, 1, 9, 9)
    region[..., 4, 4] = 1
    assert dilate(region, 2).sum() == 25


def test_the_hole_of_the_picture_never_reaches_the_network():
    for variant in (PLAIN, "inpaint, a generator of translation"):
        task, batch = make_task(variant), batch_of(variant)
        other = dict(batch, image=torch.where(batch["mask"] > 0, 0.5, batch["image"]))
        answer = task.predict(nets_of(task), batch)
        torch.testing.assert_close(answer, task.predict(nets_of(task), other))
        seen = generator_input(task.G, batch["image"], batch["mask"])
        assert seen.shape[1] == (4 if variant == PLAIN else 3)


def test_outputs_follow_from_z_or_seed_and_without_both_from_zero():
    task, batch = make_task(MANY), batch_of(MANY)
    for block in task.G.trunk:
        torch.nn.init.ones_(block.conv2.norm.weight)
    nets = nets_of(task)
    plain = task.predict(nets, batch)
    torch.testing.assert_close(plain, task.predict(nets, batch, z=torch.zeros(2, 3)))
    torch.testing.assert_close(task.predict(nets, batch, seed=4), task.predict(nets, batch, seed=4))
    torch.testing.assert_close(plain, task.predict(nets, batch))
    assert (task.predict(nets, batch, seed=4) - task.predict(nets, batch, seed=5)).abs().max() > 1e-5
    assert len(task.preview(nets, batch)) == 6


def test_without_an_adversary_there_is_no_discriminator():
    task = make_task("inpaint, partial convolutions")
    assert task.phases == {"G": ("G",)}
    assert not hasattr(task, "D")
    assert task.losses("G", task(batch_of())).keys() == {"hole", "known", "tv"}


@pytest.mark.parametrize(
    ("generator", "options", "message"),
    [
        ("context_encoder", {"z_dim": 4}, "fourier_resnet"),
        ("fourier_resnet", {"lambda_gan": 0.0, "lambda_fm": 1.0}, "multi_scale"),
        ("fourier_resnet", {"norm": "l3"}, "method.norm"),
    ],
)
def test_contradictory_options_are_refused(generator, options, message):
    networks = {"name": generator}, {"name": "multi_scale", "width": 4}
    task = TASKS["inpaint"]
    with torch.device("meta"), pytest.raises(OptionError, match=message):
        task(
            Factory(networks[0], task.generators, "generator", size=SIZE),
            Factory(networks[1], task.discriminators, "discriminator", size=SIZE),
            {"image": 3, "mask": 1},
            **options,
        )
