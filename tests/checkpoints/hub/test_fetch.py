import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from huggingface_hub import constants

from tests.checkpoints.hub.fake_hub import COMMITS, TOKEN, FakeHub, Repo, serve
from translate import Translator
from translate.checkpoints.calibrate import calibrate_model
from translate.checkpoints.hub import fetch
from translate.checkpoints.hub.fetch import fetch_model
from translate.checkpoints.model_file import model_file, read_recipe
from translate.utils.errors import OptionError, UserError

NAME = "hf://ada/painter"
ROOT = Path(__file__).parents[3]


@pytest.fixture
def shared(hub, painter):
    """The Hub with a model, beside files that could run."""
    hub.repos["ada/painter"] = Repo({"model.safetensors": painter, "evil.py": b"raise SystemExit", "config.toml": b"x"})
    return hub


def forget(monkeypatch):
    """Act as a new process."""
    monkeypatch.setattr(fetch, "_fetched", {})


def refused(match, name=NAME):
    with pytest.raises(UserError, match=match) as found:
        fetch_model(name)
    assert "\n" not in str(found.value) and str(found.value).startswith(name) and len(str(found.value)) < 400
    return str(found.value)


def test_the_safetensors_alone_are_fetched_and_shown(shared, painter, tmp_path, capsys):
    file = fetch_model(NAME)
    assert file.read_bytes() == painter
    assert file == tmp_path / "cache" / "models--ada--painter" / "snapshots" / COMMITS[0] / "model.safetensors"
    assert [path.name for path in file.parent.iterdir()] == ["model.safetensors"]
    assert {path for _, path in shared.requests if "/resolve/" in path} == {
        f"/ada/painter/resolve/{revision}/model.safetensors" for revision in ("main", COMMITS[0])
    }
    shown, digest = capsys.readouterr(), hashlib.sha256(painter).hexdigest()
    before, *_, after = shown.err.splitlines()
    assert before == f"{NAME}: model.safetensors, {len(painter) / 1000:.1f} kB, sha256 {digest}; fetching"
    assert after == before.replace("; fetching", f", commit {COMMITS[0]}, fetched") and shown.out == ""


def test_a_model_on_the_hub_is_a_model_like_any_other(shared, painter, tmp_path):
    (tmp_path / "x.safetensors").write_bytes(painter)
    picture = np.random.default_rng(0).integers(0, 256, (32, 40, 3), np.uint8)
    ours = Translator.load(tmp_path / "x.safetensors", device="cpu", precision="fp32")(picture)
    for name in (NAME, Path(NAME), f"{NAME}@main", f"{NAME}@{COMMITS[0]}"):
        assert (Translator.load(name, device="cpu", precision="fp32")(picture) == ours).all()
    assert read_recipe(model_file(NAME)).domains == ("photos", "monet")


def test_within_a_process_a_name_keeps_its_commit(shared, painter, monkeypatch):
    first = fetch_model(NAME)
    asked = len(shared.requests)
    shared.repos["ada/painter"].commits.append({"model.safetensors": painter[:-4] + bytes(4)})
    assert fetch_model(NAME) == first and len(shared.requests) == asked
    forget(monkeypatch)
    assert fetch_model(NAME).parent.name == COMMITS[1]
    assert fetch_model(f"{NAME}@{COMMITS[0]}") == first


def test_what_is_cached_is_used_without_a_network(shared, monkeypatch, capsys):
    file = fetch_model(NAME)
    sent = shared.bytes_sent
    forget(monkeypatch)
    assert fetch_model(NAME) == file and shared.bytes_sent == sent
    assert f"commit {COMMITS[0]}, in the cache\n" in capsys.readouterr().err
    for change in ({"status": 503}, {"repos": {}}):  # the Hub is down; the repository is gone or private now
        forget(monkeypatch)
        with monkeypatch.context() as patch:
            for name, value in change.items():
                patch.setattr(shared, name, value)
            assert fetch_model(NAME) == file
        assert "in the cache; the Hub could not be asked for a newer one" in capsys.readouterr().err
    forget(monkeypatch)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    asked = len(shared.requests)
    assert fetch_model(NAME) == file == fetch_model(f"{NAME}@{COMMITS[0]}") and len(shared.requests) == asked


def test_a_commit_in_the_cache_asks_nobody(shared, monkeypatch):
    file = fetch_model(f"{NAME}@{COMMITS[0]}")
    forget(monkeypatch)
    asked = len(shared.requests)
    assert fetch_model(f"{NAME}@{COMMITS[0]}") == file and len(shared.requests) == asked


def test_a_broken_connection_is_resumed(shared, painter, monkeypatch):
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 500)  # bytes, each on the disk before the next comes
    shared.cut_after = [2000, 1000]
    assert fetch_model(NAME).read_bytes() == painter
    header = min(len(painter), 100_001)  # read first, to see whose model it is
    assert shared.bytes_sent == header + len(painter)  # nothing came twice


