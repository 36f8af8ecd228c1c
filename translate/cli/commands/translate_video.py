"""What the command translate-folder does with a film."""

__all__ = ["translate_film"]

from typing import TYPE_CHECKING

from translate.utils.errors import OptionError
from translate.utils.terminal import say

if TYPE_CHECKING:
    from translate.cli.commands.translate_folder import TranslateFolder


def translate_film(options: "TranslateFolder") -> int:
    """Translate a film, a GIF or a folder of frames."""
    from translate.inference.translator import Translator
    from translate.inference.video import translate_video

    _check(options)
    translator = Translator.load(options.model, options.device, options.precision, options.memory)
    if translator.note:
        say(f"computing in {translator.note}")
    report = translate_video(
        translator, options.input, options.output, direction=options.direction, seed=options.seed,
        look=next(iter(options.look), None), scale=options.scale,
        stats=options.stats or ("frozen" if options.reference else "smooth"), reference=options.reference or None,
        denoise=not options.no_denoise, fps=options.fps, overwrite=options.overwrite, quality=options.quality,
    )  # fmt: skip
    for line in report.notes:
        say(line)
    say(report.summary())
    return 0


def _check(options: "TranslateFolder") -> None:
    """Refuse what is for pictures alone."""
    given = {"count": options.count is not None, "hints": options.hints, "masks": options.masks}
    given |= {"format": options.format, "shard": options.shard}
    if wrong := [f"--{name}" for name, value in given.items() if value]:
        raise OptionError(f"{wrong[0]} is for pictures; a film gets one answer, which --seed or --look may choose")
    if len(options.look) > 1:
        raise OptionError("a film has one look; give --look once")
