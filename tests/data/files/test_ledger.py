"""The journal, the note and the state of files: what they say after a kill, damage and changes."""

import json
import os
import time

import pytest

from translate.data.files.file_state import FileState
from translate.data.files.journal import UNKNOWN, Entry, Journal
from translate.data.files.ledger import Ledger
from translate.data.files.output_note import NOTE, OutputNote, Run, agree
from translate.data.files.worklist import Job
from translate.utils.errors import OptionError
from translate.utils.files import WriteError

STATE = FileState(3, 10, 20, "ab")
FIRST = Run("m1", "runs/a", {"seed": 1}, ("fp32", True))


def open_journal(folder, name="j.jsonl"):
    return Journal(folder / name, folder.glob("*.jsonl"))


def entry(run="r", size=1):
    return Entry(run, "/in/x.png", (STATE,), (size, 5))


# ---- the state of a file


def test_a_file_state_tells_contents_apart_by_size_dates_and_hash(tmp_path, monkeypatch):
    file = tmp_path / "x"
    file.write_bytes(b"abc")
    os.utime(file, (1000, 1000))
    fresh = FileState.of(file)
    assert fresh.changed_ns == 0 and fresh.renewed(file) is not fresh  # it is read again: it could change unseen
    later = time.time_ns() + 3 * 10**9
    monkeypatch.setattr(time, "time_ns", lambda: later)
    state = FileState.of(file)
    assert state.renewed(file) is state and state.digest == fresh.digest
    os.utime(file, (2000, 2000))
    assert state.renewed(file) == FileState.of(file) != state  # another date, the same content
    file.write_bytes(b"abd")
    os.utime(file, (1000, 1000))
    assert state.renewed(file) is None  # size and date are those of before
    file.write_bytes(b"abcd")
    assert state.renewed(file) is None
    assert FileState.of(file, hashed=False).digest == ""
    with pytest.raises(OSError, match="a device"):
        FileState.of(type(file)("/dev/null"))


# ---- the journal


def test_a_journal_survives_kills_and_damage(tmp_path):
    journal = open_journal(tmp_path)
    journal.start("r", tmp_path, replaces=False)
    journal.add({"a/x.png": entry(), "b\udcff.png": entry(size=2)})
    journal.begin(["y.png"], "r", "/in/y.png")
    journal.close()
    with (tmp_path / "j.jsonl").open("ab") as stream:
        stream.write(
            b'[1]\n5\n{"name": 3}\n{"name": "x", "at": "never"}\n\xff\xfe\n' + b"[" * 9999 + b'\n{"name": "a/x.p'
        )
    journal = open_journal(tmp_path)
    assert journal.get("a/x.png") == entry() and journal.get("b\udcff.png") == entry(size=2)
    assert journal.get("y.png") == Entry("r", "/in/y.png") and journal.get("y.png").written == UNKNOWN
    assert journal.get("z.png") is None and journal.runs == {("r", str(tmp_path))}
    journal.add({"z.png": entry()})  # not glued to the line that was cut off
    journal.close()
    assert open_journal(tmp_path).get("z.png") == entry()


def test_shards_read_the_journals_of_all_and_write_their_own(tmp_path):
    journals = [open_journal(tmp_path, f"{name}.jsonl") for name in "ab"]
    for number, journal in enumerate(journals):
        journal.start(f"r{number}", tmp_path, replaces=number == 1)
        journal.add({f"{number}.png": entry(), "both.png": entry(size=number)})
    whole = open_journal(tmp_path, "c.jsonl")
    assert whole.get("0.png") == whole.get("1.png") == entry() and whole.get("both.png") == entry(size=1)
    assert whole.runs == {("r0", str(tmp_path)), ("r1", str(tmp_path))} and whole.replacing == ""
    assert open_journal(tmp_path, "b.jsonl").replacing == "r1"


def test_a_journal_does_not_grow_with_every_run(tmp_path):
    sizes = []
    for _ in range(20):
        journal = open_journal(tmp_path)
        journal.start("r", tmp_path, replaces=False)
        for i in range(30):
            journal.begin([f"{i}.png"], "r", "/in")
            journal.add({f"{i}.png": entry(size=i)})
        journal.close()
        sizes.append((tmp_path / "j.jsonl").stat().st_size)
    assert max(sizes) < 5 * sizes[0]
    journal = open_journal(tmp_path)
    assert [journal.get(f"{i}.png") for i in range(30)] == [entry(size=i) for i in range(30)]


