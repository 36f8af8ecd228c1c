"""Options of pytorch-CycleGAN-and-pix2pix, CUT and other programs, and the whole command in this program's words."""

__all__ = ["refuse_foreign_options"]

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote

from translate.utils.errors import OptionError
from translate.utils.program import command_form

# Names; what replaces them, with {} for their value ("": nothing); why nothing does.
EVERYWHERE = (
    ("gpu_ids gpu gpu-id gpu_id", "--device cuda:{}", ""),
    ("gpus", "", "one is used; torchrun starts a process for each"),
    ("cpu no-cuda no_cuda", "--device cpu", ""),
    ("cuda", "--device cuda", ""),
    ("fp32", "--precision fp32", ""),
    ("bf16", "--precision bf16", ""),
    ("fp16 amp half mixed-precision mixed_precision use_amp", "", "--precision auto uses bf16 where it is sound"),
    ("num_threads nThreads workers num-workers num_workers", "", "not needed"),
    ("input_nc output_nc dataset_mode serial_batches max_dataset_size aspect_ratio", "", "read from the files"),
    ("random-seed random_seed manual-seed manual_seed", "--seed {}", ""),
    ("verbose debug", "", "all is said; --log FILE keeps it"),
    ("display_freq display_id display_ncols display_server display_env display_port display_winsize print_freq "
     "update_html_freq no_html use_wandb wandb tensorboard", "", "logs and sample grids go to the run folder"),
    ("suffix phase isTrain", "", "not needed"),
)  # fmt: skip
TRAINING = (
    ("dataroot", "--data {}", ""),
    ("name", "--out runs/{}", ""),
    ("checkpoints_dir", "--out {}", ""),
    ("model", "", "no such method here"),
    ("load_size loadSize", "--size {}", ""),
    ("n_epochs_decay niter_decay", "", "--epochs N"),
    ("norm normG", "--generator.norm {}", ""),
    ("normD", "--discriminator.norm {}", ""),
    ("no_dropout", "--generator.dropout 0", ""),
    ("no_antialias no_antialias_up", "--generator.antialias none", ""),
    ("fineSize", "--data.crop {}", ""),
    ("imgsz img-size img_size image-size image_size resolution "
     "data_load_size data_crop_size", "--size {}", ""),
    ("preprocess resize_or_crop", "", "--size and --data.crop say it"),
    ("no_flip", "--data.flip false", ""),
    ("batchSize batch bs train_batch_size", "--batch-size {}", ""),
    ("learning-rate learning_rate", "--train.lr {}", ""),
    ("beta1", "--train.betas '[{}, 0.999]'", ""),
    ("gan_mode", "--method.gan {}", ""),
    ("no_lsgan", "--method.gan vanilla", ""),
    ("lr_policy", "", "rates fall linearly from --train.decay_from on"),
    ("lr_decay_iters", "", "--train.stairs N makes N steps of the rate"),
    ("n_epochs niter num-epochs num_epochs max-epochs max_epochs train_n_epochs",
     "--epochs {}", ""),
    ("iterations iters max-steps max_steps n-steps n_steps total-steps", "--steps {}", ""),
    ("which_model_netG", "--netG {}", ""),
    ("which_model_netD", "--netD {}", ""),
    ("which_direction", "--direction {}", ""),
    ("init_type init_gain", "", "each network has its own"),
    ("continue_train epoch_count load_iter epoch which_epoch resume continue", "",
     "the same command goes on, --extend makes a run longer"),
    ("save_latest_freq save_by_iter save_epoch_freq save-every save_every snap", "", "--save-minutes N"),
    ("kimg", "", "--steps N or --minutes N"),
    ("mirror", "--data.flip true", ""),
    ("gamma", "", "--lambda-r1 has another scale"),
    ("cfg config_json model_type", "", "--preset names a recipe"),
    ("CUT_mode", "--preset {}", ""),
    ("output output-dir output_dir save-dir save_dir outdir logdir run-dir project", "--out {}", ""),
    ("pretrained weights ckpt", "--init {}", ""),
)  # fmt: skip
USING = (
    ("dataroot source src in input-dir input_dir", "--input {}", ""),
    ("results_dir out output-dir output_dir outdir save-dir save_dir dst target", "--output {}", ""),
    ("name", "--model checkpoints/{}", ""),
    ("checkpoints_dir", "--model {}", ""),
    ("checkpoint ckpt weights", "--model {}", ""),
    ("which_direction", "--direction {}", ""),
    ("force yes exist_ok exist-ok", "--overwrite", ""),
    ("num n-samples n_samples num-samples num_samples samples", "--count {}", ""),
    ("num_test how_many ntest", "", "all pictures are translated"),
    ("load_size loadSize crop_size fineSize preprocess resize_or_crop", "", "results have the size of their pictures"),
    ("model_suffix epoch which_epoch load_iter", "", "--model takes a file such as 200_net_G_A.pth"),
    ("eval", "", "{import_checkpoint} --averages makes such a model"),
    ("no_dropout", "", "read from the file"),
    ("netG ngf norm normG init_type init_gain which_model_netG", "", "read from the model"),
    ("epochs steps minutes batch_size batchSize resume", "", "of training; a repeated command skips what is done"),
    ("colour color", "", "--look PHOTO gives all results its colours, or --hints strokes"),
)  # fmt: skip
CHECKING = (("dataroot", "--data {}", ""), ("name checkpoint ckpt weights", "--model {}", ""))
FLAGS = (  # that take no value
    "cpu no-cuda no_cuda cuda fp32 bf16 fp16 amp half use_amp verbose debug serial_batches no_html use_wandb wandb "
    "tensorboard no_dropout no_antialias no_antialias_up no_flip no_lsgan continue_train resume continue save_by_iter "
    "force yes exist_ok exist-ok eval isTrain"
)
OF_ONE_TASK = {  # weights that only one task has
    "lambda_A": ("train-cycle", "--lambda-cycle {}"),
    "lambda_B": ("train-cycle", "--lambda-cycle {}"),
    "lambda_L1": ("train-pix2pix", "--lambda-l1 {}"),
    "lambda_NCE": ("train-cut", "--lambda-nce {}"),
    "nce_idt": ("train-cut", "--nce-identity {}"),
    "nce_T": ("train-cut", "--temperature {}"),
    "num_patches": ("train-cut", "--patches {}"),
}
COMMANDS_OF_MODELS = {  # by --model of the originals
    "cycle_gan": "train-cycle", "pix2pix": "train-pix2pix", "cut": "train-cut",
}  # fmt: skip
ONE_SET = {"data": ("--images {}", ""), "dataroot": ("--images {}", "")}  # of commands that learn from one set
DIRECTIONS = {"AtoB": "ab", "BtoA": "ba"}
VALUES = DIRECTIONS | {"CUT": "fast", "cut": "fast", "FastCUT": "fastcut"}  # by the names of others
MAX_NAMED = 2  # foreign options in the error
Pairs = list[tuple[str, str | None]]  # names without dashes, and values


