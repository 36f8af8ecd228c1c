"""The model card: what a model is, how to use it and to train the same, its scores, and what it is not good for."""

__all__ = ["CardOptions", "ModelCard", "describe_model", "without_home", "write_card"]

import hashlib
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2
from PIL import Image

from translate.checkpoints.hub.errors import import_hub
from translate.checkpoints.model_file import model_file, read_recipe
from translate.checkpoints.recipe import Recipe
from translate.images.io import read_rgb8
from translate.reports.data_facts import SourceFacts, source_facts
from translate.reports.embedded_pictures import shrink_to
from translate.reports.rich_blocks import Block, TextBlock
from translate.reports.scores import KeptScores, kept_scores
from translate.reports.trained_run import TrainedRun, count_parameters, read_run
from translate.tasks import TASKS
from translate.utils.errors import UserError
from translate.utils.files import atomic_write, format_bytes
from translate.utils.terminal import printable

CARD, MODEL, PICTURE = "README.md", "model.safetensors", "samples.jpg"
PICTURE_SIDE_PX, PICTURE_QUALITY = 1600, 88
TEMPLATE = "model_card.md.jinja"
TAGS = {
    "unpaired": "unpaired",
    "paired": "paired",
    "images": "generation",
    "masked": "inpainting",
    "reduced": "super-resolution",
    "labelled": "attribute-editing",
}
_MARKUP = re.compile(r"([\\`*_\[\]<>|#])")
_LICENCE_ID = re.compile(r"[a-z][a-z0-9+-]*-\d[a-z0-9.-]*|mit|isc|wtfpl|unlicense")  # those of SPDX with a version


@dataclass(frozen=True, kw_only=True)
class CardOptions:
    """What a card says, and what it leaves out."""

    repo: str  # user/name
    licence: str = ""  # an identifier of the Hub, such as cc-by-4.0; "": that of the data, if the catalog knows it
    weights: str = "last"
    picture: bool = True  # whether a sample grid goes with it, which shows held-out pictures


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """All that a card says of a model."""

    file: Path
    recipe: Recipe
    options: CardOptions
    run: TrainedRun | None = None  # None for a model file alone
    scores: KeptScores | None = None
    sources: Sequence[SourceFacts] = field(default=())

    @property
    def kind(self) -> str:
        """The kind of data of the task."""
        return TASKS[self.recipe.task].data

    @property
    def name(self) -> str:
        """The name of the repository, without its user."""
        return self.options.repo.rpartition("/")[2]

    @property
    def sample_grid(self) -> Path | None:
        """The newest sample grid of the run."""
        grids = self.run.samples() if self.run and self.options.picture else []
        return grids[-1] if grids else None

    @property
    def licence(self) -> str:
        """The licence as an identifier: the given one, or that of all data; "other", or "" if nothing is known."""
        if self.options.licence:
            return self.options.licence.lower()
        known = {licence_id(source.licence) for source in self.sources if source.title}
        if not known or any(not source.title for source in self.sources):
            return ""
        return known.pop() if len(known) == 1 else "other"

    @property
    def findings(self) -> list[str]:
        """What is known to be wrong with the pictures of the run, or that nothing is known of them."""
        verdict = self.run.verdict if self.run else None
        if verdict and not verdict.judged:
            return [str(verdict)]
        return [f"known fault: {finding}" for finding in verdict.findings] if verdict else []


def describe_model(model: str | Path, options: CardOptions) -> ModelCard:
    """Gather what a card says of the model in a run folder, or of a model file alone.

    Raises:
        UserError: there is no model, or it is damaged, or in the originals' format.
    """
    file = model_file(model, options.weights)
    if file.suffix != ".safetensors":
        raise UserError(f"{file}: is in the originals' format, whose code is not ours to share; import it first")
    recipe = read_recipe(file)
    if not (file.parent / "config.toml").is_file():
        return ModelCard(file=file, recipe=recipe, options=options)
    run = read_run(file.parent)
    scores = kept_scores(run.folder, options.weights)
    return ModelCard(file=file, recipe=recipe, options=options, run=run, scores=scores, sources=source_facts(run))


