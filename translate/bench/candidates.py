"""The measured programs, each run in its own process: `python -m translate.bench.candidates`, a spec on its input.

The spec is a line of JSON: "kind", a name of `CANDIDATES`, and the arguments of its function. Some candidates return a
step to be repeated; others report facts and exit.
"""

__all__ = ["CANDIDATES"]

import itertools
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from translate.bench.cases import Case
from translate.bench.channel import Channel, serve
from translate.bench.machine import PeakMemory
from translate.bench.pictures import write_dataset
from translate.data.catalog.root import data_root
from translate.data.datasets import TRAINING_DATA
from translate.data.loading.loader import Batches
from translate.training.loop import train
from translate.training.planning.autotune import make_plan
from translate.training.planning.plan import Plan
from translate.training.setup import build_task, make_trial_step, noise_batch
from translate.training.step import batch_to_device
from translate.utils.device import pick_device
from translate.utils.errors import OptionError, UserError
from translate.utils.memory import keep_freed_memory

EPOCH_PICTURES = 1000  # of an imaginary data set, since the plan depends on the length of the run
LOOP_S = 8  # how long the training loop is measured, after a warm-up of the same length

Spec = dict[str, Any]
Candidate = tuple[Callable[[], object] | None, dict[str, Any]]  # a step and keywords of `serve`, or None and facts


def find_plan(spec: Spec) -> Candidate:
    """Autotune the case as a real run does."""
    case = Case.from_json(spec)
    keep_freed_memory(large=not case.config.train.checkpoint)
    return None, {"plan": asdict(plan_of(case))}


def plan_of(case: Case) -> Plan:
    """Return the autotuned plan of a run on `EPOCH_PICTURES` pictures."""
    device = pick_device(case.device)
    return make_plan(
        case.config, device, case.size, EPOCH_PICTURES / case.batch_size, 0.0,
        lambda p: make_trial_step(case.config, case.channels, p, device),
    )  # fmt: skip


def planned_step(spec: Spec) -> Candidate:
    """Return our step with a given plan."""
    case = Case.from_json(spec)
    keep_freed_memory(large=not case.config.train.checkpoint)
    return make_trial_step(case.config, case.channels, Plan(**spec["plan"]), pick_device(case.device)), {}


def eager_step(spec: Spec) -> Candidate:
    """Return our step for a case without anything to autotune."""
    case = Case.from_json(spec)
    step = make_trial_step(case.config, case.channels, plan_of(case), pick_device(case.device))
    return step, {"count": spec["count"]}


def textbook_step(spec: Spec) -> Candidate:
    """Return the same recipe's step as the classic repositories write it."""
    from translate.bench.textbook_step import Textbook

    case = Case.from_json(spec)
    device, train_options, plan = pick_device(case.device), case.config.train, plan_of(case)
    task = build_task(case.config, case.channels, plan, device)
    textbook = Textbook(task, train_options.lr, (float(train_options.betas[0]), float(train_options.betas[1])))
    batch = noise_batch(case.channels, case.batch_size, plan.crop, case.config.data.scale)
    return lambda: textbook(batch_to_device(batch, device, channels_last=False)), {}


