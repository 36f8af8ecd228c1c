from pathlib import Path

import pytest

from tests.campaigns.folder_runs import FEW, campaign


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_a_run_that_is_killed_again_and_again_ends_whole(tmp_path):
    figures = campaign(tmp_path, files=200, kills=2, growth=FEW)
    assert figures.broken == []
    assert len(figures.killed_at) == 2 and 0 < figures.killed_at[0] < figures.killed_at[1]
