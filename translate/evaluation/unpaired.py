"""Scores of a model on the test pictures of two domains, beside two baselines and a floor.

PSNR and SSIM compare an output with its truth, which only rendered domains and held-out pairs have. The kernel distance
compares the set of outputs with pictures of the target domain. Neither means much alone: the untouched input has all of
the content and none of the appearance of the target, and real pictures of the target the reverse.
"""

__all__ = ["UnpairedEvaluation"]

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from translate.data.sources.domains import Domain
from translate.data.sources.pair import Pair, read_pair
from translate.data.sources.pair_set import PairSet
from translate.data.sources.run_data import run_domains, run_few_pairs
from translate.evaluation.cases import Method, TranslationCase
from translate.evaluation.evaluation import (
    Evaluation,
    EvaluationOptions,
    at_strength,
    check_minimum,
    load_at_strength,
    load_rivals,
    load_translator,
)
from translate.evaluation.panel import Panel, load_panel
from translate.evaluation.reader import Reader, readable
from translate.evaluation.report import MODEL, Row, note_few
from translate.evaluation.tally import SEED, Tallies, panel_row
from translate.evaluation.translation_report import FLOOR, DirectionScores, TranslationReport
from translate.evaluation.verdict import UNTOUCHED, explain_verdict
from translate.images.grid import make_grid
from translate.images.io import IMAGE_SUFFIXES, read_rgb8
from translate.images.picture import ValueRange
from translate.metrics.colour_transfer import colour_statistics, transfer_colour
from translate.metrics.hallucination import Contents
from translate.metrics.lattice import shared_part
from translate.utils.errors import UserError
from translate.utils.progress import Progress
from translate.utils.sequences import subsample

MIN_TARGETS = 20  # fewer test pictures do not represent a domain, so that training pictures are used
MAX_TRAIN = 1000  # training pictures to read


@dataclass(frozen=True)
class DirectionFiles:
    """The files of one direction."""

    inputs: list[Path]  # test pictures of the source
    truths: dict[str, Path]  # truths by the stems of the inputs
    targets: list[Path]  # pictures of the target for the kernel distance
    others: list[Path]  # other pictures of the target, whose kernel distance is the floor
    part: str  # "test" or "train", the origin of `targets`

    @classmethod
    def choose(cls, source: Domain, target: Domain, limit: int | None) -> "DirectionFiles":
        """Choose the test pictures of the target if they are enough, else (half of) its training pictures."""
        inputs, truths = subsample(source.test, limit), find_truths(source.truth)
        test, train = subsample(target.test, limit), subsample(target.train, limit or MAX_TRAIN)
        if len(target.test) >= MIN_TARGETS or len(target.test) >= len(target.train):
            return cls(inputs, truths, test, subsample(train, len(test)), "test")
        if len(train) >= 2 * MIN_TARGETS:
            return cls(inputs, truths, train[::2], train[1::2], "train")
        return cls(inputs, truths, train, [], "train")


