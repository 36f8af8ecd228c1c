"""What is measured, each in a process of its own: `python -m translate.bench.candidates`, told by its first line.

The line holds "kind", a name of `CANDIDATES`, and what that function takes. Some take steps for as long as they are
told to; others find something out and end.
"""

__all__ = ["CANDIDATES"]

import itertools
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from translate.bench.cases import Case
from translate.bench.channel import Channel, serve
from translate.bench.machine import Peak
from translate.bench.pictures import write_dataset
from translate.data.datasets import TRAINING_DATA
from translate.data.loading.loader import Batches
from translate.training.autotune import Plan, make_plan
from translate.training.loop import train
from translate.training.setup import build_task, make_trial_step, noise_batch
from translate.training.step import batch_to_device
from translate.utils.device import pick_device
from translate.utils.errors import OptionError, UserError
from translate.utils.memory import keep_freed_memory

EPOCH = 1000  # pictures of the data set that is imagined where a plan depends on the length of the run
LOOP = 8  # s of the training loop that is measured with its data, about

Step = Callable[[], object]
Spec = dict[str, Any]
Candidate = tuple[Step | None, dict[str, Any]]  # what takes a step, if anything, and facts (keywords of `serve`)


def plan(spec: Spec) -> Candidate:
    """Settle what is open in the case, as a real run does."""
    case = Case.from_json(spec)
    keep_freed_memory(large=not case.config.train.checkpoint)
    return None, {"plan": asdict(plan_of(case))}


def plan_of(case: Case) -> Plan:
    """Return the plan of a real run on `EPOCH` pictures."""
    device = pick_device(case.device)
    return make_plan(
        case.config, device, case.size, EPOCH / case.batch_size, 0.0,
        lambda p: make_trial_step(case.config, case.channels, p, device),
    )  # fmt: skip


def ours(spec: Spec) -> Candidate:
    """Our step, with a given plan."""
    case = Case.from_json(spec)
    keep_freed_memory(large=not case.config.train.checkpoint)
    return make_trial_step(case.config, case.channels, Plan(**spec["plan"]), pick_device(case.device)), {}


def eager(spec: Spec) -> Candidate:
    """Our step without a plan: the case leaves nothing open."""
    case = Case.from_json(spec)
    return make_trial_step(case.config, case.channels, plan_of(case), pick_device(case.device)), {
        "count": spec["count"]
    }


def textbook(spec: Spec) -> Candidate:
    """The same recipe as the classic repositories write it."""
    from translate.bench.textbook_step import Textbook

    case = Case.from_json(spec)
    device, config = pick_device(case.device), case.config
    made = plan_of(case)
    task = build_task(config, case.channels, made, device)
    take = Textbook(task, config.train.lr, (float(config.train.betas[0]), float(config.train.betas[1])))
    batch = noise_batch(case.channels, case.batch_size, made.crop)
    return lambda: take(batch_to_device(batch, device, channels_last=False)), {}


def loop(spec: Spec) -> Candidate:
    """Our real training loop on pictures: how fast it is in all, and what part of the time it waits for them."""
    case, made = Case.from_json(spec), Plan(**spec["plan"])
    steps = max(3, min(500, round(LOOP / spec["seconds"])))
    with tempfile.TemporaryDirectory() as temporary:
        data = write_dataset(case.kind, Path(temporary, "data"), max(64, 2 * case.batch_size), case.size)
        settled = case.changed(
            {**data, "crop": made.crop}, steps=2 * steps, epochs=0.0, minutes=0.0, log_every=steps, previews=0,
            precision=made.precision, channels_last=on(made.channels_last), compile=on(made.compile),
        )  # fmt: skip
        out = train(settled.written_to(temporary).config)
        lines = (out / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    last = json.loads(lines[-1])  # the first half warms up
    return None, {"images_per_second": last["images_per_second"], "waiting": last["waiting"], "steps": steps}


def on(flag: bool) -> str:
    """Return the word of the configuration for a flag."""
    return "on" if flag else "off"


def start_up(spec: Spec) -> Candidate:
    """From finding the pictures of a data set to its first batch."""
    case, device = Case.from_json(spec), torch.device("cpu")
    peak, began = Peak(device), time.perf_counter()
    data = TRAINING_DATA[case.kind](case.config.data, Path("data"))
    data.open(Path(spec["cache"]), size=case.size, zoom=case.config.data.zoom, square=True, progress=False)
    stream = data.stream(crop=case.size, flip=True, seed=0)
    for _ in itertools.islice(Batches(stream, case.batch_size), 1):
        pass
    return None, {"seconds": time.perf_counter() - began, "peak": peak.bytes()}


def network(spec: Spec) -> Candidate:
    """The networks of a model alone, as the translator runs them, on a batch in memory."""
    from translate.inference.translator import Translator

    peak = Peak(pick_device(spec["device"]))
    translator = Translator.load(spec["model"], spec["device"], spec["precision"])
    x = source(spec, translator.device)
    return lambda: translator(x), {"precision": translator.precision, "peak": peak}


def plain_network(spec: Spec) -> Candidate:
    """The same as anybody would run them: eager, fp32, NCHW."""
    from translate.checkpoints.model_file import load_model
    from translate.tasks import TASKS

    device = pick_device(spec["device"])
    peak = Peak(device)
    recipe, nets = load_model(spec["model"], device)
    batch = {spec["place"]: source(spec, device)}
    if "hint" in recipe.channels:
        height, width = spec["size"]
        batch["hint"] = torch.full((spec["batch"], recipe.channels["hint"], height, width), -1.0, device=device)
    predict = TASKS[recipe.task].predict

    @torch.inference_mode()
    def step() -> None:
        predict(nets, batch, direction=spec["direction"])

    return step, {"count": True, "peak": peak}


def source(spec: Spec, device: torch.device) -> torch.Tensor:
    """Return noise in [-1, 1] of the shape that is asked for."""
    return torch.rand(spec["batch"], spec["channels"], *spec["size"], device=device) * 2 - 1


def folder(spec: Spec) -> Candidate:
    """The translation of a folder, from files to files, into another empty folder every time."""
    from translate.inference.folder.run import translate_folder
    from translate.inference.options import FolderOptions
    from translate.inference.translator import Translator

    peak = Peak(pick_device(spec["device"]))
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
    "plan": plan, "ours": ours, "eager": eager, "textbook": textbook, "loop": loop, "start_up": start_up,
    "network": network, "plain_network": plain_network, "folder": folder,
}  # fmt: skip


def main() -> None:
    """Serve the one that the first line asks for."""
    channel = Channel()
    spec = channel.hear()
    assert spec
    try:
        step, facts = CANDIDATES[spec["kind"]](spec)
        if step is None:
            channel.say(**facts)
        else:
            serve(channel, step, pick_device(spec["device"]), **facts)
    except Exception as error:  # whatever it is, the one who asked has to know
        said = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {first_line(error)}"
        channel.say(error=said, option=isinstance(error, OptionError))


def first_line(error: Exception) -> str:
    """Return what an error says, without the lines below the first."""
    return str(error).partition("\n")[0]


if __name__ == "__main__":
    main()
