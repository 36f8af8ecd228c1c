import pytest
import torch
import torch.nn.functional as F

from tests.tasks.test_tasks import SIZE, make_batch, make_task
from translate.networks import DISCRIMINATORS, GENERATORS
from translate.tasks import TASKS
from translate.tasks.hint_planes import generator_input
from translate.tasks.losses.adversarial import kl_to_normal, mode_seeking
from translate.tasks.pix2pix import draw_code, paper_loss, shift, typical_code
from translate.utils.errors import OptionError
from translate.utils.factory import Factory

MANY = "pix2pix, many answers"


def exported(task):
    return torch.nn.ModuleDict({n: task.get_submodule(n) for n in task.exports}).eval()


@pytest.mark.parametrize("variant", ["pix2pix", "pix2pix, unet and batch norm"])
def test_the_paper_preset_is_equation_4(variant):
    """Vanilla GAN on the concatenated pair, 100 L1, D's loss halved: every loss and every gradient."""
    task = make_task(variant)
    batch = make_batch(count=3)
    torch.manual_seed(1)
    x = task(batch)
    a, b, fake = batch["a"], batch["b"], x["fake"]
    torch.manual_seed(1)
    assert torch.equal(fake, task.G(a))
    bce = F.binary_cross_entropy_with_logits
    real_score, fake_score = task.D(torch.cat([a, b], 1)), task.D(torch.cat([a, fake.detach()], 1))
    d_loss = (bce(real_score, torch.ones_like(real_score)) + bce(fake_score, torch.zeros_like(fake_score))) / 2
    score = task.D(torch.cat([a, fake], 1))
    g_loss = bce(score, torch.ones_like(score)) + 100 * (fake - b).abs().mean()
    for phase, expected in {"G": g_loss, "D": d_loss}.items():
        with task.train_only(phase):
            found = sum(task.losses(phase, x).values())
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
        actual = torch.autograd.grad(found, task.parameters_of(phase), retain_graph=True)
        theirs = torch.autograd.grad(expected, task.parameters_of(phase), retain_graph=True)
        largest = max(g.abs().max() for g in theirs).item()
        for one, other in zip(actual, theirs, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4 * largest)