def training_loop(spec: Spec) -> Candidate:
    """Run the real training loop on pictures; report its speed and the share of its time spent waiting for data."""
    # fix every setting of the case to that of the plan
    case, plan = Case.from_json(spec), Plan(**spec["plan"])
    steps = max(3, min(500, round(LOOP_S / spec["seconds"])))
    switches = {name: "on" if getattr(plan, name) else "off" for name in ("channels_last", "compile")}
    with tempfile.TemporaryDirectory() as temporary:
        data = write_dataset(case.kind, Path(temporary, "data"), max(64, 2 * case.batch_size), case.size)
        planned = case.with_options(
            {**data, "crop": plan.crop}, steps=2 * steps, epochs=0.0, minutes=0.0, log_every=steps, previews=0,
            precision=plan.precision, **switches,
        )  # fmt: skip
        # train, and read the last line of the log: the first half of the run is the warm-up
        out = train(replace(planned.config, out=f"{temporary}/run"))
        log = json.loads((out / "metrics.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    return None, {"images_per_second": log["images_per_second"], "waiting": log["waiting"], "steps": steps}


def start_up(spec: Spec) -> Candidate:
    """Time the start-up, from finding the pictures of a data set to its first batch."""
    case, device = Case.from_json(spec), torch.device("cpu")
    peak, began = PeakMemory(device), time.perf_counter()
    data = TRAINING_DATA[case.kind](case.config.data, data_root())
    data.open(Path(spec["cache"]), size=case.size, zoom=case.config.data.zoom, square=True, progress=False)
    stream = data.stream(crop=case.size, flip=True, seed=0)
    next(iter(Batches(stream, case.batch_size)))
    return None, {"seconds": time.perf_counter() - began, "peak": peak.bytes()}


def network(spec: Spec) -> Candidate:
    """Return a forward pass of a model by the translator, on a batch in memory."""
    from translate.inference.translator import Translator

    peak = PeakMemory(pick_device(spec["device"]))
    translator = Translator.load(spec["model"], spec["device"], spec["precision"])
    x = noise_pictures(spec, translator.device)
    return lambda: translator(x), {"precision": translator.precision, "peak": peak}


def plain_network(spec: Spec) -> Candidate:
    """Return the same forward pass in plain PyTorch: eager, fp32, NCHW."""
    from translate.checkpoints.model_file import load_model
    from translate.tasks import TASKS

    device = pick_device(spec["device"])
    peak = PeakMemory(device)
    recipe, nets = load_model(spec["model"], device)
    batch = {spec["place"]: noise_pictures(spec, device)}
    if "hint" in recipe.channels:
        height, width = spec["size"]
        batch["hint"] = torch.full((spec["batch"], recipe.channels["hint"], height, width), -1.0, device=device)
    predict = TASKS[recipe.task].predict

    @torch.inference_mode()
    def step() -> None:
        predict(nets, batch, direction=spec["direction"])

    return step, {"count": True, "peak": peak}


def noise_pictures(spec: Spec, device: torch.device) -> torch.Tensor:
    """Return uniform noise in [-1, 1], (B, C, H, W), of the shape in the spec."""
    return torch.rand(spec["batch"], spec["channels"], *spec["size"], device=device) * 2 - 1


def folder(spec: Spec) -> Candidate:
    """Return the translation of a folder, files to files, into a new folder every time."""
    from translate.inference.folder.run import translate_folder
    from translate.inference.options import FolderOptions
    from translate.inference.translator import Translator

    peak = PeakMemory(pick_device(spec["device"]))
    translator = Translator.load(spec["model"], spec["device"], spec["precision"])
    runs = itertools.count()

    def step() -> None:
        output = Path(spec["output"], str(next(runs)))
        report = translate_folder(translator, spec["images"], output, FolderOptions(progress=False))
        if report.failed:
            path, reason = report.failures[0]
            raise UserError(f"{report.failed} pictures cannot be translated, the first: {path}: {reason}")

    return step, {"precision": translator.precision, "peak": peak}


CANDIDATES: dict[str, Callable[[Spec], Candidate]] = {
    "plan": find_plan, "ours": planned_step, "eager": eager_step, "textbook": textbook_step, "loop": training_loop,
    "start_up": start_up, "network": network, "plain_network": plain_network, "folder": folder,
}  # fmt: skip


def main() -> None:
    """Serve the candidate named by the first line of the input."""
    channel = Channel()
    spec = channel.receive()
    assert spec
    try:
        step, facts = CANDIDATES[spec["kind"]](spec)
        if step is None:
            channel.send(**facts)
        else:
            serve(channel, step, pick_device(spec["device"]), **facts)
    except Exception as error:  # the benchmark reports any error by the first line of its message
        message = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}".partition("\n")[0]
        channel.send(error=message, option=isinstance(error, OptionError))


if __name__ == "__main__":
    main()
