"""All jobs of a benchmark of recipes: which there are, and running those that are not done."""

__all__ = ["QualityOptions", "compare_recipes"]

import contextlib
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from translate.bench.cases import Case
from translate.bench.original_repo import OriginalRepo
from translate.bench.quality.job import ORIGINAL, Job, QualityRecipe, find_recipe
from translate.bench.quality.picture_set import PictureSet, find_set
from translate.bench.quality.report import QualityReport, make_report
from translate.bench.worker import package_environment, python_command
from translate.evaluation.panel import load_panel
from translate.utils.errors import OptionError
from translate.utils.files import write_json
from translate.utils.locks import hold
from translate.utils.plugins import recipes
from translate.utils.terminal import console, escape
from translate.utils.toml_files import read_toml

SETS = ("photos2monet", "sketch2shoe", "faces")
SLOW = ("paper", "large")  # presets that are run only by name, as inpainting is
PEER_TASKS = {"unpaired": "cycle", "paired": "pix2pix"}  # by kind of data
WORDS = {
    "unpaired": "two sets without pairs", "paired": "pairs", "images": "single pictures", "masked": "single pictures",
}  # fmt: skip
POLL_S = 0.1


@dataclass(frozen=True, kw_only=True)
class QualityOptions:
    """What a benchmark of recipes compares."""

    out: Path
    sets: Sequence[str] = ()  # names of the catalog or NAME=FOLDER; default: SETS
    recipes: Sequence[str] = ()  # names or files; default: all but those of SLOW presets and of inpainting
    seeds: Sequence[int] = (0,)
    cpu_seconds: float = 240.0  # of training steps
    size: int = 0  # px; 0 = that of the pictures, at most 128
    limit: int = 100  # of held-out pictures, 2 or more
    features: str = ""  # weights of a network that judges
    peer: str = ""  # a checkout of pytorch-CycleGAN-and-pix2pix
    parallel: int = 1  # jobs at a time
    overwrite: bool = False  # make jobs of other options anew


def compare_recipes(options: QualityOptions) -> QualityReport:
    """Run all jobs that are not done, and score all; write contact sheets, quality.md and quality.json into `out`.

    Raises:
        OptionError: an unknown set or recipe, a recipe that fits no set, or a folder with jobs of other options.
        InUseError: another benchmark works in the folder.
    """
    panel = load_panel(options.features)
    jobs = make_jobs(options)
    with hold(options.out / ".lock", f"{options.out}: is being worked in"):
        drop_changed(jobs, overwrite=options.overwrite)
        failures = run_all([job for job in jobs if job.result() is None], options.parallel)
        report = make_report([job for job in jobs if job.result()], panel, options.out, failures)
        write_json(options.out / "quality.json", report.to_dict())
        (options.out / "quality.md").write_text(report.markdown(), encoding="utf-8")
    return report


def make_jobs(options: QualityOptions) -> list[Job]:
    """Return all jobs, seed by seed, so that the first results cover every set and recipe."""
    sets = [find_set(text) for text in options.sets or SETS]
    chosen = [find_recipe(text) for text in options.recipes]
    for recipe in chosen:
        if not any(recipe.kind in pictures.kinds for pictures in sets):
            words = f"learns from {WORDS[recipe.kind]}, which no set has; add one to --sets"
            raise OptionError(f"--recipes {recipe.name}: {words}")
    if not chosen:
        own = [name for name, file in sorted(recipes().loaded().items()) if "recipe" not in read_toml(file)]
        known = [find_recipe(name) for name in own]  # the others repeat one of them
        chosen = [recipe for recipe in known if recipe.preset not in SLOW and recipe.kind != "masked"]
    peer = OriginalRepo.open(options.peer) if options.peer else None
    jobs = {job.folder: job for pictures in sets for job in jobs_of_set(pictures, chosen, options, peer)}
    return sorted(jobs.values(), key=lambda job: options.seeds.index(job.config.train.seed))