def licence_id(text: str) -> str:
    """Return the identifier at the beginning of a licence of the catalog; "other" if there is none.

    >>> licence_id("Apache-2.0, as this package"), licence_id("none stated; photos from Flickr")
    ('apache-2.0', 'other')
    """
    first = re.split("[,;: ]", text.strip(), maxsplit=1)[0].lower()
    return first if _LICENCE_ID.fullmatch(first) else "other"


# ---- write


def write_card(card: ModelCard, folder: Path, commands: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Write the model, its card and its picture into a folder; return the bytes of each file by name.

    Args:
        card: of the model.
        folder: other files in it stay.
        commands: to use the model and to train the same: what each is for, and its words.
    """
    with atomic_write(folder / MODEL) as temporary:
        shutil.copyfile(card.file, temporary)
    names = [CARD, MODEL]
    if grid := card.sample_grid:
        with atomic_write(folder / PICTURE) as temporary:
            shown = Image.fromarray(shrink_to(read_rgb8(grid), PICTURE_SIDE_PX))
            shown.save(temporary, "JPEG", quality=PICTURE_QUALITY)
        names.append(PICTURE)
    text = render_card(card, folder / MODEL, commands)
    with atomic_write(folder / CARD) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return {name: (folder / name).stat().st_size for name in names}


def render_card(card: ModelCard, file: Path, commands: Sequence[tuple[str, str]]) -> str:
    """Return the Markdown of a card of the model in `file`, with its YAML header."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=False, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    environment.filters |= {"plain": plain, "line": lambda text: printable(str(text))}
    with file.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    return environment.get_template(TEMPLATE).render(
        header=header_of(card),
        card=card,
        recipe=card.recipe,
        run=card.run,
        commands=commands,
        counts=card.run.counts() if card.run else {},
        tables=[text_of(block) for block in card.scores.blocks] if card.scores else [],
        sha256=digest,
        size=format_bytes(file.stat().st_size),
        parameters=count_parameters(file),
        picture=PICTURE,
    )


def header_of(card: ModelCard) -> str:
    """Return the YAML between the dashed lines at the top of a card."""
    generates = card.kind == "images"
    data = import_hub().ModelCardData(
        license=card.licence or None,
        library_name="image-translate",
        pipeline_tag="unconditional-image-generation" if generates else "image-to-image",
        tags=["image-translate", card.recipe.task, *filter(None, [TAGS.get(card.kind)])],
    )
    return str(data.to_yaml())


def text_of(block: Block | TextBlock) -> str:
    """Return a table of the scores as Markdown, or a line of its legend."""
    if isinstance(block, TextBlock):
        return plain(block.text)
    rows = [[plain(cell.text) for cell in row] for row in block.rows]
    marked = [
        [f"**{cell}**" if cell else "" for cell in row] if i in block.titles else row for i, row in enumerate(rows)
    ]
    rule = ["--:" if cell.right else "---" for cell in block.header]
    lines = [[plain(cell.text) for cell in block.header], rule, *marked]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def plain(text: Any) -> str:
    """Return a text that Markdown shows as it is."""
    return _MARKUP.sub(r"\\\1", printable(str(text)))


def without_home(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration whose absolute paths are names alone: nobody else has these folders."""
    return {key: _without_home(value) for key, value in values.items()}


def _without_home(value: Any) -> Any:
    if isinstance(value, Mapping):
        return without_home(value)
    if isinstance(value, list | tuple):
        return [_without_home(each) for each in value]
    if isinstance(value, str) and re.match(r"[/~]|\.\./|[A-Za-z]:[/\\]", value):
        return re.split(r"[/\\]", value.rstrip("/\\"))[-1] or value
    return value
