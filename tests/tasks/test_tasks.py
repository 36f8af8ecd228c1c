import copy

import pytest
import torch
import torch.nn.functional as F

from translate.networks import ENCODERS, GENERATORS
from translate.tasks import TASKS
from translate.tasks.distill import Teacher
from translate.tasks.image_pool import ImagePool
from translate.training.step import seed_step, train_step
from translate.utils.errors import OptionError
from translate.utils.factory import Factory

SIZE = 32


PLAIN = {"name": "resnet_6blocks", "width": 4}, {"name": "patch_34", "width": 4}
FAST = {"name": "style_resnet", "width": 8, "most": 8, "blocks": 1}, {"name": "multi_scale", "width": 4, "layers": 2}
LATENT = (
    {"name": "style_synthesis", "width": 4, "most": 8, "z_dim": 4, "w_dim": 8, "size": SIZE},
    {"name": "residual", "width": 4, "most": 8, "size": SIZE},
)
FEATURED = {"name": "projected", "width": 4}
ATTENDING = {"name": "vit_unet", "width": 8, "most": 8, "blocks": 1}, {"name": "vit", "width": 8, "layers": 1}
BESIDE = {"lambda_projected": 1.0, "projected": {"width": 4}}
UPSCALER = {"name": "upscale_resnet", "width": 8, "blocks": 1, "detail": 4, "scale": 2}
EDITOR = {"name": "attribute_resnet", "width": 8, "most": 8, "blocks": 1}
LABELLER = {"name": "label", "width": 4, "size": SIZE}
FOURIER = {"name": "fourier_resnet", "width": 8, "trunk": 16, "blocks": 1}


def make_teacher(name, directions=(), **channels):
    """A teacher of the task `name` with random weights, whose answers are far from their sources."""
    torch.manual_seed(1)
    channels = channels or {"a": 3, "b": 3}
    z_dim = {"z_dim": 1} if name == "drift" else {"z_dim": 3} if name == "pix2pix" else {}
    spec = FAST[0] if z_dim else {"name": "skip_resnet", "width": 8, "trunk": 8, "blocks": 1}
    fixed = {"in_channels": channels["a"] + channels.get("hint", 0), "out_channels": channels["b"]} | z_dim
    nets = {G: Factory(spec, GENERATORS, "generator")(**fixed) for G in TASKS[name].exports if G != "E"}
    for p in (p for net in nets.values() for p in net.parameters() if p.ndim == 4):
        torch.nn.init.normal_(p, 0.0, p[0].numel() ** -0.5)
    if name == "pix2pix":
        nets["E"] = Factory({"name": "style_encoder", "width": 4}, ENCODERS, "encoder")(in_channels=3, z_dim=3)
    ways = directions or TASKS[name].directions
    return Teacher(TASKS[name], torch.nn.ModuleDict(nets), channels, ways, "runs/teacher")


