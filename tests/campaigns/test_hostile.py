from pathlib import Path

import pytest

from tests.campaigns.hostile import campaign


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_every_hostile_input_gives_a_one_line_error(tmp_path):
    figures = campaign(tmp_path, pictures=150, models=60, configs=40)
    assert figures.broken == []
    assert {kind: sum(counts.values()) for kind, counts in figures.answers.items()} == {
        "picture": 150, "model": 60, "config": 40,
    }  # fmt: skip
    assert all(counts["refused"] > 5 for counts in figures.answers.values())
