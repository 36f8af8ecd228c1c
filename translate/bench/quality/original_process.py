"""A job with the original repository's code: its train.py unchanged, stopped after the steps of the budget.

Its schedule, half of the run at a constant rate and half falling to 0, is shortened to these steps. A killed job begins
anew.
"""

__all__ = ["run_original"]

import runpy
import shutil
import sys
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import torch
from torch import Tensor, nn

from translate.bench.cases import Case
from translate.bench.machine import PeakMemory
from translate.bench.original_repo import OriginalRepo
from translate.bench.quality.budget import StepClock
from translate.bench.quality.job import Job
from translate.data.catalog.root import data_root
from translate.data.sources.domains import resolve_domains
from translate.data.sources.pair import read_pair
from translate.data.sources.pair_set import resolve_pairs
from translate.evaluation.reader import readable
from translate.images.io import read_rgb8, write_picture
from translate.images.picture import Picture
from translate.images.tensors import to_array, to_tensor
from translate.inference.latent.neighbours import square_crop
from translate.utils.errors import UserError
from translate.utils.torchvision_door import import_torchvision


def run_original(job: Job) -> NoReturn:
    """Run the original's train.py on the pictures of a job; exit after the steps and the answers."""
    work, case = job.folder / "work", Case(job.config, "cpu")
    shutil.rmtree(work, ignore_errors=True)
    write_pictures(job, work / "data")
    repo, size = OriginalRepo.open(job.peer), job.config.data.size
    options = repo.training_options(case, size, round(size * job.config.data.zoom), work / "data", work)
    assert options
    import_torchvision()
    sys.path.insert(0, job.peer)
    sys.argv = ["train.py", *options]
    torch.manual_seed(job.config.train.seed)
    np.random.seed(job.config.train.seed)  # noqa: NPY002, the original's
    try:
        import models  # type: ignore[import-not-found]  # of the original repository

        create = models.create_model
        models.create_model = lambda opt: budgeted(create(opt), opt, job)
        runpy.run_path(str(Path(job.peer, "train.py")), run_name="__main__")
    except ModuleNotFoundError as error:
        raise UserError(f"the code in {job.peer} needs {error.name}: pip install {error.name}") from None
    raise AssertionError("it trains for ever")


def write_pictures(job: Job, folder: Path) -> None:
    """Write the training pictures at the size of the job: as trainA and trainB, or combined in train."""
    rows: dict[str, Any] = {}
    if job.kind == "unpaired":
        for side, domain in zip("AB", resolve_domains("", "", job.pictures.place, data_root()), strict=True):
            rows[f"train{side}"] = ([picture] for picture in readable(domain.train, read_rgb8))
    else:
        rows["train"] = readable(resolve_pairs("", "", job.pictures.place, data_root()).train, read_pair)
    for name, sides in rows.items():
        (folder / name).mkdir(parents=True)
        for number, row in enumerate(sides):
            whole = np.hstack([square_crop(each, job.config.data.size) for each in row])
            write_picture(folder / name / f"{number:06d}.png", Picture(whole))


def budgeted(model: Any, opt: Any, job: Job) -> Any:
    """Make a model of the original end its training after the steps of the budget, which it times first."""
    clock, peak = StepClock(job.cpu_seconds), PeakMemory(torch.device("cpu"))
    optimize, steps = model.optimize_parameters, 0
    model.update_learning_rate = lambda: None  # once an epoch; here every step is one

    def optimize_parameters() -> None:
        nonlocal steps
        optimize()
        clock.end_step()
        if not steps and clock.measured:
            steps = max(clock.steps, len(clock.costs) + 1)
            opt.n_epochs, opt.n_epochs_decay = steps - steps // 2, steps // 2
        done = len(clock.costs) + 1
        for scheduler in model.schedulers:
            scheduler.step()
        if done == steps:
            finish(model, job, clock, peak, steps)
            sys.exit(0)

    model.optimize_parameters = optimize_parameters
    return model


def finish(model: Any, job: Job, clock: StepClock, peak: PeakMemory, steps: int) -> None:
    """Answer all questions, and write the facts."""
    generators: list[nn.Module] = []
    for question in job.questions():
        G = getattr(model, "netG" if job.kind == "paired" else {"ab": "netG_A", "ba": "netG_B"}[question.key])
        generators.append(G)
        for number, source in enumerate(question.sources):
            job.write_answer(question, number, answer(G, source))
    shutil.rmtree(job.folder / "work")
    weights = [tensor for G in generators for tensor in G.state_dict().values()]
    job.finish(
        steps=steps,
        start_up=clock.start_up,
        cpu_seconds=sum(clock.costs),
        peak=peak.before + peak.bytes(),
        model_bytes=sum(tensor.numel() * tensor.element_size() for tensor in weights),
        parameters=sum(p.numel() for G in generators for p in G.parameters()),
        trained_with=[],
    )


@torch.no_grad()
def answer(G: nn.Module, source: np.ndarray) -> np.ndarray:
    """Return the answer of a generator in training mode, as the original's test.py gives it."""
    output: Tensor = G(to_tensor(source))
    return to_array(output)