@dataclass
class _Answer:
    """The command as far as it is translated."""

    words: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def refuse_foreign_options(command: str, words: Sequence[str], own: Collection[str]) -> None:
    """Raise OptionError with the whole command in this program's words if one of `words` is of another program.

    Args:
        command: such as train-cycle.
        words: its arguments.
        own: names of the command's options, which win over foreign ones.
    """
    pairs, table = _pair_up(words), _table_for(command, own)
    foreign = [_spelling(name, value) for name, value in pairs if name in table or _is_direction(name, value)]
    if not foreign:
        return
    # translate
    training = command.startswith("train")
    if training:
        command = COMMANDS_OF_MODELS.get(dict(pairs).get("model") or "", command)
        pairs = pairs if command == "train" else _without(pairs, "task")
        table = _table_for(command, own)
    pairs = _merge_epochs(_merge_sizes(pairs)) if training else _leave_out_method(pairs)
    answer = _Answer()
    for name, value in _merge_folder(pairs, "out" if training else "model"):
        if name and name not in table and not _is_known(name, own, training):
            answer.left_out.append(f"--{name} {value or ''}".rstrip() + ", unknown here")
        else:
            _translate(name, value, table, answer)
    if command == "translate-folder" and {"dataroot", "name"} & set(dict(pairs)):
        absent = (f"--{name}" for name in ("model", "input", "output"))
        answer.words += [f"{flag} FOLDER" for flag in absent if not any(w.startswith(flag) for w in answer.words)]
    # the error
    names = " and ".join(foreign) if len(foreign) <= MAX_NAMED else f"{foreign[0]} and {len(foreign) - 1} more"
    verb = "are not options" if len(foreign) > 1 else "is not an option"
    left_out = f" (left out: {'; '.join(answer.left_out)})" if answer.left_out else ""
    line = " ".join([command_form(command), *answer.words])
    raise OptionError(f"{names} {verb} here; instead: {line}{left_out}")


def _table_for(command: str, own: Collection[str]) -> dict[str, tuple[str, str]]:
    """Return replacement and reason by foreign name, without the command's `own` names."""
    training = command.startswith("train")
    rows = [*EVERYWHERE, *(TRAINING if training else USING if "output" in own else CHECKING)]
    table = {name: (new, why) for names, new, why in rows for name in names.split()}
    if not training:  # where every option is in `own`
        table = {name: row for name, row in table.items() if not row[0] or row[0].split()[0][2:] in own}
    if "images" in own and "data" not in own:
        table |= ONE_SET
    for name, (owner, new) in OF_ONE_TASK.items() if training else ():
        table[name] = (new, "") if command == owner else ("", f"of {owner}: {new}")
    return {name: row for name, row in table.items() if name.replace("-", "_") not in own}


