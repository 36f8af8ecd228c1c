"""--help-all: every key of a training command's recipe, its meaning, and its value in the preset."""

__all__ = ["print_recipe"]

import inspect
import io
import json
import re
import tokenize
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from rich.table import Table

from translate.cli.parsing import print_help, split_words, task_of
from translate.cli.recipe_options import known_options
from translate.data.options import DataConfig
from translate.tasks import TASKS
from translate.training.config import TrainConfig, load_config
from translate.utils.errors import OptionError
from translate.utils.factory import options_of
from translate.utils.plugins import load_installed_plugins, load_plugin
from translate.utils.terminal import escape, result_console, say

MEANINGS = {  # of options that are declared without a comment, by key; "method.norm" before "norm"
    "name": "Network; the keys below it depend on it.",
    # networks
    "width": "Channels of the first level.",
    "most": "Most channels of a level.",
    "trunk": "Channels of the residual blocks.",
    "blocks": "Number of residual blocks.",
    "downs": "Number of times that the resolution is halved.",
    "levels": "Number of levels of the U-Net.",
    "layers": "Number of layers that halve the resolution; of vit, of transformer blocks.",
    "stages": "Number of scales of features that are judged, the finest first.",
    "side": "Side to which pictures are resized before the features, px; 0 = as they are.",
    "scales": "Number of scales that are judged, each half of the one before.",
    "heads": "Attention heads; they divide the channels of a token.",
    "patch": "Side of the squares that are scored, px; each sees twice that side, and by attention all others.",
    "window": "Side of the random window of the full-size picture that is judged, px; 0 = all.",
    "upsample": "Way back to full size: bilinear, or shuffle (blocks of pixels, as in earlier versions).",
    "fold": "Side of the blocks of pixels that become channels at the input, px.",
    "group": "Pictures in a group whose spread the discriminator sees.",
    "share": "Share of the channels that pass through Fourier convolutions.",
    "norm": "Normalisation: instance, batch, spectral (of discriminators) or none.",
    "dropout": "Probability of dropout.",
    "antialias": "Anti-aliased resampling: none, down, up or both.",
    "noise": "Whether dropout stays on, as a source of several results.",
    "detail": "Factor by which fine texture is enlarged for the discriminator; 0 = not shown apart.",
    "generator.detail": "Channels at full size.",
    "style_dim": "Size of the code that modulates the norms.",
    "w_dim": "Size of the latent code w.",
    "z_dim": "Size of the latent code z; 0 = one result for a picture.",
    "z_kind": "Distribution of z: normal or uniform.",
    "size": "Resolution that the network is built for, px; of the data if not given.",
    "freeze_encoder_norm": "Keep the batch norms of the encoder as they are, for fine-tuning.",
    # methods
    "gan": "Adversarial loss.",
    "rise": "Part of the run over which all weights but that of L1 rise to their values.",
    "method.norm": "Distance of pixels: l1 or l2.",
    "teacher": "The model whose answers are learned: a run folder or a model file.",
    "one_way": "Whether only the default direction of a teacher with two is learned.",
    "speedup": "What tools/distill.py has searched the generator for; changes nothing by itself.",
    "lambda_picture": "Weight of the distances of pixels and of edges to the teacher's answers.",
    "lambda_cycle": "Weight of the cycle loss.",
    "lambda_identity": "Weight of the identity loss, times that of the cycle loss.",
    "cycle_scale": "The cycle has to agree in means of this many px squared; 1 = in every pixel.",
    "lambda_class": "Weight of the labels that the discriminator names.",
    "lambda_keep": "Weight of the change of the picture: what no wish needs stays.",
    "lambda_gp": "Weight of the gradient penalty of WGAN-GP.",
    "mention": "Share of the attributes that stay and are wished for all the same.",
    "critic": "Updates of the discriminator for one of the generator; they share the batch.",
    "he": "Whether weights begin so large that signals keep their variance.",
    "lambda_nce": "Weight of the contrastive loss.",
    "nce_identity": "Whether pictures of B, translated, are compared with themselves, too.",
    "flip_equivariance": "Whether half of the batches are mirrored before the generator, and compared mirrored back.",
    "patches": "Places of a picture that are compared, at most.",
    "temperature": "Of the contrastive loss: the lower, the more the most similar places count.",
    "negative_hardness": "How much more places that look alike count as negatives; 0 = all alike (Hneg).",
    "lambda_relation": "Weight of keeping the relations of places to each other (SRC).",
    "lambda_path": "Weight of the output's change on the way from a picture to its translation (SANTA).",
    "content_most": "Weight of the content at strength 0.",
    "content_least": "Weight of the content at strength 1; in between, equal steps of strength are equal factors.",
    "lambda_colours": "Factor of the pixels, beside the features, in the distances by which pictures drift.",
    "lambda_chroma": "Factor of the fine chroma, a space of its own; 0 = none.",
    "queue": "Latest patches of each kind, or pictures of all classes, towards which generated ones drift.",
    "pool_size": "Number of earlier fakes that the discriminator sees again.",
    "lambda_r1": "Weight of the gradient penalty at real pictures.",
    "lambda_r2": "Weight of the gradient penalty at fakes.",
    "augment": "Probability that the discriminator sees a picture augmented.",
    "augment_target": "Adapts this probability until the discriminator is so sure of real pictures; 0 = fixed.",
    "method.group": "Samples of one class in a step, or more: they drift apart.",
    "grow": "Part of the run during which the networks grow.",
    "lambda_dice": "Weight of the overlap of classes beside cross-entropy (Dice loss).",
    "lambda_l1": "Weight of the L1 distance to the target.",
    "lambda_fm": "Weight of feature matching; needs --netD multi_scale, projected or vit.",
    "lambda_kl": "Weight of the divergence of style codes from the normal distribution.",
    "free_nats": "Divergence that costs nothing.",
    "encode_hue": "Codes of looks begin with the mean hue of the picture.",
    "lambda_z": "Weight of reading z back from a result.",
    "lambda_seek": "Weight of mode seeking: results differ as their z do.",
    "lambda_paper": "Weight of keeping white paper white.",
    "lambda_gan": "Weight of the adversarial loss.",
    "lambda_hole": "Weight of the distance in the hole.",
    "lambda_known": "Weight of the distance in the known area.",
    "lambda_features": "Weight of the distance of pretrained features.",
    "lambda_pair_features": "The same, of translations of true pairs to their truths.",
    "lambda_pairs": "Weight of the L1 distance of translations of true pairs to their truths.",
    "features": "Pretrained features: auto, efficientnet_lite0, none, or a file of weights: its, VGG-16's or DINOv2's.",
    "lambda_projected": "Weight of a discriminator on pretrained features beside the task's own.",
    "projected": "Its options: '{stages = 3, side = 128, width = 64, norm = \"spectral\"}'.",
    "lambda_perceptual": "Weight of the perceptual loss; needs vgg.",
    "lambda_style": "Weight of the style loss; needs vgg.",
    "lambda_tv": "Weight of total variation at the hole's border.",
    "vgg": "File of torchvision's VGG-16 weights.",
    "overlap": "Width of known pixels along the hole that count tenfold, px.",
    "rim": "Extra weight of pixels at the rim of the hole.",
    "tell_hole": "Whether the discriminator sees the mask.",
}
LENGTHS = ("steps", "epochs", "minutes")


