"""report: one HTML page of a run."""

__all__ = ["Report", "report", "write_report"]

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from translate.cli.commands.options import PathText, PluginOptions, Precision, RootOptions, TrustOptions

FILE_NAME = "report.html"


@dataclass(frozen=True, kw_only=True)
class Report(TrustOptions, RootOptions, PluginOptions):
    """Write one HTML file of a run: data, commands, samples, scores, best and worst answers, curves, resources.

    The page loads nothing from elsewhere: it can be sent, printed and archived.
    """

    model: PathText  # Run folder.
    output: PathText = ""  # The page (default: report.html in the run folder).
    limit: int = 0  # Score on at most this many pictures of each domain; 0 = all.
    count: int = 0  # As for evaluate.
    features: PathText = ""  # As for evaluate.
    device: str = "auto"  # "auto", "cpu", "cuda", "cuda:1" or "mps".
    precision: Precision = "auto"  # "auto", "bf16" or "fp32".
    max_mb: float = 12.0  # All pictures in the page, MB; those without room are named in it.
    json: PathText = ""  # Also write facts and scores to this file.
    config: PathText = ""  # TOML file with any of these options; flags win over it.


def report(options: Report) -> int:
    """Write the page, and the JSON file if it is requested."""
    from translate.reports.scores import ScoreOptions
    from translate.utils.errors import OptionError
    from translate.utils.terminal import say

    if options.max_mb < 0:
        raise OptionError(f"--max-mb should be at least 0, got {options.max_mb:g}")
    scores = ScoreOptions(**{field.name: getattr(options, field.name) for field in fields(ScoreOptions)})
    page = write_report(options.model, options.output, options.json, scores=scores, picture_mb=options.max_mb)
    say(f"{page} is ready: open it in a browser")
    return 0


def write_report(
    model: str | Path, output: str = "", json: str = "", *, picture_mb: float = 12.0, **given: Any
) -> Path:
    """Write the page of a run, by default into its folder; return its path."""
    from translate.cli.run_commands import commands_of
    from translate.reports.page import PageOptions, make_report, render_page
    from translate.reports.trained_run import read_run
    from translate.utils.files import atomic_write, write_json

    run = read_run(model)
    options = PageOptions(picture_bytes=round(picture_mb * 1e6), **given)
    found = make_report(run, options)
    page = Path(output).expanduser() if output else run.folder / FILE_NAME
    with atomic_write(page) as temporary:
        temporary.write_text(render_page(found, options, commands_of(run)), encoding="utf-8")
    if json:
        write_json(json, found.to_dict())
    return page