def test_a_journal_that_cannot_be_written(tmp_path):
    with pytest.raises(WriteError, match=r"j\.jsonl: cannot be written \(No such file or directory\)"):
        Journal(tmp_path / "none/j.jsonl", []).start("r", tmp_path, replaces=False)


# ---- the note


def test_a_note_keeps_the_mode_of_a_model(tmp_path):
    file = tmp_path / NOTE
    wish = Run("m1", "runs/a", {"seed": 2})
    assert OutputNote.read(file).mode_of(wish, "auto") is None
    assert agree(file, wish, "auto", lambda: ("bf16", False), fresh=True).mode == ("bf16", False)
    assert agree(file, wish, "auto", lambda: pytest.fail("chosen anew"), fresh=False).mode == ("bf16", False)
    assert agree(file, wish, "fp32", lambda: ("fp32", True), fresh=False).mode == ("fp32", True)
    note = OutputNote.read(file)
    assert note.earlier is None and [run.mode[0] for run in note.runs.values()] == ["bf16", "fp32"]
    assert note.mode_of(Run("m1", "", {}), "auto") == ("fp32", True)
    assert note.mode_of(wish, "bf16") == ("bf16", False)
    assert note.mode_of(Run("m2", "", {}), "auto") is None
    assert not list(tmp_path.glob("*.lock"))


@pytest.mark.parametrize("text", ["{", "[]", "[1]", '{"version": 2}', '{"version": 2, "runs": {"a": 1}}', "[" * 9999])
def test_a_damaged_note_is_seen(tmp_path, text):
    (tmp_path / NOTE).write_text(text)
    assert OutputNote.read(tmp_path / NOTE).damaged
    run = agree(tmp_path / NOTE, FIRST, "auto", lambda: ("fp32", True), fresh=False)
    assert OutputNote.read(tmp_path / NOTE).runs == {run.name: run}


@pytest.mark.parametrize(
    "now, words",
    [
        (Run("m2", "runs/b", {"seed": 1}, FIRST.mode), "with the model runs/a"),
        (Run("m2", "runs/a", {"seed": 1}, FIRST.mode), "with an earlier state of the model"),
        (Run("m1", "runs/a", {"seed": 0}, FIRST.mode), "with --seed 1, not with --seed 0"),
        (Run("m1", "runs/a", {}, FIRST.mode), "with --seed 1, not without --seed"),
        (Run("m1", "runs/a", {"seed": 1, "hints": True}, FIRST.mode), "without --hints, not with --hints"),
        (Run("m1", "runs/a", {"looks": ["x"]}, FIRST.mode), "without --look, not with --look and with --seed 1, not"),
        (Run("m1", "runs/a", {"seed": 1}, ("bf16", True)), "in fp32 (channels_last), not in bf16 (channels_last)"),
    ],
)  # fmt: skip
def test_differences_of_runs_are_named(now, words):
    assert now.difference(FIRST).startswith(words) and now.name != FIRST.name


# ---- the ledger


def test_a_ledger_needs_no_hash_to_adopt_a_finished_folder(tmp_path, monkeypatch):
    source, out = tmp_path / "in", tmp_path / "out"
    for folder in (source, out):
        folder.mkdir()
        (folder / "x.png").write_text("picture")
    later = time.time_ns() + 3 * 10**9
    monkeypatch.setattr(time, "time_ns", lambda: later)
    monkeypatch.setattr("translate.data.files.file_state.content_hash", lambda _: pytest.fail("read"))
    job = Job(source / "x.png", out / "x.png")
    for told in (1, 0):
        ledger = Ledger(out, source, "", Run("m", "", {}))
        ledger.check([job])
        judgement = ledger.judge(job)
        assert judgement.done
        ledger.skip(judgement)
        assert len(ledger.notes()) == told
        ledger.close()
    assert [run["mode"] for run in json.loads((out / NOTE).read_text())["runs"].values()] == [None]
    with pytest.raises(OptionError, match=r"x\.png: was made without --seed, not with --seed 1"):
        Ledger(out, source, "", Run("m", "", {"seed": 1})).check([job])