def print_recipe(options_class: Any, command: str, words: Sequence[str]) -> None:
    """Print the help text of a training command, and below it all keys of the recipe.

    Args:
        options_class: options of the command.
        command: its name.
        words: its arguments, of which --preset chooses the values to show.
    """
    given, task = split_words(options_class, words).own, task_of(options_class, words)
    if not task:
        raise OptionError("--help-all needs --task NAME, whose recipe it lists")
    for plugin in given.get("plugin", ()):
        load_plugin(plugin)
    load_installed_plugins()
    preset = given.get("preset", [options_class.preset])[0]
    rows = list(recipe_rows(task, preset))
    print_help(options_class, command, task)
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    for option, value, meaning in rows:
        table.add_row(escape(f"{option} {value}"), escape(meaning))
    say("")
    say(f"keys of the recipe, with the values of --preset {preset}; --lr stands for --train.lr if no other ends so:")
    result_console().print(table)


def recipe_rows(task: str, preset: str) -> Iterator[tuple[str, str, str]]:
    """Yield option, value in the preset and meaning of every recipe key of `task`."""
    config = load_config(task, preset)
    meanings = comments_of(DataConfig, "data") | comments_of(TrainConfig, "train")
    for key in known_options(config.task):
        section, _, name = key.partition(".")
        meaning = meanings.get(key) or MEANINGS.get(key) or MEANINGS.get(name, "")
        yield f"--{key}", describe_value(config, section, name), meaning


def describe_value(config: Any, section: str, name: str) -> str:
    """Return the value that a key has in the configuration, in the spelling of the command line."""
    table, task = getattr(config, section), TASKS[config.task]
    if not isinstance(table, Mapping):
        value = getattr(table, name)
    elif name in table:
        value = table[name]
    else:  # the network's or the method's own
        functions = {"generator": task.generators, "discriminator": task.discriminators}.get(section)
        function: Callable = functions[table["name"]] if functions else task
        if name not in options_of(function):
            return "-"  # of another network
        value = options_of(function)[name].default
    if section == "train" and name in LENGTHS and not value:
        return "-"  # another length is set
    return json.dumps(value)


def comments_of(config_class: type, section: str) -> dict[str, str]:
    """Return the comments beside the fields of a dataclass, by key."""
    found: dict[str, str] = {}
    name = ""
    for token in tokenize.generate_tokens(io.StringIO(inspect.getsource(config_class)).readline):
        if token.type == tokenize.NAME and re.match(r"    \w+:", token.line):
            name = token.line.split(":")[0].strip()
        if token.type == tokenize.COMMENT and name:
            found[f"{section}.{name}"] = token.string.removeprefix("# ")
    return found
