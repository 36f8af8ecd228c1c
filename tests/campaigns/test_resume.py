import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("resume.py")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork, which shares imports")
def test_killed_training_runs_end_bit_identical_to_uninterrupted_ones():
    done = subprocess.run([sys.executable, SCRIPT, "--quick"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(done.stdout[done.stdout.index("[\n") :])
    assert [run["recipe"].split(",")[0] for run in figures] == [
        "cut",
        "cycle",
        "drift",
        "generate",
        "inpaint",
        "pix2pix",
        "stargan",
        "upscale",
    ]
    assert all(run["kills"] == 2 and run["broken"] == [] for run in figures)
    assert all(run["tensors_compared"] > 100 and run["lines_compared"] >= run["steps"] for run in figures)
