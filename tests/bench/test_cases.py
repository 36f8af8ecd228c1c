import json
from pathlib import Path

import pytest
import torch

from translate.bench.candidates import plan_of
from translate.bench.cases import Case, make_case
from translate.bench.pictures import DISTINCT_PICTURES, write_dataset
from translate.data.datasets import TRAINING_DATA
from translate.tasks import TASKS
from translate.training.config import load_config
from translate.utils.errors import OptionError
from translate.utils.plugins import presets

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("task", "preset"), [(task, preset) for task in sorted(TASKS) if not TASKS[task].taught for preset in presets(task)]
)
def test_a_case_holds_the_recipe_and_survives_json(task, preset):
    case = make_case(task, preset, CPU, batch_size=3)
    assert Case.from_json(json.loads(json.dumps(case.to_json()))) == case
    recipe = load_config(task, preset)
    assert case.config.generator == recipe.generator and case.config.method == recipe.method
    assert case.batch_size == 3 and case.config.train.precision == "auto"
    assert case.size == (recipe.data.size or (64 if task == "generate" else 256))


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("preset", ["paper", "fast"])
def test_an_eager_case_leaves_nothing_to_autotune(preset, precision):
    case = make_case("cycle", preset, CPU, size=64, checkpoint=True).as_eager(precision, 32)
    plan = plan_of(case)
    assert (plan.precision, plan.channels_last, plan.compile, plan.crop) == (precision, False, False, 32)
    assert not case.config.train.checkpoint


def test_a_generator_replaces_that_of_the_preset():
    assert make_case("cycle", "paper", CPU, size=128, generator="resnet_9blocks").config.generator == {
        "name": "resnet_9blocks"
    }


@pytest.mark.parametrize(
    ("task", "options", "message"),
    [
        ("cicle", {}, "unknown task 'cicle'; did you mean 'cycle'"),
        ("cycle", {"size": 30}, "--size should be a multiple of 4"),
        ("generate", {"size": 96}, "dcgan makes pictures of 32, 64, 128"),
        ("cycle", {"generator": "resnet_10"}, "unknown generator 'resnet_10'"),
    ],
)
def test_a_case_that_cannot_be_built_is_an_error(task, options, message):
    with pytest.raises(OptionError, match=message):
        make_case(task, "paper", CPU, **options)


@pytest.mark.parametrize("task", [task for task in sorted(TASKS) if presets(task) and not TASKS[task].taught])
def test_generated_pictures_are_a_data_set_of_their_kind(task, tmp_path):
    count = DISTINCT_PICTURES + 3
    case = make_case(task, "fast", CPU, size=64)
    data = write_dataset(case.kind, tmp_path / "data", count, 64)
    opened = TRAINING_DATA[case.kind](case.with_options(data).config.data, Path("data"))
    opened.open(tmp_path / "cache", size=64, zoom=1.0, square=True, progress=False)
    assert not opened.skipped
    assert opened.channels == case.channels
    files = [p for p in (tmp_path / "data").rglob("*.jpg")]
    assert len(files) == count * (2 if case.kind == "unpaired" else 1)