def test_the_bar_has_what_a_download_calls(capfd):
    with fetch._DownloadBar(desc="x", total=100, initial=10, unit="B") as bar:  # as the library makes it
        bar.update(90)
        bar.set_postfix_str("1 MB/s", refresh=False)
        bar.update_transfer(5)
    assert bar.n == bar.total == 100 and "100/100 bytes" in capfd.readouterr().err


# ---- refusals


def test_no_such_model(shared, monkeypatch):
    message = "there is no such model, or it is private; check the name, and for a private one log in"
    assert "hf auth login" in refused(message, "hf://ada/nothing")
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    refused(message, "hf://ada/nothing")


def test_private_and_gated_models(shared, painter, monkeypatch):
    shared.repos["ada/secret"] = Repo({"model.safetensors": painter}, private=True)
    shared.repos["ada/gated"] = Repo({"model.safetensors": painter}, gated=True)
    refused("it is private", "hf://ada/secret")
    refused("is gated; ask for access on its page, then log in with `hf auth login`", "hf://ada/gated")
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    refused("is gated", "hf://ada/gated")
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert fetch_model("hf://ada/secret").read_bytes() == fetch_model("hf://ada/gated").read_bytes() == painter


@pytest.mark.parametrize(
    ("status", "message"),
    [(403, "your account may not do that"), (500, "busy or down"), (429, "busy or down"), (418, "the Hub refuses")],
)
def test_a_hub_that_refuses(shared, status, message):
    shared.status = status
    refused(f"cannot be fetched: .*{message}")


def test_no_network_and_nothing_cached(shared, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", "http://127.0.0.1:9/{repo_id}/{revision}/{filename}")
        refused("cannot be fetched, and is not in the cache: the Hub cannot be reached .*check the network")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    refused("not in the cache: HF_HUB_OFFLINE forbids to ask the Hub; unset it")
    assert not shared.requests


def test_a_repository_without_a_model_and_one_without_the_revision(shared):
    shared.repos["ada/notes"] = Repo({"README.md": b"hello", "pytorch_model.bin": b"x"})
    refused("holds no model.safetensors, so it is no model of this toolkit", "hf://ada/notes")
    refused("has no revision 'v9'; leave it out, or name a branch", f"{NAME}@v9")


def test_a_model_of_another_toolkit_is_refused_before_it_is_fetched(shared):
    import torch
    from safetensors.torch import save

    content = save({"w": torch.zeros(500_000)}, metadata={"format": "pt"})
    shared.repos["ada/other"] = Repo({"model.safetensors": content})
    refused("is no model of this toolkit .*nothing was fetched", "hf://ada/other")
    assert shared.bytes_sent <= 100_001
    shared.repos["ada/noise"] = Repo({"model.safetensors": b"\xff" * 1000})
    refused("cannot be read as a model", "hf://ada/noise")


def test_a_hostile_recipe_is_validated_like_that_of_any_file(shared, painter):
    assert painter.count(b'\\"width\\": 8') == 2
    shared.repos["ada/bomb"] = Repo({"model.safetensors": painter.replace(b'\\"width\\": 8', b'\\"width\\":99')})
    with pytest.raises(UserError, match="its weights do not fit its recipe"):
        Translator.load("hf://ada/bomb", device="cpu")


def test_a_damaged_download_is_removed(shared, painter):
    shared.damaged = True
    refused("its model.safetensors is damaged .*removed from the cache")
    shared.damaged = False
    assert fetch_model(NAME).read_bytes() == painter


def test_other_weights_and_calibration_need_a_file_of_ones_own(shared):
    with pytest.raises(OptionError, match="--weights best chooses among the files of a run folder, and hf://ada/p"):
        model_file(NAME, "best")
    with pytest.raises(UserError, match="stays as it is; copy the file"):
        calibrate_model(NAME)


def test_the_environment_is_respected_by_a_process_of_its_own(painter, tmp_path):
    """The library reads HF_ENDPOINT, HF_HOME and HF_HUB_OFFLINE when it is imported."""
    state = FakeHub()
    state.repos["ada/painter"] = Repo({"model.safetensors": painter})
    code = f"from translate.checkpoints.hub.fetch import fetch_model; print(fetch_model({NAME!r}))"
    command = [sys.executable, "-c", code]
    with serve(state) as address:
        env = os.environ | {"HF_ENDPOINT": address, "HF_HOME": str(tmp_path / "home"), "HF_HUB_DISABLE_XET": "1"}
        first = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
        asked = len(state.requests)
        env |= {"HF_HUB_OFFLINE": "1"}
        again = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert first.returncode == again.returncode == 0, first.stderr + again.stderr
    assert first.stdout == again.stdout and len(state.requests) == asked
    assert Path(first.stdout.strip()).is_relative_to(tmp_path / "home" / "hub" / "models--ada--painter")
    assert "in the cache; the Hub could not be asked" in again.stderr