COMPACT = {"name": "compact_resnet", "width": 8, "trunk": 8, "blocks": 1}
VARIANTS = {  # every way of training that a task has: its networks and its options
    "cycle": ("cycle", *PLAIN, {}),
    "cut": ("cut", *PLAIN, {"patches": 16}),
    "cut, mirrored": (
        "cut",
        {"name": "skip_resnet", "width": 4, "trunk": 4, "blocks": 1},
        PLAIN[1],
        {"patches": 16, "nce_identity": False, "flip_equivariance": True, "augment": 0.5},
    ),
    "cut, further terms": (
        "cut",
        {"name": "skip_resnet", "width": 4, "trunk": 4, "blocks": 1},
        PLAIN[1],
        {"patches": 16, "flip_equivariance": True}
        | {"negative_hardness": 2.0, "lambda_relation": 0.1, "lambda_path": 0.1},
    ),
    "cut, transformers": ("cut", *ATTENDING, {"patches": 16}),
    "drift, a transformer": ("drift", ATTENDING[0], {}, {"queue": 24, "features": "none"}),
    "drift": ("drift", {"name": "skip_style_resnet", "width": 8, "trunk": 8, "blocks": 1}, {}, {"queue": 24}),
    "drift, pixels alone": ("drift", FAST[0], {}, {"queue": 24, "features": "none"}),
    "pix2pix": ("pix2pix", *PLAIN, {}),
    "pix2pix, unet and batch norm": (
        "pix2pix",
        {"name": "unet", "width": 2, "size": SIZE},
        {"name": "patch_34", "width": 4, "norm": "batch"},
        {},
    ),
    "pix2pix, many answers": ("pix2pix", *FAST, {"z_dim": 3, "lambda_fm": 10.0, "gan": "hinge"}),
    "pix2pix_labels": ("pix2pix_labels", PLAIN[0], None, {"lambda_dice": 0.5}),
    "generate": ("generate", *LATENT, {"lambda_r1": 0.1, "lambda_r2": 0.1}),
    "generate, relativistic, labelled, growing": (
        "generate",
        *LATENT,
        {"gan": "relativistic", "grow": 0.5, "augment": 0.5},
    ),
    "generate, dcgan": (
        "generate",
        {"name": "dcgan", "width": 2, "z_dim": 4, "size": SIZE},
        {"name": "dcgan", "width": 2, "size": SIZE},
        {},
    ),
    "generate_drift": ("generate_drift", LATENT[0], None, {"features": "none"}),
    "generate_drift, labelled": ("generate_drift", LATENT[0], None, {"features": "none", "group": 2}),
    "inpaint": ("inpaint", FOURIER, FAST[1], {"lambda_fm": 10.0}),
    "inpaint, many answers": ("inpaint", FOURIER, FAST[1], {"z_dim": 3}),
    "inpaint, a generator of translation": ("inpaint", {"name": "skip_resnet", "width": 8, "trunk": 8}, FAST[1], {}),
    "inpaint, partial convolutions": (
        "inpaint",
        {"name": "partial_unet", "width": 4, "size": SIZE},
        FAST[1],
        {"lambda_gan": 0.0, "lambda_tv": 0.1},
    ),
    "inpaint, context encoder": (
        "inpaint",
        {"name": "context_encoder", "width": 4, "size": SIZE},
        {"name": "dcgan", "width": 2, "size": SIZE},
        {"norm": "l2", "overlap": 3, "tell_hole": False, "gan": "vanilla", "lambda_known": 0.0},
    ),
    "stargan": ("stargan", EDITOR, LABELLER, {"lambda_keep": 1.0, "lambda_r1": 0.1}),
    "stargan, classes": ("stargan", EDITOR, LABELLER, {"gan": "vanilla"}),
    "stargan, as published": (
        "stargan",
        {"name": "star_resnet", "width": 4, "blocks": 1},
        LABELLER,
        {"gan": "wgan", "lambda_gp": 10.0, "critic": 2},
    ),
    "upscale": ("upscale", UPSCALER, FAST[1], {"lambda_gan": 1.0, "lambda_fm": 1.0, "rise": 0.0}),
    "upscale, by pixels alone": ("upscale", UPSCALER, FAST[1], {}),
    "distill": ("distill", COMPACT, None, {"teacher": make_teacher("cycle")}),
    "distill, at a strength": ("distill", COMPACT, None, {"teacher": make_teacher("drift"), "lambda_features": 0.0}),
    "distill_pairs": ("distill_pairs", COMPACT, None, {"teacher": make_teacher("pix2pix")}),
    "distill_images": ("distill_images", COMPACT, None, {"teacher": make_teacher("cycle"), "features": "none"}),
    "cycle, transformers": ("cycle", *ATTENDING, {"gan": "hinge", "lambda_r1": 0.1}),
    "pix2pix, transformers": ("pix2pix", *ATTENDING, {"z_dim": 3, "lambda_fm": 1.0, "gan": "hinge"}),
    "inpaint, transformers": ("inpaint", *ATTENDING, {"z_dim": 3}),
    "cycle, several scales": ("cycle", PLAIN[0], FAST[1], {"lambda_r1": 0.1}),
    "cycle, on features": ("cycle", PLAIN[0], FEATURED, {"gan": "hinge", "lambda_r1": 0.1}),
    "cycle, and features of the way back": ("cycle", *PLAIN, {"lambda_features": 2.0}),
    "cycle, beside": ("cycle", *PLAIN, BESIDE | {"augment": 0.5}),
    "pix2pix, on features": ("pix2pix", FAST[0], FEATURED, {"z_dim": 3, "lambda_fm": 1.0, "gan": "hinge"}),
    "pix2pix, beside": ("pix2pix", *PLAIN, BESIDE | {"augment": 0.5}),
    "generate, on features": ("generate", LATENT[0], FEATURED, {"gan": "relativistic", "lambda_r1": 0.1}),
    "generate, beside": ("generate", *LATENT, BESIDE | {"augment": 0.5}),
    "inpaint, on features": ("inpaint", FOURIER, FEATURED, {"lambda_fm": 1.0}),
    "inpaint, beside": ("inpaint", FOURIER, FAST[1], BESIDE | {"z_dim": 3, "augment": 0.5}),
}
CHANNELS = {
    "generate": {"image": 3},
    "generate, relativistic, labelled, growing": {"image": 1, "label": 3},
    "generate, on features": {"image": 1, "label": 3},
    "generate, beside": {"image": 3, "label": 3},
    "generate_drift, labelled": {"image": 1, "label": 3},
    "stargan, classes": {"image": 3, "classes": 2},
}
KINDS = {
    "distill_images": {"image": 3},
    "generate": {"image": 3},
    "generate_drift": {"image": 3},
    "inpaint": {"image": 3, "mask": 1},
    "stargan": {"image": 3, "attributes": 3},
    "upscale": {"image": 3, "small": 3},
}
PICTURES = {"a": 3, "b": 3}


