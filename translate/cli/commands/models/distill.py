"""distill: a small model that gives the answers of a large one."""

__all__ = ["Distill", "distill"]

from dataclasses import dataclass
from shlex import quote
from typing import Annotated, Any

from tyro.conf import arg

from translate.cli.commands.options import (
    Flag,
    PathText,
    PluginOptions,
    Precision,
    RootOptions,
    Text,
    TrustOptions,
    Weights,
    given_options,
)

TRAIN_OPTIONS = ("steps", "epochs", "minutes", "seed", "device", "precision")
Length = Annotated[float, arg(metavar="N", help_behavior_hint="")]


@dataclass(frozen=True, kw_only=True)
class Distill(TrustOptions, RootOptions, PluginOptions):
    """Teach a small, fast model to give the answers of a model that translates; it is a model like any other.

    It learns from the pictures of the model's own run, without any truth. Repeat a command to resume an interrupted run
    exactly. At the end, both are compared: multiplications, seconds, PSNR to the teacher, kernel distances.
    """

    model: PathText  # The teacher: run folder or model.safetensors.
    weights: Weights = "last"  # Of a run folder: "last"; "best" score while training; or "average", of several steps.
    # The student has so many times fewer multiplications, and is at least half as many times as fast on this machine,
    # which is timed before it is trained.
    speedup: Annotated[float, arg(metavar="N")] = 8.0
    a: Text = ""  # Pictures to learn from in place of those of the run: first domain, or the first pictures of pairs.
    b: Text = ""  # Second domain, or the second pictures.
    data: Text = ""  # Instead of both: a folder with trainA and trainB or of combined pairs, or a catalog data set.
    images: Text = ""  # Or sources alone, without any target: the student has the model's default direction.
    one_way: Flag = False  # Teach the default direction alone, of a model with two; all the time is for it.
    out: PathText = ""  # Run folder of the student (default: that of the teacher with _student behind its name).
    steps: int = 0  # Length of the run in updates; give one of --steps, --epochs and --minutes.
    epochs: Length = 0.0  # Length in passes over the pictures.
    minutes: Length = 0.0  # Length in minutes (default: 10).
    extend: Flag = False  # Make the run in --out longer: --steps, --epochs or --minutes is then its new total.
    seed: int = 0  # Seed of all random numbers.
    device: str = "auto"  # "auto", "cpu", "cuda", "cuda:1" or "mps".
    precision: Precision = "auto"  # "auto", "bf16" or "fp32".
    json: PathText = ""  # Also write the comparison to this file.
    config: PathText = ""  # TOML file with any of these options; flags win over it.


def distill(options: Distill) -> int:
    """Train, or resume, the student; print the comparison with its teacher, and write a sheet of answers."""
    from translate.cli.commands.train import LENGTHS, check_lengths
    from translate.export.students.lesson import Lesson, plan_lesson
    from translate.training.loop import train
    from translate.utils import dist

    given = given_options(options)
    values: dict[str, Any] = {name: getattr(options, name) for name in TRAIN_OPTIONS if name in given}
    check_lengths(values, given & set(LENGTHS))
    lesson = Lesson(
        model=options.model, weights=options.weights, speedup=options.speedup, a=options.a, b=options.b,
        data=options.data, images=options.images, one_way=options.one_way, out=options.out, train=values,
    )  # fmt: skip
    out = train(plan_lesson(lesson), extend=options.extend)
    if dist.is_main_process():
        with dist.as_single_process():
            print_comparison(options, lesson.file, out)
    return 0


def print_comparison(options: Distill, teacher: Any, out: Any) -> None:
    """Print the costs and the nearness of teacher and student; write the sheet, and the JSON file if requested."""
    from translate.export.students.report import compare_with_teacher
    from translate.images.io import write_picture
    from translate.images.picture import Picture
    from translate.utils.files import write_json
    from translate.utils.program import command_form
    from translate.utils.terminal import result_console, say

    report = compare_with_teacher(teacher, out, options.device, options.precision)
    result_console().print(report.table())
    for line in report.lines():
        say(line)
    if report.sheet is not None:
        write_picture(out / "student.png", Picture(report.sheet))
        say(f"{out / 'student.png'}: sources, the teacher's answers, the student's")
    if options.json:
        write_json(options.json, report.to_dict())
    say(f"{out}/model.safetensors is a model like any other:")
    say(f"  {command_form('translate-folder')} --model {quote(str(out))} --input FOLDER --output FOLDER")
