"""import-checkpoint: convert a checkpoint of the original repositories to a model file."""

__all__ = ["ImportCheckpoint", "import_checkpoint"]

from dataclasses import dataclass, replace
from pathlib import Path
from shlex import quote

from translate.cli.commands.options import Flag, OutputOptions, PathText, Text
from translate.utils.program import command_form
from translate.utils.terminal import say


@dataclass(frozen=True, kw_only=True)
class ImportCheckpoint(OutputOptions):
    """Turn a generator of pytorch-CycleGAN-and-pix2pix or CUT into a model.safetensors.

    Its networks are recognised from the file alone. latest_net_G_A.pth and latest_net_G_B.pth side by side become one
    model for both directions. Translation, evaluation and --init also accept the .pth files directly.
    """

    input: PathText  # The .pth file, or the folder of a run with its latest_net_G_A.pth or latest_net_G.pth.
    output: PathText = ""  # Model file to write (default: model.safetensors in the folder of the input).
    domains: Text = ""  # Names of both domains, such as horse,zebra (default: from a folder named horse2zebra).
    no_dropout: Flag = False  # Leave out the dropout of a U-Net, which the originals keep on.
    averages: Flag = False  # Use the running averages of batch norm, and no dropout, as --eval of the originals.


def import_checkpoint(options: ImportCheckpoint) -> int:
    """Convert the checkpoint and print its networks and directions."""
    from translate.checkpoints.model_file import export_model, model_file
    from translate.checkpoints.original import is_original, load_original
    from translate.utils.errors import OptionError, UserError

    # check the options
    names = tuple(name.strip() for name in options.domains.split(",")) if options.domains else ()
    if options.domains and (len(names) != 2 or not all(names)):
        raise OptionError(f"--domains {options.domains!r} should be two names with a comma between: horse,zebra")
    file = model_file(options.input)
    if not is_original(file):
        raise UserError(f"{file}: is no checkpoint of the originals; give a .pth file such as latest_net_G_A.pth")
    # convert
    recipe, nets = load_original(file, dropout=not options.no_dropout, averages=options.averages)
    recipe = replace(recipe, domains=names) if names else recipe
    output = Path(options.output).expanduser() if options.output else file.with_name("model.safetensors")
    export_model(nets, recipe, output)
    # report
    spec = next(iter(recipe.nets.values()))
    details = ", ".join(f"{key} {value}" for key, value in spec.items() if key != "name")
    say(f"{output}: {recipe.domains[0]} to {recipe.domains[1]}{' and back' if len(recipe.directions) > 1 else ''}")
    say(f"  {spec['name']}: {details}")
    say(f"  {command_form('translate-folder')} --model {quote(str(output))} --input FOLDER --output FOLDER")
    return 0
