"""What a CUDA graph asks of a training step, checked without a GPU; on one, graphs against plain steps."""

import copy
from dataclasses import replace

import pytest
import torch

from tests.test_gpu import pytestmark as on_gpu
from translate.bench.cases import make_case
from translate.networks.features import load
from translate.networks.patchgan import MultiScale, crop_at
from translate.tasks import TASKS
from translate.tasks.image_pool import ImagePool
from translate.training.config import TrainConfig, load_config
from translate.training.cuda_graph import CapturedStep, refuse_host_draws, reset_optimizers
from translate.training.optim import make_optimizers, set_lr
from translate.training.planning.plan import Plan
from translate.training.setup import build_task, make_task, noise_batch
from translate.training.step import batch_to_device, make_step, seed_step, train_step
from translate.utils.errors import OptionError
from translate.utils.factory import options_of

RECIPES = [
    ("cut", "fast"), ("cut", "fastcut"), ("cycle", "fast"), ("cycle", "paper"), ("pix2pix", "fast"),
    ("pix2pix", "paper"), ("generate", "fast"), ("generate", "paper"), ("generate", "large"), ("generate", "drift"),
    ("inpaint", "fast"), ("inpaint", "paper"), ("inpaint", "partial"), ("upscale", "fast"), ("upscale", "l1"),
    ("stargan", "fast"),
]  # fmt: skip
META = torch.device("meta")