def _pair_up(words: Sequence[str]) -> Pairs:
    """Return names and values of options; ("", word) is a word without an option."""
    pairs: Pairs = []
    for word in words:
        if word.startswith("--"):
            name, equals, value = word.removeprefix("--").partition("=")
            pairs.append((name, value if equals else None))
        elif pairs and pairs[-1][0] and pairs[-1][1] is None and pairs[-1][0] not in FLAGS.split():
            pairs[-1] = (pairs[-1][0], word)
        else:
            pairs.append(("", word))
    return pairs


def _is_known(name: str, own: Collection[str], training: bool) -> bool:
    """Whether an option is one of the command's `own`, or a recipe key of any task."""
    if name.replace("-", "_") in own:
        return True
    if not training:
        return False
    from translate.cli.recipe_options import known_options, matching  # here, since it imports torch
    from translate.tasks import TASKS

    return any(matching(name, known_options(task)) for task in TASKS)


def _spelling(name: str, value: str | None) -> str:
    return f"--{name} {value}" if _is_direction(name, value) else f"--{name}"


def _is_direction(name: str, value: str | None) -> bool:
    return name == "direction" and value in DIRECTIONS


def _without(pairs: Pairs, *names: str) -> Pairs:
    return [pair for pair in pairs if pair[0] not in names]


def _leave_out_method(pairs: Pairs) -> Pairs:
    """Remove the original's --model, a method, where results are made; here it is a file."""
    return [pair for pair in pairs if pair[0] != "model" or pair[1] not in ("test", *COMMANDS_OF_MODELS)]


def _merge_folder(pairs: Pairs, target: str) -> Pairs:
    """Join the folder of all runs and the name of one."""
    given = dict(pairs)
    folder, name = given.get("checkpoints_dir"), given.get("name")
    if not folder:
        return pairs
    return [*_without(pairs, "checkpoints_dir", "name"), (target, str(Path(folder, name)) if name else folder)]


def _merge_epochs(pairs: Pairs) -> Pairs:
    """Add up the epochs with a constant and with a falling learning rate."""
    given = dict(pairs)
    constant = given.get("n_epochs") or given.get("niter") or ""
    falling = given.get("n_epochs_decay") or given.get("niter_decay") or ""
    if not falling.isdigit() or not (constant or "0").isdigit():
        return pairs
    total = int(constant or 0) + int(falling)
    share = int(constant or 0) / max(total, 1)
    rest = _without(pairs, "n_epochs", "niter", "n_epochs_decay", "niter_decay")
    return [*rest, ("epochs", str(total)), ("train.decay_from", f"{share:.3g}")]


def _merge_sizes(pairs: Pairs) -> Pairs:
    """Turn the size that pictures are enlarged to, and that of the crop, into a size and a zoom."""
    given = dict(pairs)
    load = given.get("load_size") or given.get("loadSize") or ""
    crop = given.get("crop_size") or given.get("fineSize") or "256"
    if not load.isdigit() or not crop.isdigit() or not int(crop):
        return pairs
    rest = _without(pairs, "load_size", "loadSize", "crop_size", "fineSize")
    zoom = int(load) / int(crop)
    return [*rest, ("size", crop), ("data.zoom", f"{zoom:.4g}")] if zoom > 1 else [*rest, ("size", load)]


def _translate(name: str, value: str | None, table: Mapping[str, tuple[str, str]], answer: _Answer) -> None:
    """Append one option to the answer."""
    text = "" if value is None else quote(value)
    # options of this program
    if _is_direction(name, value):
        answer.words.append(f"--direction {DIRECTIONS[text]}")
    elif name not in table:
        answer.words += [word for word in (f"--{name}" if name else "", text) if word]
    # the method, which has chosen the command
    elif name == "model" and text in COMMANDS_OF_MODELS:
        pass
    # options of others
    elif new := table[name][0]:
        if new.startswith("--device cuda:"):  # of several, the first; -1 is none
            new, text = ("--device cpu", "") if text.startswith("-") else (new, text.strip("'").partition(",")[0])
        line = new.format(VALUES.get(text, text) or "N")
        answer.words += [line] if line not in answer.words else []
    else:
        reason = table[name][1].format(text, import_checkpoint=command_form("import-checkpoint"))
        answer.left_out.append(f"--{name} {text}".rstrip() + f", {reason}")
