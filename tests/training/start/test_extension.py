import json
import tomllib

import pytest
import torch

from tests.training.test_loop import assert_same, everything, make_config, stop_after
from translate.training.loop import train
from translate.training.optim import lr_at
from translate.training.planning.plan import Plan, Stretch
from translate.training.start.extension import extended_steps
from translate.utils.errors import OptionError

PLAN = Plan(size=32, crop=32, steps=6, precision="fp32", channels_last=False, compile=False, log_every=1)


def steps_of(out):
    return torch.load(out / "state" / "last.pt", weights_only=True)["step"]


def rates(out):
    lines = map(json.loads, (out / "metrics.jsonl").read_text().splitlines())
    return {line["step"]: line["lr"] for line in lines}


def length(steps, **more):
    return {"train": {"steps": steps, "log_every": 1, "save_minutes": 0.0, **more}, "method": {"pool_size": 3}}


def test_a_finished_run_is_made_longer_and_an_interrupted_extension_has_the_same_bits(
    two_folders, tmp_path, tiny, monkeypatch, capsys
):
    outs = tmp_path / "whole", tmp_path / "broken"
    for out in outs:
        train(make_config(two_folders, out, tiny, **length(6)))
        with pytest.raises(OptionError, match=r"train.steps = 12 \(was 6\); .* add --extend to train it on"):
            train(make_config(two_folders, out, tiny, **length(12)))
    capsys.readouterr()
    train(make_config(two_folders, outs[0], tiny, **length(12)), extend=True)
    assert "extended from 6 to 12 steps" in capsys.readouterr().err.replace("\n", " ")
    # killed twice, and gone on with both forms of the command
    for steps, extend in ((2, True), (2, False)):
        with monkeypatch.context() as patch:
            killed = stop_after(patch, steps)
            with pytest.raises(killed):
                train(make_config(two_folders, outs[1], tiny, **length(12)), extend=extend)
    assert steps_of(outs[1]) == 10
    train(make_config(two_folders, outs[1], tiny, **length(12)), extend=True)
    assert steps_of(outs[0]) == steps_of(outs[1]) == 12
    for one, other in zip(*map(everything, outs), strict=True):
        assert_same(one, other)
    # the rates of the longer schedule
    config = make_config(two_folders, outs[0], tiny, **length(12)).train
    expected = [lr_at(step, 6, config) for step in range(6)] + [lr_at(step, 12, config) for step in range(6, 12)]
    assert list(rates(outs[0]).values()) == pytest.approx(expected)
    assert expected[6] > expected[5]


@pytest.mark.parametrize("stretches", ["stretches = [[0, 0, 6, 6, 0], [6, 6, 9, 9, 0]]", "earlier = [[6, 6]]"])
def test_steps_before_an_extension_are_taken_again_as_they_were(two_folders, tmp_path, tiny, stretches):
    """The newest state is damaged, so that the run goes back to one from before the extension."""
    whole, damaged = tmp_path / "whole", tmp_path / "damaged"
    for out in (whole, damaged):
        train(make_config(two_folders, out, tiny, **length(6, keep=3)))
    train(make_config(two_folders, whole, tiny, **length(9, keep=3)), extend=True)
    (damaged / "state" / "step_0000005.pt").write_bytes(b"damaged")
    config = tomllib.loads((damaged / "config.toml").read_text())
    assert config["plan"]["stretches"] == []
    last = (damaged / "state" / "last.pt").read_bytes()
    (damaged / "state" / "last.pt").write_bytes(last[:-100])
    # the plan of an extension that was made while the newest state was whole
    text = (damaged / "config.toml").read_text()
    text = text.replace("stretches = []", stretches).replace("steps = 6\n", "steps = 9\n")
    (damaged / "config.toml").write_text(text)
    train(make_config(two_folders, damaged, tiny, **length(9, keep=3)))
    for one, other in zip(*map(everything, (whole, damaged)), strict=True):
        assert_same(one, other)
    assert rates(whole) == rates(damaged)


def test_what_cannot_be_extended_is_refused(two_folders, tmp_path, tiny):
    out = tmp_path / "r"
    with pytest.raises(OptionError, match="--extend: .* holds no run that could be made longer; leave it out"):
        train(make_config(two_folders, out, tiny, **length(6)), extend=True)
    assert not out.exists()
    train(make_config(two_folders, out, tiny, **length(6)))
    with pytest.raises(OptionError, match="planned for 6 steps, and the new length makes 5; give the new total"):
        train(make_config(two_folders, out, tiny, **length(5)), extend=True)
    with pytest.raises(OptionError, match=r"train.lr = 0.01 \(was 0.0006\)"):
        train(make_config(two_folders, out, tiny, **length(12, lr=0.01)), extend=True)
    assert steps_of(out) == 6


def test_minutes_and_epochs_are_new_totals(two_folders, tmp_path, tiny):
    def changed(**change):
        return make_config(two_folders, tmp_path / "r", tiny, train=change).train

    log = tmp_path / "metrics.jsonl"
    assert extended_steps(PLAN, changed(epochs=1.5), 8.0, log) == 12
    with pytest.raises(OptionError, match="has no times to go by; give --steps"):
        extended_steps(PLAN, changed(minutes=1.0), 8.0, log)
    lines = [{"step": 2, "seconds": 3.0}, {"step": 3, "health/spread": 1.0}, {"step": 4, "seconds": 2.0}]
    log.write_text("".join(json.dumps(line) + "\n" for line in [*lines, {"step": 6, "seconds": 2.0}]))
    assert extended_steps(PLAN, changed(minutes=1.0), 8.0, log) == 6 + int(0.96 * 60 - 7.0)
    with pytest.raises(OptionError, match=r"of which 6 took 0.1 minutes, and the new length makes 6"):
        extended_steps(PLAN, changed(minutes=0.05), 8.0, log)


def test_progress_falls_in_an_extension_but_networks_do_not_shrink():
    longer = PLAN.extend(12, 6).extend(24, 12)
    assert longer.stretches == (Stretch(0, 0, 6, 6), Stretch(6, 6, 12, 12), Stretch(12, 12, 24, 24))
    assert [longer.place_of(step) for step in (0, 5, 6, 12, 23)] == [(0, 6), (5, 6), (6, 12), (12, 24), (23, 24)]
    assert longer.progress_at(12) == 0.5
    assert longer.progress_at(12, monotone=True) == 11 / 12
    assert PLAN.progress_at(3, monotone=True) == PLAN.progress_at(3) == 0.5
    assert PLAN.extend(12, 0).stretches == ()  # nothing was done by the old schedule


def test_options_that_do_not_change_the_result_may_differ_between_starts(two_folders, tmp_path, tiny, capsys):
    out = tmp_path / "r"
    train(make_config(two_folders, tmp_path / "whole", tiny, **length(8)))
    train(make_config(two_folders, out, tiny, **length(6)))
    other = {"device": "auto", "previews": 3, "compile": "off", "graph": "off", "log_every": 2, "keep": 4}
    capsys.readouterr()
    train(make_config(two_folders, out, tiny, **length(6, **other)))
    err = capsys.readouterr().err.replace("\n", " ")
    assert "train.previews = 3 (was 2)" in err and "train.device = 'auto' (was 'cpu')" in err
    assert "may change the last bits" in err and "is complete: 6 steps" in err
    train(make_config(two_folders, out, tiny, **length(8, **other)), extend=True)
    assert [step for step in rates(out) if step > 6] == [8]
    assert "stretches" in (out / "config.toml").read_text()
