from pathlib import Path

import pytest

from tests.campaigns.long_run import FEW, watch


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="memory and files are read from /proc")
def test_a_run_holds_its_memory_and_files(tmp_path):
    figures = watch(tmp_path, steps=240, growth=FEW)
    assert figures.broken == []
    assert len(figures.memory) >= 9 and min(figures.memory) > 50
