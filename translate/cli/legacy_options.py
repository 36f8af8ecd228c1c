"""What the options of pytorch-CycleGAN-and-pix2pix and of CUT are called here, for people who know those by heart."""

__all__ = ["check_words"]

from collections.abc import Collection, Sequence
from itertools import zip_longest

from translate.utils.errors import OptionError

FOUND = "nothing is needed here: it is found out from the data"
RESUME = "the same command once more goes on where a run was stopped"
WATCH = "a line is written every --train.log_every N steps, and sample grids go to OUT/samples"
ALL = "nothing is needed here: all pictures of --input are translated"
FORMER = {
    "dataroot": "say --a FOLDER --b FOLDER for unpaired pictures, --data FOLDER for pairs, --input FOLDER to translate",
    "name": "say --out runs/NAME", "checkpoints_dir": "say --out FOLDER", "gpu_ids": "say --device cuda:0, or cpu",
    "input_nc": FOUND, "output_nc": FOUND, "dataset_mode": FOUND, "serial_batches": FOUND, "max_dataset_size": FOUND,
    "norm": "say --generator.norm instance|batch|none", "normG": "say --generator.norm instance|batch|none",
    "normD": "say --discriminator.norm instance|batch|spectral|none",
    "no_dropout": "say --generator.dropout 0", "no_antialias": "say --generator.antialias none|down|up|both",
    "no_antialias_up": "say --generator.antialias none|down|up|both",
    "load_size": "say --size N, with --data.zoom 1.117 for 286 to 256",
    "loadSize": "say --size N, with --data.zoom 1.117 for 286 to 256",
    "fineSize": "say --data.crop N", "preprocess": "say --size N and --data.crop N",
    "resize_or_crop": "say --size N and --data.crop N", "no_flip": "say --data.flip false",
    "batchSize": "say --batch-size N", "num_threads": "nothing is needed here: pictures come from a cache",
    "nThreads": "nothing is needed here: pictures come from a cache",
    "n_epochs": "say --epochs N for all of them, and --train.decay_from 0.5 for where the learning rate begins to fall",
    "niter": "say --epochs N for all of them, and --train.decay_from 0.5 for where the learning rate begins to fall",
    "n_epochs_decay": "say --epochs N for all of them, and --train.decay_from 0.5",
    "niter_decay": "say --epochs N for all of them, and --train.decay_from 0.5",
    "beta1": "say --train.betas '[0.5, 0.999]'", "gan_mode": "say --method.gan lsgan|vanilla|hinge",
    "no_lsgan": "say --method.gan vanilla", "lr_policy": "say --train.decay_from 0.5; --train.stairs N for steps",
    "lr_decay_iters": "say --train.stairs N", "lambda_A": "say --lambda-cycle 10", "lambda_B": "say --lambda-cycle 10",
    "lambda_L1": "say --lambda-l1 100", "continue_train": RESUME, "epoch_count": RESUME, "load_iter": RESUME,
    "display_freq": WATCH, "display_id": WATCH, "display_ncols": WATCH, "display_server": WATCH, "display_env": WATCH,
    "display_port": WATCH, "display_winsize": WATCH, "print_freq": WATCH, "update_html_freq": WATCH, "no_html": WATCH,
    "use_wandb": WATCH, "save_latest_freq": "say --train.save_minutes N", "save_by_iter": "say --train.save_minutes N",
    "save_epoch_freq": "say --train.save_minutes N", "results_dir": "say --output FOLDER", "num_test": ALL,
    "how_many": ALL, "ntest": ALL, "phase": ALL, "model_suffix": "say --direction ab|ba",
    "epoch": "say --model FILE, such as checkpoints/NAME/200_net_G_A.pth",
    "which_epoch": "say --model FILE, such as checkpoints/NAME/200_net_G_A.pth",
    "eval": "import the checkpoint with tools/import_checkpoint.py --averages, and translate with what that writes",
    "aspect_ratio": "nothing is needed here: results have the size of their pictures",
    "which_direction": "say --direction ab|ba", "which_model_netG": "say --netG NAME",
    "which_model_netD": "say --netD NAME", "init_type": "nothing is needed here: each network has its own",
    "init_gain": "nothing is needed here: each network has its own",
}  # fmt: skip
DIRECTIONS = {"AtoB": "ab", "BtoA": "ba"}


def check_words(words: Sequence[str], own: Collection[str]) -> None:
    """Answer options of the originals with what they are called here.

    Args:
        words: The command line.
        own: Names of the command's own options.

    Raises:
        OptionError: Such a word is among them.
    """
    for word, following in zip_longest(words, words[1:], fillvalue=""):
        name, equals, value = word.removeprefix("--").partition("=")
        if word.startswith("--") and name not in own and name in FORMER:
            raise OptionError(f"--{name} is an option of pytorch-CycleGAN-and-pix2pix: {FORMER[name]}")
        said = value if equals else following
        if word.startswith("--") and name == "direction" and said in DIRECTIONS:
            raise OptionError(f"--direction {said} is called --direction {DIRECTIONS[said]} here")
