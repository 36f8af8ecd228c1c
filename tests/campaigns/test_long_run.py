from pathlib import Path

import pytest

from tests.campaigns.long_run import QUICK_GROWTH, watch


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="memory and files are read from /proc")
def test_memory_and_open_files_do_not_grow(tmp_path):
    figures = watch(tmp_path, steps=240, growth=QUICK_GROWTH)
    assert figures.broken == []
    assert len(figures.memory) >= 9 and min(figures.memory) > 50