def make_task(variant, channels=None, **options):
    torch.manual_seed(0)
    name, generator, discriminator, given = VARIANTS[variant]
    tables = {
        "generator": (generator, TASKS[name].generators),
        "discriminator": (discriminator, TASKS[name].discriminators),
    }
    networks = [Factory(spec, table, what) for what, (spec, table) in tables.items() if table is not None]
    return TASKS[name](*networks, channels or channels_of(variant), **given | options)


def channels_of(variant):
    return CHANNELS.get(variant, KINDS.get(variant.split(",")[0], PICTURES))


def make_batch(step=0, count=2, **channels):
    generator = torch.Generator().manual_seed(step)
    channels = channels or PICTURES
    if classes := channels.pop("label", 0):
        return make_batch(step, count, **channels) | {"label": torch.arange(count) % classes}
    for key in {"attributes", "classes"} & channels.keys():
        labels = torch.eye(channels.pop(key), dtype=torch.int64)[torch.arange(count) % 2]
        return make_batch(step, count, **channels) | {key: labels}
    small = {k: torch.rand(count, c, 4, 4, generator=generator) * 2 - 1 for k, c in channels.items()}
    batch = {k: F.interpolate(x, size=SIZE, mode="bilinear") for k, x in small.items()}
    if "small" in batch:
        batch["small"] = F.avg_pool2d(batch["image"], UPSCALER["scale"])
    return batch | ({"mask": torch.where(batch["mask"] > 0.2, 1.0, -1.0)} if "mask" in batch else {})


def test_every_task_has_a_variant():
    assert {name for name, *_ in VARIANTS.values()} == set(TASKS)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_each_phase_changes_its_own_networks_and_no_other(variant, precision):
    for phase in make_task(variant).phases:
        task = make_task(variant)
        before = copy.deepcopy(dict(task.named_parameters()))
        logs = train_step(
            task,
            make_batch(**channels_of(variant)),
            {phase: torch.optim.SGD(task.parameters_of(phase), 1.0)},
            precision=precision,
        )
        own = tuple(f"{net}." for net in task.phases[phase])
        for parameter, value in task.named_parameters():
            assert value.requires_grad
            assert (value.grad is not None) == parameter.startswith(own)
            if not parameter.startswith(own):
                assert torch.equal(value, before[parameter])
        assert any(not torch.equal(v, before[n]) for n, v in task.named_parameters() if n.startswith(own))
        assert all(term.isfinite() and term.dtype == torch.float32 for term in logs.values())
        assert all(key.startswith(f"{phase}/") for key in logs)


SLOW = ("on features", "beside", "scales", "transformers", "as published")  # to overfit


@pytest.mark.parametrize(
    "variant",
    [
        name
        for name in VARIANTS
        if not name.startswith(("generate", "drift", "cut", "pix2pix_labels")) and not name.endswith(SLOW)
    ],
)
def test_a_task_overfits_two_pictures(variant):
    task = make_task(variant, lambda_identity=0.0) if variant.startswith("cycle") else make_task(variant)
    optimizers = {p: torch.optim.Adam(task.parameters_of(p), 2e-3, betas=(0.5, 0.999)) for p in task.phases}
    terms = {"cycle": "G/cycle", "pix2pix": "G/l1", "inpaint": "G/hole", "stargan": "G/cycle", "upscale": "G/l1"}
    term = terms.get(variant.split(",")[0], "G/picture_ab")
    found = []
    for step in range(60):
        seed_step(0, step)
        batch = make_batch(**channels_of(variant))
        found.append(train_step(task, batch, optimizers, precision="fp32")[term].item())
    assert found[-1] < 0.6 * found[0]


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_preview_needs_the_exported_networks_only(variant):
    task = make_task(variant)
    nets = torch.nn.ModuleDict({n: task.get_submodule(n) for n in task.exports})
    rows = task.preview(nets, make_batch(**channels_of(variant)))
    columns = 8 if task.from_latents else 2
    assert all(row.shape == (columns, 3, SIZE, SIZE) for row in rows.values())