def meta_batch(case, count=4):
    return {
        name: torch.empty(count, dtype=torch.int64, device=META)
        if name == "label"
        else torch.empty(count, channels, dtype=torch.int64, device=META)
        if name == "attributes"
        else torch.empty(count, channels, *[case.size // (4 if name == "small" else 1)] * 2, device=META)
        for name, channels in case.channels.items()
    }


@pytest.mark.parametrize(("task", "preset"), RECIPES)
def test_no_step_reads_from_the_device_or_draws_on_the_host(task, preset):
    """Tensors on "meta" have no values: whoever asks for one, such as `.item()` or `if`, raises an error."""
    case = make_case(task, preset, torch.device("cpu"))
    if "features" in options_of(TASKS[case.config.task]):  # are shared with other tests, and should keep their values
        case = replace(case, config=replace(case.config, method=case.config.method | {"features": "none"}))
    with META:
        made = make_task(case.config, case.channels, case.size)
    optimizers = make_optimizers(made, case.config.train)
    for progress in (0.2, 0.9):
        made.set_progress(progress)
        with refuse_host_draws():
            logs = train_step(made, meta_batch(case), optimizers, precision="fp32", clip=1.0)
        assert logs and all(term.is_meta and term.shape == () for term in logs.values())


@pytest.mark.parametrize(("layer", "task"), [
    ({"discriminator": {"name": "projected", "side": 64}}, "generate"),
    ({"method": {"lambda_projected": 1.0}}, "cycle"),
])  # fmt: skip
def test_a_discriminator_on_features_reads_nothing_from_the_device(layer, task):
    load._load.cache_clear()  # what is on "meta" has lost its weights
    config = load_config(task, "fast", layer, {"data": {"size": 32}})
    channels = {"image": 3} if task == "generate" else {"a": 3, "b": 3}
    with META:
        made = make_task(config, channels, 32)
    batch = {name: torch.empty(2, 3, 32, 32, device=META) for name in channels}
    with refuse_host_draws():
        logs = train_step(made, batch, make_optimizers(made, config.train), precision="fp32")
    assert logs and all(term.is_meta for term in logs.values())
    load._load.cache_clear()


def test_reading_a_value_from_the_device_is_detected():
    with pytest.raises(RuntimeError, match="meta"):
        float(torch.ones((), device=META))


def test_numbers_drawn_on_the_host_are_refused():
    with pytest.raises(OptionError, match="draws numbers on the host.*--train.graph off"), refuse_host_draws():
        torch.rand(1)
    with refuse_host_draws():
        torch.rand(1, device=META)


def test_learning_rates_are_written_into_the_tensors_of_the_graph():
    task = torch.nn.Linear(2, 2)
    optimizers = {"G": torch.optim.Adam(task.parameters(), lr=torch.tensor(0.5))}
    kept = optimizers["G"].param_groups[0]["lr"]
    set_lr(optimizers, 0.25, TrainConfig(phase_lr={"G": 2.0}))
    assert kept is optimizers["G"].param_groups[0]["lr"]
    assert kept.item() == 0.5
    set_lr(optimizers, 0.5, TrainConfig())
    reset_optimizers(optimizers.values())
    assert type(optimizers["G"].param_groups[0]["lr"]) is float


def test_the_state_of_a_captured_run_resumes_in_a_plain_run():
    config = load_config("cycle", "fast", {"generator": {"width": 4}, "discriminator": {"width": 4}})
    plan = Plan(size=32, crop=32, steps=9, precision="fp32", channels_last=False, compile=False, log_every=5)
    cpu, channels = torch.device("cpu"), {"a": 3, "b": 3}
    batch = batch_to_device(noise_batch(channels, 1, 32), cpu, channels_last=False)
    weights = []
    for captured in (False, True):
        task = build_task(config, channels, plan, cpu)
        optimizers = make_optimizers(task, config.train)
        if captured:
            state = {name: copy.deepcopy(one.state_dict()) for name, one in optimizers.items()}
            for one in state.values():
                one["param_groups"][0] |= {"lr": torch.tensor(config.train.lr, dtype=torch.float64), "capturable": True}
            for name, one in optimizers.items():
                one.load_state_dict(state[name])
        step = make_step(task, optimizers, plan, 0.0, cpu)
        seed_step(0, 0)
        step(batch)
        weights.append(torch.cat([p.flatten() for p in task.parameters()]))
    assert torch.equal(*weights)


@pytest.mark.parametrize(("side", "top", "left"), [(6, 2, 1), (9, 0, 0), (0, 0, 0)])
def test_a_window_is_the_same_by_views_and_by_gathering(side, top, left):
    x, corner = torch.rand(2, 3, 8, 9, requires_grad=True), torch.tensor([top, left])
    view = MultiScale(window=side, width=2, scales=1, layers=1).view(x, corner)
    apart = crop_at(x, corner, side or 9)
    assert torch.equal(view, x[..., top : top + (side or 9), left : left + (side or 9)])
    assert torch.equal(view, apart)
    weights = torch.rand_like(view)
    actual, expected = (torch.autograd.grad((way * weights).sum(), x)[0] for way in (view, apart))
    assert torch.equal(actual, expected)


def test_a_pool_fills_up_and_its_state_holds_its_pictures():
    pool, fakes = ImagePool(5), torch.rand(3, 1, 2, 2)
    assert torch.equal(pool.swap(fakes), fakes)
    assert torch.equal(pool.get_extra_state(), fakes)
    again = ImagePool(5)
    again.load_state_dict(pool.state_dict())
    for one in (pool, again):
        torch.manual_seed(1)
        one.swap(fakes + 1)
    assert torch.equal(again.get_extra_state(), pool.get_extra_state())
    assert len(pool.get_extra_state()) == 5


def test_a_loaded_pool_counts_on_the_device_of_its_pictures():
    pool = ImagePool(3)
    pool.set_extra_state(torch.empty(3, 1, 2, 2, device=META))
    assert pool.swap(torch.empty(2, 1, 2, 2, device=META)).is_meta
    assert pool.filled.is_meta and pool.pictures.is_meta


@pytest.mark.gpu
@on_gpu[1]
@pytest.mark.parametrize(("task", "preset"), RECIPES)
def test_a_captured_step_equals_the_plain_step(task, preset):
    device = torch.device("cuda")
    case = make_case(task, preset, device, size=64, batch_size=4)
    plan = Plan(size=64, crop=64, steps=9, precision="fp32", channels_last=True, compile=False, log_every=5)
    batches = [noise_batch(case.channels, 4, 64) for _ in range(8)]
    torch.backends.cudnn.deterministic = True
    found = []
    for graph in (False, True):
        made = build_task(case.config, case.channels, plan, device)
        optimizers = make_optimizers(made, case.config.train)
        step = make_step(made, optimizers, Plan(**(vars(plan) | {"graph": graph})), 0.0, device)
        assert isinstance(step, CapturedStep) == graph
        losses = []
        for i, batch in enumerate(batches):
            seed_step(0, i)
            made.set_progress(i / 9)
            set_lr(optimizers, 1e-4 * (9 - i), case.config.train)
            real = batch_to_device(batch, device, channels_last=True)
            losses.append({name: term.clone() for name, term in step(real).items()})
        found.append(losses)
    for plain, captured in zip(*found, strict=True):
        for name, term in plain.items():
            torch.testing.assert_close(captured[name], term, rtol=2e-3, atol=2e-4, msg=name)


@pytest.mark.gpu
@on_gpu[1]
@pytest.mark.parametrize(("task", "preset"), RECIPES)
def test_no_step_waits_for_the_gpu(task, preset):
    device = torch.device("cuda")
    case = make_case(task, preset, device, size=64, batch_size=4)
    plan = Plan(size=64, crop=64, steps=9, precision="bf16", channels_last=True, compile=False, log_every=5)
    made = build_task(case.config, case.channels, plan, device)
    step = make_step(made, make_optimizers(made, case.config.train), plan, 1.0, device)
    real = batch_to_device(noise_batch(case.channels, 4, 64), device, channels_last=True)
    step(real)
    torch.cuda.set_sync_debug_mode("error")
    try:
        step(real)
    finally:
        torch.cuda.set_sync_debug_mode("default")
