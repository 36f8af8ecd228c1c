import shutil

import pytest

from translate.checkpoints.model_file import load_model
from translate.reports.data_facts import UNKNOWN, find_dataset, source_facts
from translate.reports.findings import findings_of
from translate.reports.trained_run import read_run
from translate.training.monitors.findings import Verdict
from translate.training.run_folder import RunFolder
from translate.utils.errors import UserError


def test_a_run_is_read_from_its_folder(runs):
    run = read_run(runs[1])
    _, nets = load_model(runs[1])
    assert run.parameters == sum(tensor.numel() for tensor in nets.state_dict().values())
    assert (run.name, run.kind, run.seed, run.is_complete) == ("tiny_seed1", "unpaired", 1, True)
    assert run.counts() == {
        ("coloursA", "train"): 6, ("coloursA", "test"): 4, ("coloursB", "train"): 6, ("coloursB", "test"): 4,
    }  # fmt: skip
    assert run.lines[-1]["step"] == 6 and run.seconds > 0 and len(run.samples()) == 2
    assert run.file_sizes()["model.safetensors"] == (runs[1] / "model.safetensors").stat().st_size
    assert run.resources[0].steps == 6 and run.resources[0].peak_memory > 10**7 and run.resources[0].versions["torch"]
    assert {name for _, name, _ in run.held_out()} > {"0.png"}


def test_what_is_no_run_is_refused_in_one_line(tmp_path, runs):
    with pytest.raises(UserError, match=r"holds no model.safetensors yet"):
        read_run(tmp_path)
    shutil.copy(runs[0] / "model.safetensors", tmp_path)
    with pytest.raises(UserError, match="lies in no run folder"):
        read_run(tmp_path)


def test_a_damaged_log_and_record_leave_the_rest(tmp_path, runs):
    folder = shutil.copytree(runs[0], tmp_path / "run")
    (folder / "resources.json").write_text("[{")
    (folder / "metrics.jsonl").write_text('{"step": 2, "x": NaN, "y": 1.0}\n[]\n{"step": 1}\n{"step": 3, "x"')
    (folder / "pictures.json.gz").unlink()
    run = read_run(folder)
    assert run.lines == [{"step": 1}, {"step": 2, "y": 1.0}] and run.resources == [] and run.counts() == {}


def test_findings_say_what_to_do(tmp_path, runs):
    folder = shutil.copytree(runs[0], tmp_path / "run")
    assert findings_of(read_run(folder)) == [
        "whether its pictures are healthy cannot be said yet: it has learned from 6 only: train it for longer"
    ]
    RunFolder(folder).write_verdict(Verdict(900, ("a to b: it COPIES ITS INPUT: more of --train.lr",)))
    with (folder / "metrics.jsonl").open("a") as file:
        file.write('{"step": 6, "lr_factor/G": 0.5}\n')
    config = (folder / "config.toml").read_text()
    (folder / "config.toml").write_text(config.replace("[plan]", "[plan]", 1).replace("steps = 6", "steps = 9"))
    first, second, third = findings_of(read_run(folder))
    assert first == "the run has 6 of 9 steps: repeat its command"
    assert "G learned with 0.5 times its rate: if it happens again" in second
    assert third == "a to b: it COPIES ITS INPUT: more of --train.lr"


def test_licences_are_those_of_the_catalog(runs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert [(source.option, source.licence) for source in source_facts(read_run(runs[0]))] == [("--data", UNKNOWN)]
    assert find_dataset("monet").name == find_dataset("photos2monet").name == "photos2monet"
    assert find_dataset("./monet") is None and find_dataset("no_such") is None
    (tmp_path / "data" / "facades" / "train").mkdir(parents=True)
    monkeypatch.setattr("translate.reports.data_facts.data_root", lambda: tmp_path / "data")
    assert find_dataset(str(tmp_path / "data" / "facades" / "train")).licence.startswith("none stated")
