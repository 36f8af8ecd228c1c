import sys

import pytest

from translate.bench.worker import Worker, fetch_facts, python_command
from translate.utils.errors import OptionError, UserError

ECHO = """
import sys
sys.path.insert(0, {root!r})
from translate.bench.channel import Channel
channel = Channel()
print("this is no line of ours")
channel.send(steady=0.1, given=channel.receive())
while (request := channel.receive()) is not None:
    channel.send(seconds=request["steps"] / 10, peak=7)
"""


def child(text):
    from pathlib import Path

    return [sys.executable, "-c", text.format(root=str(Path(__file__).parents[2]))]


def test_a_worker_sends_its_spec_and_times_its_turns():
    with Worker("echo", {"kind": "x"}, child(ECHO)) as worker:
        assert worker.facts["given"] == {"kind": "x"}
        assert worker.take_turn() == pytest.approx(0.3)  # 3 steps of 0.1 s are needed for 0.25 s
        assert worker.peak == 7


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("raise SystemExit('no such thing')", "candidate: no such thing"),
        ("import os; os.kill(os.getpid(), 9)", r"candidate: was ended by signal 9 \(out of memory, most likely\)"),
        ("import os; os._exit(3)", "candidate: ended with status 3"),
        ('print(\'{{"error": "too large"}}\')', "candidate: too large"),
    ],
)
def test_a_process_that_ends_without_an_answer_is_a_one_line_error(text, message):
    with pytest.raises(UserError, match=message):
        Worker("candidate", {}, child(text))


def test_errors_of_a_candidate_keep_their_type(tmp_path):
    with pytest.raises(UserError, match="the network: .*nowhere: no such model") as caught:
        fetch_facts(
            "the network", {"kind": "network", "model": str(tmp_path / "nowhere"), "device": "cpu", "precision": "auto"}
        )
    assert not isinstance(caught.value, OptionError)
    assert python_command("x.y", "z")[1:] == ["-m", "x.y", "z"]
