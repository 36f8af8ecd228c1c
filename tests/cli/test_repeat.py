import pytest

from tests.cli.test_run import complaint
from translate.cli.repeat import configs_of_seeds
from translate.training.config import load_config
from translate.utils.errors import OptionError


def test_seeds_follow_that_of_the_recipe_in_folders_of_their_own(two_folders, monkeypatch, tmp_path):
    config = load_config("cycle", data={"a": str(two_folders[0]), "b": str(two_folders[1])}, train={"seed": 5})
    assert configs_of_seeds(config, 1) == [config]
    found = configs_of_seeds(config, 2)
    assert [(each.out, each.train.seed) for each in found] == [
        ("runs/reds2blues_seed5", 5),
        ("runs/reds2blues_seed6", 6),
    ]
    assert {(each.task, each.data, each.train.lr) for each in found} == {(config.task, config.data, config.train.lr)}


def test_a_second_task_on_the_same_data_has_another_folder(two_folders):
    config = load_config("drift", data={"a": str(two_folders[0]), "b": str(two_folders[1])})
    assert configs_of_seeds(config, 2)[0].out == "runs/reds2blues_drift_seed0"


def test_less_than_one_run_is_refused(capsys):
    with pytest.raises(OptionError):
        configs_of_seeds(load_config("cycle"), 0)
    status, line = complaint(capsys, "train-cycle", "--a", "x", "--b", "y", "--repeat", "0")
    assert status == 2 and line == "error: --repeat should be at least 1, got 0"
