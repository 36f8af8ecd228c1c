import json
from pathlib import Path

import pytest

from translate.data.files.counted import Counted
from translate.data.files.worklist import Job
from translate.inference.folder.report import FolderReport, Recorder
from translate.utils.errors import UserError
from translate.utils.files import WriteError
from translate.utils.progress import show_folder_bar


def test_counted_keeps_a_few_and_counts_all():
    counted = Counted()
    for name in "abc":
        counted.add(name)
    assert str(counted) == "a, b, c"
    for i in range(1000):
        counted.add(i)
    assert str(counted) == "a, b, c and 1000 more" and counted.count == 1003 and len(counted.first) == 3


def test_the_summary_leaves_out_zeros():
    assert FolderReport(done=2, seconds=1.25).summary() == "2 translated in 1.2 s"
    log = Path("out/failed.jsonl")
    report = FolderReport(done=2, skipped=3, failed=1, log=log, ignored=4, answers=5)
    expected = f"2 translated to 5 answers each in 0.0 s, 3 there already, 1 failed (see {log})"
    assert report.summary() == expected


def recorder(log):
    with show_folder_bar(0, False) as bar:
        return Recorder(FolderReport(), bar, log)


def test_failures_are_written_as_they_happen(tmp_path):
    log = tmp_path / "failed.jsonl"
    log.write_text("of an earlier run\n")
    failures = recorder(log)
    assert not log.exists()
    failures.fail(Job(Path("in/é\udcff\n.png"), Path("out/x.png")), UserError("no\nway"))
    (line,) = log.read_bytes().splitlines()
    entry = {"file": "in/é\udcff\n.png", "reason": r"no\nway", "error": "UserError", "output": "out/x.png"}
    assert json.loads(line) == entry
    failures.fail(Job(Path("in/y.png"), Path("out/y.png"), layer=Path("hints/y.png")), OSError("too"))
    assert json.loads(log.read_bytes().splitlines()[1])["layer"] == "hints/y.png"


def test_without_a_path_no_list_is_written(tmp_path):
    recorder(None).fail(Job(Path("x"), tmp_path / "x"), ValueError("y"))
    assert not list(tmp_path.iterdir())


def test_an_unwritable_list(tmp_path):
    (tmp_path / "failed.jsonl").mkdir()
    with pytest.raises(WriteError, match=r"failed\.jsonl: cannot be written \(.*\); make room or"):
        recorder(tmp_path / "failed.jsonl")
    failures = recorder(tmp_path / "gone" / "failed.jsonl")
    with pytest.raises(WriteError, match="No such file or directory"):
        failures.fail(Job(Path("x"), tmp_path / "x"), ValueError("y"))