def test_cycle_predicts_both_ways():
    task, batch = make_task("cycle"), make_batch()
    nets = torch.nn.ModuleDict({n: task.get_submodule(n) for n in task.exports})
    assert torch.equal(task.predict(nets, {"b": batch["b"]}, direction="ba"), task.G_ba(batch["b"]))
    assert torch.equal(task.predict(nets, {"a": batch["a"]}, direction="ab"), task.G_ab(batch["a"]))


def textbook_losses(task, a, b, fake_a_old, fake_b_old):
    """CycleGAN with six generator calls and separate discriminator calls, from the paper's equations."""
    fake_b, fake_a = task.G_ab(a), task.G_ba(b)
    rec_a, rec_b, same_a, same_b = task.G_ba(fake_b), task.G_ab(fake_a), task.G_ba(a), task.G_ab(b)
    gan = (task.D_b(fake_b) - 1).pow(2).mean() + (task.D_a(fake_a) - 1).pow(2).mean()
    cycle = (rec_a - a).abs().mean() + (rec_b - b).abs().mean()
    identity = (same_a - a).abs().mean() + (same_b - b).abs().mean()
    d_a = ((task.D_a(a) - 1).pow(2).mean() + task.D_a(fake_a_old).pow(2).mean()) / 2
    d_b = ((task.D_b(b) - 1).pow(2).mean() + task.D_b(fake_b_old).pow(2).mean()) / 2
    return gan + 10 * cycle + 5 * identity, d_a + d_b


@pytest.mark.parametrize("count", [1, 3])
def test_merged_calls_are_the_textbook_cyclegan(count):
    task = make_task("cycle", pool_size=0)
    batch = make_batch(count=count)
    x = task(batch)
    expected = dict(
        zip(
            "GD",
            textbook_losses(task, *batch.values(), x["fake_a"].detach(), x["fake_b"].detach()),
            strict=True,
        )
    )
    for phase, total in expected.items():
        parameters = task.parameters_of(phase)
        theirs = torch.autograd.grad(total, parameters, retain_graph=True)
        ours_total = sum(task.losses(phase, x).values())
        ours = torch.autograd.grad(ours_total, parameters, retain_graph=True)
        torch.testing.assert_close(ours_total, total, rtol=1e-5, atol=1e-6)
        largest = max(g.abs().max() for g in theirs)
        for actual, other in zip(ours, theirs, strict=True):
            torch.testing.assert_close(actual, other, rtol=1e-3, atol=1e-4 * largest.item())


def test_the_features_of_the_way_back_are_compared_at_unit_length(monkeypatch):
    monkeypatch.setattr("translate.tasks.losses.perceptual.roll_together", lambda *pictures: pictures)
    task, plain = make_task("cycle, and features of the way back"), make_task("cycle")
    plain.load_state_dict(task.state_dict())  # frozen features are no state
    batch = make_batch()
    terms, without = (each.losses("G", each(batch)) for each in (task, plain))
    x, expected = task(batch), 0.0
    for rec, source in ((x["rec_a"], x["a"]), (x["rec_b"], x["b"])):
        for one, other in zip(task.features(rec), task.features(source), strict=True):
            one, other = (y.detach().double().flatten(2) for y in (one, other))
            cosine = (one * other).sum(1) / (one.norm(dim=1) * other.norm(dim=1))
            expected += (2 - 2 * cosine).mean().item()  # |u - v|^2 of unit vectors
    assert terms.pop("features").item() == pytest.approx(2 * expected, rel=1e-4)
    assert all(torch.equal(terms[name], without[name]) for name in without) and set(terms) == set(without)


def test_coarse_cycle_compares_block_means():
    task = make_task("cycle", cycle_scale=8)
    board = torch.ones(1, 3, 16, 16)
    board[..., ::2, 1::2] = board[..., 1::2, ::2] = -1
    assert task._distance(board, torch.zeros_like(board)) < 1e-6
    assert task._distance(board + 0.5, board).item() == pytest.approx(0.5)
    assert make_task("cycle")._distance(board, torch.zeros_like(board)).item() == pytest.approx(1)


def test_the_penalty_is_a_term_of_its_own():
    task = make_task("cycle", gan="hinge", lambda_r1=0.5)
    terms = task.losses("D", task(make_batch()))
    assert terms.keys() == {"gan_a", "gan_b", "r1_a", "r1_b"}
    with pytest.raises(OptionError, match="unknown method.gan 'hnge'; did you mean 'hinge'"):
        make_task("cycle", gan="hnge")


