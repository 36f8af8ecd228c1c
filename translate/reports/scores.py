"""The scores of runs, evaluated once: the newest are kept in the run folder."""

__all__ = ["KeptScores", "ScoreOptions", "keep_scores", "kept_scores", "scores_of"]

import contextlib
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import translate
from translate.checkpoints.model_file import model_file
from translate.evaluation.evaluation import Evaluation, EvaluationOptions
from translate.evaluation.registry import load_evaluation
from translate.evaluation.report import Report
from translate.reports.measures import Measure, measures_of
from translate.reports.rich_blocks import Block, Cell, TextBlock, to_blocks
from translate.utils.files import WriteError, content_hash, write_json

FILE_NAME = "scores.json"


@dataclass(frozen=True, kw_only=True)
class ScoreOptions:
    """The options of an evaluation that scores depend on; 0 and "" are the defaults of the command `evaluate`."""

    limit: int = 0  # pictures of each domain
    count: int = 0  # samples, or answers to each picture
    features: str = ""  # file of weights of a further network
    device: str = "auto"
    precision: str = "auto"

    def load(self, run: Path) -> Evaluation:
        """Load the evaluation of the run in a folder, on its own held-out pictures."""
        return load_evaluation(EvaluationOptions(model=str(run), **asdict(self)))


@dataclass(frozen=True, kw_only=True)
class KeptScores:
    """The table of scores of a model as the command `evaluate` prints it, kept in the folder of its run."""

    blocks: list[Block | TextBlock]
    options: ScoreOptions
    version: str  # of this package

    @property
    def protocol(self) -> str:
        """The options that the scores depend on, in words; "" for the defaults."""
        words = {
            "limit": f"at most {self.options.limit} pictures of each domain", "count": f"--count {self.options.count}",
            "features": "further features by --features", "precision": f"computed in {self.options.precision}",
        }  # fmt: skip
        given = asdict(self.options)
        return "".join(f", {text}" for name, text in words.items() if given[name] not in (0, "", "auto"))


def kept_scores(run: Path, weights: str = "last") -> KeptScores | None:
    """Return the scores that were kept of the model in a run folder, whatever their options were; None without any.

    The table has a row for the other `weights` of the run if they were scored as well.
    """
    try:
        table = json.loads((run / FILE_NAME).read_text(encoding="utf-8"))
        of = table["of"]
        options = ScoreOptions(**{field.name: of[field.name] for field in fields(ScoreOptions)})
        if of["model"] != content_hash(model_file(run)) or not table["blocks"]:
            return None
        return KeptScores(blocks=[_block(each) for each in table["blocks"]], options=options, version=of["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _block(values: dict[str, Any]) -> Block | TextBlock:
    """Rebuild a table or a line from JSON."""
    if "text" in values:
        return TextBlock(values["text"])
    rows = [[Cell(**cell) for cell in row] for row in values["rows"]]
    return Block([Cell(**cell) for cell in values["header"]], rows, {*values["titles"]})


def scores_of(run: Path, options: ScoreOptions) -> list[Measure]:
    """Return the scores of the run in a folder: those that were kept, if model and options are the same, else new ones.

    Raises:
        OptionError, UserError: as the command `evaluate`.
    """
    if (known := _read_scores(run, options)) is not None:
        return known
    return keep_scores(run, options, options.load(run).run())


def keep_scores(run: Path, options: ScoreOptions, report: Report) -> list[Measure]:
    """Write the scores of a report into the run folder, unless the disk refuses; return them."""
    measures = measures_of(report)
    blocks = [asdict(block) for block in to_blocks(report.table())]
    table = {
        "of": _identity(run, options),
        "scores": [asdict(measure) for measure in measures],
        "blocks": [block | {"titles": sorted(block["titles"])} if "titles" in block else block for block in blocks],
    }
    with contextlib.suppress(WriteError):  # of a run that others share for reading
        write_json(run / FILE_NAME, table)
    return measures


def _read_scores(run: Path, options: ScoreOptions) -> list[Measure] | None:
    """Return the kept scores; None without any of this model and these options."""
    try:
        table = json.loads((run / FILE_NAME).read_text(encoding="utf-8"))
        if table["of"] == _identity(run, options):
            return [Measure(**entry) for entry in table["scores"]]
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return None


def _identity(run: Path, options: ScoreOptions) -> dict[str, Any]:
    """Return what scores are of: the model, the options and the version of this package."""
    file = Path(options.features).expanduser()
    features = content_hash(file) if options.features and file.is_file() else options.features
    model = content_hash(model_file(run))
    return asdict(options) | {"features": features, "model": model, "version": translate.__version__}