def jobs_of_set(
    pictures: PictureSet, chosen: Sequence[QualityRecipe], options: QualityOptions, peer: OriginalRepo | None
) -> list[Job]:
    """Return the jobs of a set: every recipe that fits, and the original repository's if it has the task."""
    fitting = [recipe for recipe in chosen if recipe.kind in pictures.kinds]
    if not fitting:
        raise OptionError(f"--sets {pictures.name}: none of the recipes learns from {WORDS[pictures.kinds[0]]}")
    size = options.size or pictures.size()

    def job(recipe: QualityRecipe, seed: int, path: str = "") -> Job:
        folder = options.out / pictures.name / recipe.name / str(seed)
        config = recipe.config(pictures.options(recipe.kind) | {"size": size}, seed, folder / "run")
        return Job(
            folder=folder, pictures=pictures, recipe=recipe.name, config=config, cpu_seconds=options.cpu_seconds,
            limit=options.limit, peer=path,
        )  # fmt: skip

    jobs = [job(recipe, seed) for recipe in fitting for seed in options.seeds]
    if peer and (task := PEER_TASKS.get(pictures.kinds[0])):
        theirs = [job(QualityRecipe(ORIGINAL, task, "paper"), seed, str(peer.path)) for seed in options.seeds]
        jobs += [one for one in theirs if peer.training_options(Case(one.config, "cpu"), size, size, Path(), Path())]
    return jobs


def drop_changed(jobs: Sequence[Job], *, overwrite: bool) -> None:
    """Write what is asked for into the folders of the jobs; raise OptionError if one holds another job.

    With `overwrite`, it is deleted instead.
    """
    changed = {job.folder: changes for job in jobs if (changes := job.changes())}
    for folder, changes in changed.items() if not overwrite else ():
        more = f", and {len(changed) - 1} more jobs differ" if len(changed) > 1 else ""
        raise OptionError(
            f"{folder} holds a job of other options: {'; '.join(changes[:3])}{more}; choose another --out, or make"
            " these jobs anew with --overwrite"
        )
    for job in jobs:
        if job.folder in changed:
            shutil.rmtree(job.folder)
        write_json(job.folder / "job.json", job.asked())


# ---- processes


def run_all(jobs: Sequence[Job], parallel: int) -> list[str]:
    """Run jobs, `parallel` at a time, and end them with this process; return what went wrong, a line each."""
    waiting, running, failures = list(jobs), dict[subprocess.Popen[str], Job](), list[str]()
    with contextlib.ExitStack() as stack:
        while waiting or running:
            while waiting and len(running) < parallel:
                job = waiting.pop(0)
                running[stack.enter_context(start(job))] = job
                console.print(escape(f"{job.title} ..."), soft_wrap=True)
            time.sleep(POLL_S)
            for process in [process for process in running if process.poll() is not None]:
                job = running.pop(process)
                failures += report_end(job, process.returncode)
    return failures


@contextlib.contextmanager
def start(job: Job) -> Iterator[subprocess.Popen[str]]:
    """Start the process of a job, with its output in log.txt; the end of its input stops it at the end of the block."""
    command = python_command("translate.bench.quality.job_process", job.folder)
    environment = package_environment() | {"OMP_NUM_THREADS": "1"}
    with (job.folder / "log.txt").open("a", encoding="utf-8") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT, env=environment, text=True
        )
        try:
            yield process
        finally:
            assert process.stdin
            process.stdin.close()
            process.wait()


def report_end(job: Job, status: int) -> list[str]:
    """Say what a finished job has done; return why it failed, if it did."""
    if not status and (facts := job.result()):
        words = f"{facts['steps']} steps in {facts['cpu_seconds']:.0f} CPU s"
        console.print(escape(f"{job.title}: {words}"), soft_wrap=True)
        return []
    lines = (job.folder / "log.txt").read_text(encoding="utf-8", errors="replace").split("\n")
    reason = next((line.strip() for line in reversed(lines) if line.strip()), f"ended with status {status}")
    failure = f"{job.title}: {reason} ({job.folder / 'log.txt'})"
    console.print(escape(failure), soft_wrap=True)
    return [failure]