def test_pool_returns_each_fake_or_an_older_one():
    torch.manual_seed(0)
    pool, seen, swapped = ImagePool(4), [], 0
    for i in range(200):
        fake = torch.full((1, 1, 2, 2), float(i))
        value = int(pool.swap(fake)[0, 0, 0, 0])
        assert value <= i
        seen.append(value)
        swapped += value != i
    assert seen[:4] == [0, 1, 2, 3]
    assert len(set(seen[4:])) == len(seen[4:])  # a picture leaves the pool when it is handed out
    assert 70 < swapped < 130


def test_pool_of_size_zero_passes_through_and_detaches():
    fake = torch.ones(2, 3, 4, 4, requires_grad=True)
    out = ImagePool(0).swap(fake)
    assert torch.equal(out, fake)
    assert not out.requires_grad


def test_pool_is_part_of_the_state():
    torch.manual_seed(0)
    pool = ImagePool(3)
    for i in range(5):
        pool.swap(torch.full((1, 1, 2, 2), float(i)))
    copy_ = ImagePool(3)
    copy_.load_state_dict(pool.state_dict())
    assert torch.equal(copy_.pictures, pool.pictures)
    assert len(copy_.pictures) == 3


@pytest.mark.parametrize("variant", ["cycle, beside", "pix2pix, beside", "generate, beside", "inpaint, beside"])
def test_a_discriminator_on_features_beside_adds_a_term_to_both_phases(variant):
    """Nothing of the features is in the state, and without weight or features the networks are those of before."""
    task = make_task(variant, augment=0.0)
    x = task(make_batch(**channels_of(variant)))
    for phase in ("G", "D"):
        with task.train_only(phase):
            torch.manual_seed(0)
            terms = task.losses(phase, x)
        names = [name for name in terms if name.startswith("projected")]
        assert names == (["projected_ab", "projected_ba"] if phase == "G" else ["projected_a", "projected_b"]) or (
            names == ["projected"]
        )
        doubled = make_task(variant, augment=0.0, lambda_projected=2.0)
        doubled.load_state_dict(task.state_dict())
        with doubled.train_only(phase):
            torch.manual_seed(0)
            again = doubled.losses(phase, x)
        for name in names:
            torch.testing.assert_close(again[name], 2 * terms[name], rtol=0.05, atol=0.05)  # spectral norms move
    own = {name.split(".")[0] for name in task.state_dict()} - {"seeking"}
    assert own - {"G", "D", "E", "G_ab", "G_ba", "D_a", "D_b", "pool_a", "pool_b", "augment"} in (
        {"P"}, {"P_a", "P_b"},
    )  # fmt: skip
    assert all(".heads." in name for name in task.state_dict() if name.startswith("P"))
    for without in ({"lambda_projected": 0.0}, {"features": "none"}):
        plain = make_task(variant, **without)
        assert not any(name.startswith("P") for name in plain.state_dict())
        assert not any(name.startswith("P") for names in plain.phases.values() for name in names)


@pytest.mark.parametrize(("variant", "weight"), [("pix2pix, beside", 0.0), ("inpaint", 0.0), ("inpaint", 1.0)])
def test_the_truth_is_prepared_in_the_phase_of_g_for_feature_matching_alone(variant, weight, monkeypatch):
    task, seen = make_task(variant, lambda_fm=weight), {}
    x, show = task(make_batch(**channels_of(variant))), task._shown
    for phase in ("G", "D"):
        monkeypatch.setattr(
            task, "_shown", lambda x, *names, phase=phase: seen.update({phase: names}) or show(x, *names)
        )
        with task.train_only(phase):
            task.losses(phase, x)
    fakes = seen["D"][1:]
    assert fakes and seen["G"] == (seen["D"] if weight else fakes)


@pytest.mark.parametrize("variant", ["pix2pix, on features", "inpaint, on features"])
def test_features_see_the_picture_without_its_condition(variant):
    task = make_task(variant)
    planes = task.D.spec["in_channels"]
    assert task.D.spec["picture"] == ((3, planes) if variant.startswith("pix2pix") else (0, 3)) and planes > 3


def test_a_wrong_option_of_the_discriminator_beside_gets_one_line():
    with pytest.raises(OptionError, match="unknown option projected.stagse; did you mean 'stages'"):
        make_task("cycle, beside", projected={"stagse": 3})
    with pytest.raises(OptionError, match="leave in_channels out of --projected; the task sets it"):
        make_task("cycle, beside", projected={"in_channels": 3})
    with pytest.raises(OptionError, match="--lambda-projected needs --lambda-gan above 0"):
        make_task("inpaint, partial convolutions", lambda_projected=1.0)