@dataclass(frozen=True)
class UnpairedEvaluation(Evaluation):
    """Scores a model in every direction whose source has test pictures.

    Attributes:
        translator: called as `translator(picture, direction="ab")` with (H, W, 3) uint8 RGB, returns the same shape and
            type.
    """

    purpose, unused, data_options = "translates", ("images", "count"), "--a and --b, or --data"
    translator: Callable[..., Any]
    a: Domain  # source of direction "ab"
    b: Domain
    values: ValueRange | None = field(default=None, kw_only=True)  # black and white in floats and wide integers
    directions: tuple[str, ...] = field(default=("ab", "ba"), kw_only=True)  # of the model
    pairs: PairSet | None = field(default=None, kw_only=True)  # from A to B, of which the test part is scored
    strength: float | None = field(default=None, kw_only=True)  # of the translations; None: the model has none
    panel: Panel = field(default_factory=Panel, kw_only=True)

    def __post_init__(self) -> None:
        check_minimum(1, limit=self.limit)

    @classmethod
    def load(cls, options: EvaluationOptions) -> "UnpairedEvaluation":
        """Load the model and its domains."""
        translator = load_translator(options)
        a, b = run_domains(options.model, options.a, options.b, options.data)
        directions = translator.recipe.directions
        pairs = run_few_pairs(options.model, options.pairs, options.a, options.b, options.data)
        panel = load_panel(options.features, translator.recipe.features)
        return cls(
            at_strength(translator, options.strength), a, b, limit=options.limit or None, values=translator.values,
            directions=directions, panel=panel, pairs=pairs,
            strength=translator.strength if options.strength is None else options.strength,
            rivals=load_rivals(options, load_at_strength),
        )  # fmt: skip

    def score(self, bars: Progress) -> TranslationReport:
        """Score the model and the baselines, direction by direction."""
        remarks = [*self.panel.notes, *self.a.notes, *self.b.notes, *(self.pairs.notes if self.pairs else ())]
        parts = [
            self.score_direction(direction, source, target, Reader(bars, f"{source.name} -> {target.name}"))
            for direction, source, target in self.ways()
            if source.test or self.test_pairs(direction)
        ]
        if not parts:
            reasons = remarks or [f"{self.a.name} and {self.b.name} have too few pictures to hold any out"]
            raise UserError(f"{'; '.join(reasons)}; score on others: --a FOLDER --b FOLDER")
        return TranslationReport(self.panel.versions, parts, SEED, remarks=remarks, strength=self.strength)

    def score_direction(self, direction: str, source: Domain, target: Domain, reader: Reader) -> DirectionScores:
        """Score the model and the baselines on all inputs of one direction."""
        # compute features and colour statistics of the target
        files = DirectionFiles.choose(source, target, self.limit)
        targets, others = (
            self.panel.describe_all(reader.read_all(paths, self.read)) for paths in (files.targets, files.others)
        )
        if not len(targets):
            raise UserError(f"none of the {len(files.targets)} pictures of {target.name} can be read")
        colours = colour_statistics(picture for _, picture in reader.read_all(files.targets, self.read))

        # apply every method to every input
        methods: dict[str, Method] = {
            UNTOUCHED: lambda picture: picture,
            "colour transfer": partial(transfer_colour, target=colours),
            MODEL: partial(self.translator, direction=direction),
            **{name: partial(rival, direction=direction) for name, rival in self.rivals.items()},
        }
        tallies = Tallies(methods, self.panel)
        for key, case in self.cases(direction, source, files, reader):
            tallies.add(case, key)
        model = tallies.by_method[MODEL]
        if not model.features:
            count = len(files.inputs) + len(self.test_pairs(direction))
            raise UserError(f"none of the {count} test pictures of {source.name} can be read")

        # report
        rows = tallies.rows(targets)
        if len(others) >= 2:
            rows.append(panel_row(FLOOR, others, targets))
        counts = {
            "pictures": len(model.features),
            "truths": len(model.scores.get("psnr", [])),
            "targets": len(targets),
            "floor": len(others),
            "unreadable": len(reader.unreadable),
        }
        if pairs := self.test_pairs(direction):
            counts["pairs"] = sum(pair not in reader.unreadable for pair in pairs)
        verdict = [line for row in rows if row.name == MODEL for line in explain_verdict(row, target.name)]
        notes = [*verdict, *note_few(counts["pictures"]), *explain_gaps(rows[0], counts, source), *reader.notes()]
        own = shared_part(targets.phases).strength
        return DirectionScores(direction, source.name, target.name, rows, counts, files.part, notes, lattice=own)

    def cases(
        self, direction: str, source: Domain, files: DirectionFiles, reader: Reader
    ) -> Iterator[tuple[Hashable, TranslationCase]]:
        """Yield the readable test cases of one direction, each with the key of its input: single pictures, then pairs.

        A picture that belongs to a held-out pair is no case of its own.
        """
        pairs = self.test_pairs(direction)
        paired = {pair.a for pair in pairs if not pair.combined}
        for path, picture in reader.read_all([path for path in files.inputs if path not in paired], self.read):
            yield path, self.read_case(path, picture, source, files, reader)
        for pair, pictures in reader.read_all(pairs, self.read_pair):
            yield pair, TranslationCase(*pictures)

    def test_pairs(self, direction: str) -> list[Pair]:
        """Return the held-out pairs, sources of `direction` first."""
        pairs = subsample(self.pairs.test, self.limit) if self.pairs else []
        return [pair if direction == "ab" else pair.reverse() for pair in pairs]

    def read_pair(self, pair: Pair) -> tuple[np.ndarray, np.ndarray]:
        """Read both pictures of a pair: (H, W, 3) uint8 RGB, of one size."""
        source, target = read_pair(pair, read=(self.read, self.read))
        return np.ascontiguousarray(source), np.ascontiguousarray(target)

    def ways(self) -> list[tuple[str, Domain, Domain]]:
        """Return the name, source and target of each direction of the model, "ab" first."""
        domains = {"a": self.a, "b": self.b}
        return [(name, domains[name[0]], domains[name[1]]) for name in sorted(self.directions)]

    def read(self, path: Path) -> np.ndarray:
        """Read a picture: (H, W, 3) uint8 RGB."""
        return read_rgb8(path, self.values)

    def read_case(
        self, path: Path, picture: np.ndarray, source: Domain, files: DirectionFiles, reader: Reader
    ) -> TranslationCase:
        """Return the test case of a picture, with what is known of its truth."""
        truth = self.read_truth(path, picture, files, reader)
        if truth is None or source.truth is None:
            return TranslationCase(picture, truth)
        # both states of the truth, of sets that were drawn with a part in one domain alone
        folders = (source.truth.parent / name / source.truth.name for name in ("other", "places"))
        other, places = (folder / f"{path.stem}.png" for folder in folders)
        if not (other.is_file() and places.is_file()):
            return TranslationCase(picture, truth)
        states = [reader.attempt(file, self.read) for file in (other, places)]
        known = [state for state in states if state is not None and state.shape == truth.shape]
        contents = Contents(truth, known[0], known[1][..., 0]) if len(known) == 2 else None
        return TranslationCase(picture, truth, contents=contents)

    def read_truth(self, path: Path, picture: np.ndarray, files: DirectionFiles, reader: Reader) -> np.ndarray | None:
        """Return the truth of a test picture, or None without one of the same size."""
        if path.stem not in files.truths:
            return None
        truth = reader.attempt(files.truths[path.stem], self.read)
        return truth if truth is not None and truth.shape == picture.shape else None

    def grid(self, columns: int = 6) -> np.ndarray:
        """Draw for each direction: readable test pictures, their translations, and the truths if all are known.

        Held-out pairs, if there are any, stand in place of other test pictures, unless all of these have truths.
        """
        rows: list[list[np.ndarray]] = []
        for direction, source, _ in self.ways():
            pairs = self.test_pairs(direction)
            column = partial(self.grid_column, direction=direction, truths=find_truths(source.truth))
            if pairs and source.truth is None:
                found = readable(subsample(pairs, columns), partial(self.pair_column, direction=direction))
            else:
                found = readable(subsample(source.test, columns), column)
            rows += map(list, zip(*found, strict=False))
        return make_grid(rows)

    def pair_column(self, pair: Pair, direction: str) -> list[np.ndarray]:
        """Return the source of a pair, its translation, and its target."""
        source, target = self.read_pair(pair)
        return [source, self.translator(source, direction=direction), target]

    def grid_column(self, path: Path, direction: str, truths: dict[str, Path]) -> list[np.ndarray]:
        """Return a test picture, its translation, and its truth if known."""
        picture = self.read(path)
        truth = [self.read(truths[path.stem])] if path.stem in truths else []
        return [picture, self.translator(picture, direction=direction), *truth]


def find_truths(folder: Path | None) -> dict[str, Path]:
    """Return the pictures of a truth folder by stem."""
    if folder is None:
        return {}
    return {path.stem: path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES}


def explain_gaps(untouched: Row, counts: dict[str, int], source: Domain) -> list[str]:
    """Return notes on missing scores and the reasons."""
    notes = []
    if pairs := counts.get("pairs"):
        hidden = f" and of {counts['truths'] - pairs} hidden truths" if counts["truths"] > pairs else ""
        notes.append(f"PSNR and SSIM are those of {pairs} held-out pair{'s' * (pairs > 1)}{hidden}")
    elif source.truth is None:
        notes.append("no hidden truth is known, so no PSNR and SSIM")
    elif counts["truths"] < counts["pictures"]:
        missing = counts["pictures"] - counts["truths"]
        notes.append(f"{missing} pictures have no truth of their size in {source.truth}")
    if not untouched.kernels:
        notes.append("no kernel distance: it needs 2 pictures on both sides")
    elif counts["floor"] < 2:
        notes.append("no floor: too few pictures of the target to set some aside")
    return notes
