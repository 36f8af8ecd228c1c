"""share: upload a model with its card to the Hub."""

__all__ = ["Share", "share"]

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from translate.cli.commands.options import Flag, PathText, PluginOptions, RootOptions, Text, Weights
from translate.utils.errors import OptionError, shorten
from translate.utils.terminal import say

if TYPE_CHECKING:
    from translate.reports.model_card import ModelCard

LICENCE = re.compile(r"[A-Za-z][A-Za-z0-9.+-]*")


@dataclass(frozen=True, kw_only=True)
class Share(RootOptions, PluginOptions):
    """Upload a model with its card to the Hugging Face Hub, after you have seen what will be uploaded.

    A new repository is private: only you see it, until --public or its settings say otherwise.
    """

    model: PathText  # Run folder, or model.safetensors.
    repo: Text = ""  # user/name on the Hub; it is made if it does not exist.
    # Of a run folder: "last"; "best", those with the best score while training; or "average", of several steps.
    weights: Weights = "last"
    license: Text = ""  # Such as cc-by-4.0, apache-2.0 or other (default: that of the data, if the catalog knows it).
    public: Flag = False  # Make a new repository that everyone sees.
    no_picture: Flag = False  # Leave out the sample grid, which shows held-out pictures of the run.
    yes: Flag = False  # Do not ask.
    card_only: PathText = ""  # Write what would be uploaded into this folder, and upload nothing.
    config: PathText = ""  # TOML file with any of these options; flags win over it.


def share(options: Share) -> int:
    """Write the card, show what will be uploaded, ask, and upload; return exit status 1 after a no."""
    from tempfile import TemporaryDirectory

    from translate.checkpoints.hub.name import as_repo, check_repo
    from translate.checkpoints.hub.upload import look_up, upload
    from translate.cli.run_commands import card_commands
    from translate.reports.model_card import CardOptions, describe_model, write_card

    # check the options
    if not options.repo and not options.card_only:
        raise OptionError("--repo is missing: user/name on the Hub; or --card-only FOLDER to look at the card first")
    if not (options.card_only or options.yes or sys.stdin.isatty()):
        raise OptionError("without a terminal nobody can be asked; add --yes to upload, or --card-only FOLDER to look")
    if options.license and not LICENCE.fullmatch(options.license):
        hint = "give an identifier such as cc-by-4.0, apache-2.0, mit or other"
        raise OptionError(f"--license {shorten(options.license)!r} is no licence that the Hub knows; {hint}")
    repo = check_repo(options.repo) if options.repo else as_repo(Path(options.model).expanduser().absolute().name)
    # write the card
    card = describe_model(
        options.model,
        CardOptions(repo=repo, licence=options.license, weights=options.weights, picture=not options.no_picture),
    )
    if options.card_only:
        folder = Path(options.card_only).expanduser()
        show(card, write_card(card, folder, card_commands(card)))
        say(f"{folder}: written; nothing was uploaded")
        return 0
    # upload it
    with TemporaryDirectory() as scratch:
        files = write_card(card, Path(scratch), card_commands(card))
        place = look_up(repo)
        show(card, files)
        say(place.describe(files, public=options.public))
        if not options.yes and not confirmed():
            say("nothing was uploaded")
            return 1
        say(upload(Path(scratch), place, public=options.public, message=f"{card.recipe.summary}, by image-translate"))
    say(f'  Translator.load("hf://{repo}")' if card.kind != "images" else f'  Sampler.load("hf://{repo}")')
    return 0


def show(card: "ModelCard", files: Mapping[str, int]) -> None:
    """Print the files with their sizes, and the licence."""
    from translate.utils.files import format_bytes

    width = max(map(len, files))
    for name, size in files.items():
        note = "  held-out pictures of the run; --no-picture leaves them out" if name == "samples.jpg" else ""
        say(f"  {name:{width}}  {format_bytes(size):>8}{note}")
    if not card.licence:
        say("no licence: the pictures are your own; --license cc-by-4.0, or another, tells others what they may do")
    for source in card.sources:
        if source.title and card.licence == "other":
            say(f"the data of {source.spec}: {source.licence}; see whether you may share what has learned from it")


def confirmed() -> bool:
    """Ask whether to upload."""
    try:
        return input("upload this? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False
