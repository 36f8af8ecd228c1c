from pathlib import Path

import pytest

from tests.campaigns.decoders import campaign


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="memory is read from /proc")
def test_pictures_of_all_combinations_are_read_right_and_tiles_equal_the_whole(tmp_path):
    pytest.importorskip("pyvips")
    figures = campaign(tmp_path, 180, compare=False)
    assert figures.broken == []
    assert not figures.refused and sum(figures.right.values()) == 180
    assert figures.tiled["equal"] > 100
