import json

import pytest

from tests.cli.test_run import call, complaint
from translate.bench import roofline, suite
from translate.bench.suite import Part


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        ("trian", 2, "part should be one of all, train, translate, growth, quality, got 'trian'"),
        ("train --task cicle", 2, "unknown task 'cicle'; did you mean 'cycle'?"),
        ("train --task cycle --size 30", 2, "--size should be a multiple of 4"),
        ("train --task pix2pix --preset slow", 2, "unknown preset 'slow'"),
        ("train --model runs/x", 2, "--model means nothing to this part"),
        ("--steps -1", 2, "--steps -1 is out of range"),
        ("translate", 2, "--model is missing"),
        ("--model nowhere", 2, "--images is missing"),
        ("translate --model nowhere --images nowhere", 1, "nowhere: no such model"),
        ("translate --model x --images y --size 64", 2, "--size means nothing to this part"),
        ("--peer .", 2, "--peer .: has no train.py"),
        ("growth --steps 3", 2, "growth takes neither --peer nor --steps"),
        ("quality --steps 3", 2, "--steps means nothing to this part"),
        ("train --cpu-seconds 3", 2, "--cpu-seconds means nothing to this part"),
        ("quality --cpu-seconds 0", 2, "--cpu-seconds 0 should be above 0"),
        ("quality --parallel 999", 2, "--parallel 999 should be from 1 to"),
        ("quality --limit 1", 2, "--limit 1 should be at least 2"),
        ("quality --sets photos2mone", 2, "--sets photos2mone: no such data set; did you mean 'photos2monet'?"),
        ("quality --sets faces --recipes cycle_fast", 2, "learns from two sets without pairs, which no set has"),
        ("quality --features nowhere --sets faces --recipes generate_fast --size 64", 1, "nowhere: no such file"),
    ],
)
def test_mistakes_are_one_line_errors(capsys, tmp_path, monkeypatch, words, status, message):
    monkeypatch.chdir(tmp_path)
    found, line = complaint(capsys, "bench", *words.split())
    assert found == status and message in line


@pytest.fixture
def asked(monkeypatch):
    """The arguments of the parts, which are recorded instead of measured."""
    calls = []

    def training_parts(tasks, presets, device, **how):
        calls.append(("training", tasks, presets, how))
        return [Part("training", "training", lambda _: (roofline.Ceiling({}, {}, {}, 1.0), []))]

    monkeypatch.setattr(suite, "training_parts", training_parts)
    monkeypatch.setattr(roofline, "CONVOLUTIONS", ((8, 8),))
    monkeypatch.setattr(roofline, "MATMUL_SIDES", {"cpu": (32,)})
    monkeypatch.setattr(roofline, "COPY_BYTES", {"cpu": 2**16})
    monkeypatch.setattr(roofline, "TRIAL_S", 0.001)
    monkeypatch.setattr(roofline, "SUSTAINED_S", 0.001)
    return calls


@pytest.mark.parametrize(
    ("words", "tasks", "presets"),
    [
        ("", [], []),
        ("train", [], ["paper"]),
        ("--task cycle", ["cycle"], ["paper"]),
        ("train --task cycle --preset fast", ["cycle"], ["fast"]),
        ("--preset fast", [], ["fast"]),
    ],
)
def test_options_choose_the_measured_parts(capsys, asked, words, tasks, presets):
    status, out, _ = call(capsys, "bench", *words.split(), "--device", "cpu")
    assert status == 0 and "convolution fp32" in out
    ((_, *measured, _),) = asked
    assert measured == [tasks, presets]


def test_json_holds_all_measurements(capsys, asked, tmp_path):
    path = tmp_path / "bench.json"
    call(capsys, "bench", "train", "--task", "cycle", "--size", "64", "--netG", "resnet_9blocks", "--json", path)
    written = json.loads(path.read_text())
    assert {"machine", "ceiling", "training"} == written.keys()
    assert written["ceiling"]["convolution"]["fp32"] > 0
    assert asked[0][3]["generator"] == "resnet_9blocks" and asked[0][3]["size"] == 64
