"""The same promises on a GPU: these run where there is one."""

import json

import cv2
import numpy as np
import pytest
import torch

from tests.conftest import picture
from tests.training import test_train_inpaint
from tests.training import test_train_pix2pix as test_train_pairs
from tests.training.test_loop import make_config
from translate import Translator
from translate.training.loop import train

pairs, photos = test_train_pairs.pairs, test_train_inpaint.photos
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


@pytest.mark.parametrize("compiled", ["off", "on"])
def test_a_run_on_the_gpu_trains_exports_and_translates(two_folders, tmp_path, tiny, compiled):
    settings = {"steps": 6, "device": "cuda", "precision": "auto", "channels_last": "auto", "compile": compiled}
    config = make_config(two_folders, tmp_path / "r", tiny, train=settings)
    train(config)
    last = json.loads((tmp_path / "r" / "metrics.jsonl").read_text().splitlines()[-1])
    assert last["step"] == 6
    on_gpu, on_cpu = (Translator.load(tmp_path / "r", device, "fp32")(picture(0)) for device in ("cuda", "cpu"))
    assert abs(on_gpu.astype(int) - on_cpu).max() <= 1


def test_a_state_of_the_gpu_resumes_there(two_folders, tmp_path, tiny, monkeypatch):
    from tests.training.test_loop import stop_after

    settings = {"steps": 8, "device": "cuda", "compile": "off", "save_minutes": 0.0}
    config = make_config(two_folders, tmp_path / "r", tiny, train=settings)
    with monkeypatch.context() as patch:
        killed = stop_after(patch, 4)
        with pytest.raises(killed):
            train(config)
    train(config)
    assert torch.load(tmp_path / "r" / "state" / "last.pt", weights_only=True)["step"] == 8


@pytest.mark.parametrize("compiled", ["off", "on"])
@pytest.mark.parametrize(("preset", "small"), [("fast", test_train_pairs.FAST), ("paper", test_train_pairs.PAPER)])
def test_pairs_train_on_the_gpu_and_answer_alike_on_the_cpu(pairs, tmp_path, preset, small, compiled):
    small = small | {"train": small["train"] | {"device": "cuda", "precision": "auto", "compile": compiled}}
    out = train(test_train_pairs.make_config(pairs, tmp_path / "r", preset, small))
    sketch = cv2.imread(str(pairs[0] / "000.png"))
    on_gpu, on_cpu = (Translator.load(out, device, "fp32")(sketch) for device in ("cuda", "cpu"))
    assert on_gpu.shape == on_cpu.shape
    if preset == "fast":  # dropout draws other numbers on a GPU
        assert abs(on_gpu.astype(int) - on_cpu).max() <= 1


@pytest.mark.parametrize("compiled", ["off", "on"])
@pytest.mark.parametrize("preset", test_train_inpaint.PRESETS)
def test_holes_are_filled_alike_on_both(photos, tmp_path, preset, compiled):
    small = test_train_inpaint.PRESETS[preset]
    small = small | {"train": small["train"] | {"device": "cuda", "precision": "auto", "compile": compiled}}
    out = train(test_train_inpaint.make_config(photos, tmp_path / "r", preset, small))
    image, mask = picture(9, 60, 50), np.zeros((60, 50), bool)
    mask[20:40, 10:30] = True
    on_gpu, on_cpu = (Translator.load(out, device, "fp32")(image, mask=mask) for device in ("cuda", "cpu"))
    assert np.array_equal(on_gpu[~mask], image[~mask])
    assert abs(on_gpu.astype(int) - on_cpu).max() <= 1