def test_the_terms_of_many_outputs_follow_their_equations():
    task = make_task(MANY)
    task.D.eval()  # in training, every call of a spectral norm sharpens its estimate
    batch = make_batch()
    torch.manual_seed(1)
    x = task(batch)
    a, b = batch["a"], batch["b"]
    torch.testing.assert_close(x["fake"], task.G(a, x["z"]), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(x["other"], task.G(a, x["drawn"]), rtol=1e-4, atol=1e-5)
    with task.train_only("G"):
        terms = task.losses("G", x)
    real, fake, other = (task.D(torch.cat([a, y], 1)) for y in (b, x["fake"], x["other"]))
    fm = sum(
        (f - r).abs().mean() for fs, rs in zip(fake, real, strict=True) for f, r in zip(fs[:-1], rs[:-1], strict=True)
    )
    gan = -sum(s[-1].mean() for s in (*fake, *other)) / 4
    distribution = torch.distributions.Normal(x["mean"], (0.5 * x["log_variance"]).exp())
    kl = torch.distributions.kl_divergence(distribution, torch.distributions.Normal(0.0, 1.0)).sum(1).mean()
    apart = (x["fake"] - x["other"]).abs().mean((1, 2, 3))
    expected = {
        "gan": gan,
        "l1": task.lambda_l1 * (x["fake"] - b).abs().mean(),
        "fm": 10 * fm / 2,
        "kl": task.lambda_kl * kl,
        "z": task.lambda_z * (task.E(x["other"])[0] - x["drawn"]).abs().mean(),
        "seek": task.lambda_seek * ((x["z"] - x["drawn"]).abs().mean(1) / (apart + 0.05)).mean(),
        "paper": torch.tensor(0.0),
    }
    assert terms.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(terms[name], value, rtol=1e-4, atol=1e-5, msg=name)
    with task.train_only("D"):
        d_loss = sum(task.losses("D", x).values())
    scores = [[s[-1].detach() for s in judged] for judged in (real, fake, other)]
    hinge = sum(
        F.relu(1 - r).mean() + (F.relu(1 + f).mean() + F.relu(1 + o).mean()) / 2
        for r, f, o in zip(*scores, strict=True)
    )
    torch.testing.assert_close(d_loss, hinge / 2, rtol=1e-4, atol=1e-5)


def test_the_encoder_does_not_learn_from_fakes():
    task = make_task(MANY, lambda_l1=0.0, lambda_fm=0.0, lambda_kl=0.0, lambda_seek=0.0, lambda_z=1.0)
    with task.train_only("G"):
        term = task.losses("G", task(make_batch()))["z"]
    gradients = torch.autograd.grad(term, list(task.E.parameters()) + list(task.G.parameters()), allow_unused=True)
    count = len(list(task.E.parameters()))
    assert all(g is None or not g.any() for g in gradients[:count])
    assert any(g is not None and g.abs().sum() > 0 for g in gradients[count:])


def test_outputs_are_deterministic_without_seed_and_style():
    task, x = make_task(MANY), make_batch()
    for step in range(3):
        task(make_batch(step))
    nets, before = exported(task), torch.get_rng_state()
    one = task.predict(nets, x)
    assert torch.equal(one, task.predict(nets, x))
    assert torch.equal(task.predict(nets, x, seed=3), task.predict(nets, x, seed=3))
    assert not torch.equal(one, task.predict(nets, x, seed=3))
    assert torch.equal(torch.get_rng_state(), before)


def test_codes_are_drawn_from_those_of_the_encoder():
    looks = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0], [4.0, 3.0]])
    drawn = torch.stack([draw_code(looks, seed, jitter=0.0) for seed in range(50)])
    assert {tuple(z) for z in drawn.tolist()} == {tuple(z) for z in looks.tolist()}
    jittered = torch.stack([draw_code(looks, seed) for seed in range(2000)])
    nearest = torch.cdist(jittered, looks).argmin(1)
    spread = (jittered - looks[nearest]).std(0)
    torch.testing.assert_close(spread, 0.1 * looks.std(0), rtol=0.1, atol=0)


def test_the_typical_code_is_amid_the_commonest_look():
    torch.manual_seed(0)
    common, rare = torch.tensor([3.0, 0.0]), torch.tensor([-3.0, 0.0])
    looks = torch.cat([common + 0.1 * torch.randn(20, 2), rare + 0.5 * torch.randn(12, 2), torch.zeros(1, 2)])
    assert (typical_code(looks) - common).norm() < 0.1  # the mean is near 0, where one stray code is
    assert typical_code(looks[:1]).tolist() == looks[0].tolist()


def test_the_encoder_stores_its_codes_and_new_outputs_use_them():
    task, batch = make_task(MANY), make_batch()
    for _ in range(3):
        kept = {tuple(z) for z in task.E.looks.tolist()}
        x = task(batch)
        assert torch.equal(task.E.looks[:2], x["mean"])
        assert {tuple(z) for z in x["drawn"].tolist()} <= kept


def test_a_unet_draws_its_dropout_from_the_seed():
    task = TASKS["pix2pix"](
        Factory({"name": "unet_256", "width": 2}, GENERATORS, "generator"),
        Factory({"name": "patch_34", "width": 2}, DISCRIMINATORS, "discriminator"),
        {"a": 1, "b": 3},
    )
    nets, x = exported(task), {"a": torch.rand(1, 1, 256, 256)}
    torch.manual_seed(5)
    one = task.predict(nets, x)
    torch.manual_seed(6)
    assert torch.equal(one, task.predict(nets, x))
    assert torch.equal(task.predict(nets, x, seed=3), task.predict(nets, x, seed=3))
    assert not torch.equal(one, task.predict(nets, x, seed=3))


