"""make-sketches: line drawings of a folder of photos."""

__all__ = ["MakeSketches", "make_sketches"]

import sys
from dataclasses import dataclass
from shlex import quote

from translate.cli.commands.options import Flag, PathText, TrustOptions
from translate.utils.program import command_form
from translate.utils.terminal import say


@dataclass(frozen=True, kw_only=True)
class MakeSketches(TrustOptions):
    """Draw a sketch of every photo of a folder: same names (.png), sub-folders and sizes; finished ones are skipped."""

    input: PathText  # Folder (with sub-folders), one photo, a quoted pattern, or a text file of paths.
    output: PathText  # Folder for the sketches.
    detail: float = 0.5  # 0: only the boldest outlines; 1: texture too.
    min_length: int = 0  # Leave out lines shorter than this, px; 0: 7 % of the shorter side, less with more detail.
    overwrite: Flag = False  # Draw existing sketches again, for example with another --detail.
    device: str = "auto"  # "auto", "cpu", "cuda", "cuda:1" or "mps".
    config: PathText = ""  # TOML file with any of these options; flags win over it.


def make_sketches(options: MakeSketches) -> int:
    """Draw the sketches; exit status 1 if a file failed."""
    from translate.data.make_sketches import make_sketches

    report = make_sketches(
        options.input, options.output, detail=options.detail, min_length=options.min_length,
        overwrite=options.overwrite, device=options.device,
    )  # fmt: skip
    for path, reason in report.failed:
        say(f"failed: {path}: {reason}", file=sys.stderr)
    for line in (*report.notes, report.summary()):
        say(line)
    say(f"Next: {command_form('train-pix2pix')} --a {quote(options.output)} --b {quote(options.input)}")
    return 1 if report.failed else 0
