import io
import json
from dataclasses import asdict, replace

import pytest
import torch
from rich.console import Console
from torch import nn

from translate.bench import scaling, translation
from translate.bench.cases import make_case
from translate.bench.pictures import write_pictures
from translate.bench.roofline import Ceiling
from translate.bench.scaling import measure_scaling
from translate.bench.tables import scaling_tables, training_table, translation_table
from translate.bench.training import EAGER, OURS, TEXTBOOK, compare_training
from translate.bench.translation import check_translation, compare_translation
from translate.checkpoints.model_file import export_model
from translate.checkpoints.recipe import Recipe
from translate.networks import EXPORTABLE
from translate.utils.errors import UserError
from translate.utils.factory import Factory

CPU = torch.device("cpu")
CEILING = Ceiling({"fp32": 100.0}, {"fp32": 50.0}, {}, 10.0)


def text_of(*tables):
    console = Console(width=200, record=True, file=io.StringIO())
    for table in tables:
        console.print(table)
    return console.export_text()


@pytest.fixture
def case(tiny):
    made = make_case("cycle", "fast", CPU, size=32)
    small = replace(made.config, generator=tiny["generator"], discriminator=tiny["discriminator"])
    fixed = {"precision": "fp32", "channels_last": "off", "compile": "off", "minutes": 0.0, "steps": 9}
    return replace(made, config=small).with_options({"crop": 0}, **fixed)


def test_compare_training(case, in_process):
    result = compare_training(case, CEILING, rounds=3, seconds=60, peer=None)
    assert [row.name for row in result.rows] == [EAGER, OURS]  # not the paper preset, and no fast bf16
    assert result.flops > 1e6 and result.crop == 32
    assert all(len(row.seconds) == 3 and min(row.seconds) > 0 and row.first > 0 for row in result.rows)
    assert result.loop_images_per_second > 0 and 0 <= result.waiting < 1
    assert result.speedup_over(EAGER, result.rows[0]) == 1 and result.speedup_over(TEXTBOOK, result.rows[0]) is None
    text = text_of(training_table(result, CEILING))
    for words in ("cycle, fast, skip_resnet, 32 px, batch 1", "ours: fp32, contiguous", "of the time waiting for data"):
        assert words in text
    json.dumps(asdict(result))


def test_the_paper_preset_is_compared_with_the_textbook(in_process):
    made = make_case("cycle", "paper", CPU, size=32, precision="fp32")
    narrow = {"generator": {"name": "resnet_6blocks", "width": 4}, "discriminator": {"name": "patch_34", "width": 4}}
    paper = replace(made, config=replace(made.config, **narrow)).with_options(channels_last="off", compile="off")
    result = compare_training(paper, CEILING, rounds=2, seconds=60, peer=None)
    assert [row.name for row in result.rows] == [TEXTBOOK, EAGER, OURS] and not result.notes
    assert result.speedup_over(TEXTBOOK, result.rows[2]) > 0


def test_options_beyond_the_textbook_are_noted_and_left_out(case, in_process):
    odd = replace(case, config=replace(case.config, preset="paper"))
    result = compare_training(odd, CEILING, rounds=1, seconds=60, peer=None)
    assert [row.name for row in result.rows] == [EAGER, OURS]
    assert "cycle_scale" in result.notes[0]


def save_model(folder, task="cycle"):
    torch.manual_seed(0)
    spec = {"name": "skip_resnet", "width": 8, "trunk": 8, "blocks": 1}
    nets = {name: Factory(spec, EXPORTABLE, name)(in_channels=3, out_channels=3) for name in ("G_ab", "G_ba")}
    folder.mkdir()
    recipe = Recipe(
        task=task, nets={name: net.spec for name, net in nets.items()}, domains=("a", "b"), size=32,
        preset="fast", steps=1, data="none",
    )  # fmt: skip
    export_model(nn.ModuleDict(nets), recipe, folder / "model.safetensors")
    return folder


def test_compare_translation(tmp_path, in_process, monkeypatch):
    monkeypatch.setattr(translation, "BATCH_SIZES", {"cpu": (1, 2)})
    monkeypatch.setattr(translation, "_command_turn", lambda name, prepare, folder: lambda: float(len(prepare(folder))))
    model, images = save_model(tmp_path / "run"), tmp_path / "images"
    write_pictures(images, 3, 32, 40)
    write_pictures(images / "more", 1, 64, 80)
    check_translation(model, images)
    result = compare_translation(model, images, CPU, "fp32", rounds=2, seconds=60, peer=None)
    assert (result.pictures, result.size, result.work) == (4, (32, 40), 3 + 4)
    assert [p.name for p in result.passes] == ["eager fp32", "network, batch 1", "network, batch 2"]
    assert all(len(p.seconds) == 2 for p in result.passes) and result.flops > 1e6
    assert result.best_pass() in result.passes[1:] and result.network_share() > 0
    (command,) = result.commands
    assert command.seconds == [14.0] * 2
    assert "pictures of" in text_of(translation_table(result, CEILING))
    json.dumps(asdict(result))


def test_check_translation_refuses_wrong_models_and_folders(tmp_path):
    model = save_model(tmp_path / "run")
    with pytest.raises(UserError, match="nowhere"):
        check_translation(model, tmp_path / "nowhere")
    other = save_model(tmp_path / "other", task="generate")
    with pytest.raises(UserError, match="is a model of the task 'generate'; give one of train_cycle or train_pix2pix"):
        check_translation(other, tmp_path)


def test_measure_scaling(case, in_process, monkeypatch):
    monkeypatch.setattr(scaling, "SIZES_PX", (32, 64, 30))
    monkeypatch.setattr(scaling, "BATCH_SIZES", (1, 2, 10**9))
    monkeypatch.setattr(scaling, "DATASET_COUNTS", (2, 20))
    monkeypatch.setattr(scaling, "DATASET_SIDE_PX", 32)
    monkeypatch.setattr(scaling, "make_case", lambda *_, size, batch_size, **__: resized(case, size, batch_size))
    result = measure_scaling("cycle", "fast", CPU)
    done = [(cell.size, cell.batch_size) for cell in result.cells if cell.seconds]
    assert done == [(32, 1), (32, 2), (64, 1), (64, 2)]  # the last would take too long
    assert result.notes[0].startswith("30 px: --size should be a multiple of 4")
    assert [one.pictures for one in result.start_ups] == [2, 20]
    assert all(one.warm > 0 and one.cold > 0 for one in result.start_ups)
    text = text_of(*scaling_tables(result))
    assert "batch 1000000000" in text and "64 px" in text and "s to the first batch, cold" in text


def resized(case, size, batch_size):
    if size % 4:
        make_case("cycle", "fast", CPU, size=size)
    return case.with_options({"size": size, "batch_size": batch_size})