def test_a_shifted_picture_has_the_same_pixels():
    torch.manual_seed(0)
    picture = torch.rand(1, 3, 16, 16)
    moved = [shift(picture) for _ in range(20)]
    assert all(torch.equal(m.flatten().sort().values, picture.flatten().sort().values) for m in moved)
    assert len({m.sum((1, 2)).flatten().tolist()[0] for m in moved}) > 5


def test_the_style_code_is_the_encoders_mean():
    task, b = make_task(MANY), make_batch()["b"]
    assert torch.equal(task.encode_style(exported(task), b), task.E(b)[0])


def test_hints_are_colours_and_their_confidence():
    hint = torch.full((2, 4, 8, 8), -1.0)
    hint[0, :, 0, 0] = torch.tensor([0.5, -0.5, 1.0, 1.0])
    source = generator_input({"a": torch.zeros(2, 1, 8, 8), "hint": hint})
    assert source.shape == (2, 5, 8, 8)
    assert source[0, :, 0, 0].tolist() == [0, 0.5, -0.5, 1, 1]
    assert 0 < source[0, 4, 7, 7] < 1
    assert source[1].flatten(1).unique(dim=1).flatten().tolist() == [0, 0, 0, 0, -1]


def test_strokes_give_the_colours_in_every_style():
    task, batch = make_task(MANY, channels={"a": 1, "b": 3, "hint": 4}), make_batch(a=1, b=3, hint=4)
    batch["hint"][:, 3] = -1
    assert task.losses("G", task(batch))["hint"] == 0
    batch["hint"][:, 3] = 1
    x = task(batch)
    expected = task.lambda_l1 * (x["other"] - x["b"]).abs().mean()
    assert task.losses("G", x)["hint"].item() == pytest.approx(expected.item())


def test_gray_sources_colour_targets_and_hints():
    task = make_task(MANY, channels={"a": 1, "b": 3, "hint": 4})
    batch = make_batch(a=1, b=3, hint=4)
    assert task(batch)["fake"].shape == (2, 3, SIZE, SIZE)
    rows = task.preview(exported(task), batch)
    assert list(rows)[:3] == ["input", "hints", "answer"]
    assert all(row.shape == (2, 3, SIZE, SIZE) for row in rows.values())


def test_the_style_terms_against_plain_arithmetic():
    z, other = torch.tensor([[0.0, 1.0]]), torch.tensor([[1.0, 3.0]])
    black, gray = torch.full((1, 3, 4, 4), -1.0), torch.zeros(1, 3, 4, 4)
    assert mode_seeking(z, other, black, gray, slack=0.5).item() == pytest.approx(1.5 / 1.5)
    assert mode_seeking(z, other, black, black, slack=0.5).item() == pytest.approx(3.0)
    assert kl_to_normal(torch.zeros(2, 3), torch.zeros(2, 3)).item() == 0
    assert kl_to_normal(torch.tensor([[2.0, 0.0]]), torch.zeros(1, 2)).item() == pytest.approx(2.0)


def test_only_white_paper_has_to_stay_white():
    truth = torch.zeros(1, 3, 2, 2)
    truth[..., 0, 0] = 1.0
    truth[:, 0, 1, 1] = 1.0  # red is no paper
    assert paper_loss(torch.zeros(1, 3, 2, 2), truth).item() == pytest.approx(0.25)
    assert paper_loss(truth, truth).item() == 0


def test_contradictory_options_are_refused():
    with pytest.raises(OptionError, match="--z-dim 0"):
        make_task("pix2pix", z_dim=4)
    with pytest.raises(OptionError, match="--netD multi_scale"):
        make_task("pix2pix", lambda_fm=10.0)


def test_mode_seeking_falls_over_the_run():
    task, batch = make_task(MANY), make_batch()
    x = task(batch)
    found = []
    for progress in (0.0, 0.35, 0.7, 0.9):
        task.set_progress(progress)
        found.append(task.losses("G", x)["seek"].item())
    assert found[0] > 0
    assert found == pytest.approx([found[0], found[0] / 2, 0, 0], abs=1e-6)
