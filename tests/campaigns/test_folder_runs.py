from pathlib import Path

import pytest

from tests.campaigns.folder_runs import QUICK_GROWTH, campaign


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_a_repeatedly_killed_folder_run_ends_complete(tmp_path):
    figures = campaign(tmp_path, files=200, kills=2, growth=QUICK_GROWTH)
    assert figures.broken == []
    assert len(figures.killed_at) == 2 and 0 < figures.killed_at[0] < figures.killed_at[1]
