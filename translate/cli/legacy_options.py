"""Options of pytorch-CycleGAN-and-pix2pix and CUT, and their names here."""

__all__ = ["refuse_legacy_options"]

from collections.abc import Collection, Sequence
from itertools import zip_longest

from translate.utils.errors import OptionError

ANSWERS = (  # old names, and what follows "is an option of pytorch-CycleGAN-and-pix2pix:"
    ("dataroot",
     "say --a FOLDER --b FOLDER for unpaired pictures, --data FOLDER for pairs, --input FOLDER to translate"),
    ("name", "say --out runs/NAME"),
    ("checkpoints_dir", "say --out FOLDER"),
    ("gpu_ids", "say --device cuda:0, or cpu"),
    ("input_nc output_nc dataset_mode serial_batches max_dataset_size",
     "nothing is needed here: it is detected from the data"),
    ("norm normG", "say --generator.norm instance|batch|none"),
    ("normD", "say --discriminator.norm instance|batch|spectral|none"),
    ("no_dropout", "say --generator.dropout 0"),
    ("no_antialias no_antialias_up", "say --generator.antialias none|down|up|both"),
    ("load_size loadSize", "say --size N, with --data.zoom 1.117 for 286 to 256"),
    ("fineSize", "say --data.crop N"),
    ("preprocess resize_or_crop", "say --size N and --data.crop N"),
    ("no_flip", "say --data.flip false"),
    ("batchSize", "say --batch-size N"),
    ("num_threads nThreads", "nothing is needed here: pictures come from a cache"),
    ("n_epochs niter",
     "say --epochs N for all of them, and --train.decay_from 0.5 for where the learning rate begins to fall"),
    ("n_epochs_decay niter_decay", "say --epochs N for all of them, and --train.decay_from 0.5"),
    ("beta1", "say --train.betas '[0.5, 0.999]'"),
    ("gan_mode", "say --method.gan lsgan|vanilla|hinge"),
    ("no_lsgan", "say --method.gan vanilla"),
    ("lr_policy", "say --train.decay_from 0.5; --train.stairs N for steps"),
    ("lr_decay_iters", "say --train.stairs N"),
    ("lambda_A lambda_B", "say --lambda-cycle 10"),
    ("lambda_L1", "say --lambda-l1 100"),
    ("continue_train epoch_count load_iter", "repeat the same command to resume a run"),
    ("display_freq display_id display_ncols display_server display_env display_port display_winsize print_freq "
     "update_html_freq no_html use_wandb",
     "a line is written every --train.log_every N steps, and sample grids go to OUT/samples"),
    ("save_latest_freq save_by_iter save_epoch_freq", "say --train.save_minutes N"),
    ("results_dir", "say --output FOLDER"),
    ("num_test how_many ntest phase", "nothing is needed here: all pictures of --input are translated"),
    ("model_suffix which_direction", "say --direction ab|ba"),
    ("epoch which_epoch", "say --model FILE, such as checkpoints/NAME/200_net_G_A.pth"),
    ("eval", "import the checkpoint with tools/import_checkpoint.py --averages, and translate with the result"),
    ("aspect_ratio", "nothing is needed here: results have the size of their pictures"),
    ("which_model_netG", "say --netG NAME"),
    ("which_model_netD", "say --netD NAME"),
    ("init_type init_gain", "nothing is needed here: each network has its own"),
)  # fmt: skip
LEGACY_OPTIONS = {name: answer for names, answer in ANSWERS for name in names.split()}
LEGACY_DIRECTIONS = {"AtoB": "ab", "BtoA": "ba"}


def refuse_legacy_options(words: Sequence[str], own: Collection[str]) -> None:
    """Raise OptionError for the first legacy option, or direction such as AtoB, with its name here.

    A command's `own` options win over legacy ones of the same name.
    """
    for word, following in zip_longest(words, words[1:], fillvalue=""):
        if not word.startswith("--"):
            continue
        name, equals, value = word.removeprefix("--").partition("=")
        value = value if equals else following
        if name not in own and name in LEGACY_OPTIONS:
            raise OptionError(f"--{name} is an option of pytorch-CycleGAN-and-pix2pix: {LEGACY_OPTIONS[name]}")
        if name == "direction" and value in LEGACY_DIRECTIONS:
            raise OptionError(f"--direction {value} is called --direction {LEGACY_DIRECTIONS[value]} here")
