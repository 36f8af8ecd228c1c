import json

import pytest

from translate.cli.run import main


def run(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        main("check-data", [str(word) for word in words])
    out, err = capsys.readouterr()
    return ended.value.code or 0, out, err


def test_one_screen_and_json(two_folders, tmp_path, capsys):
    reds, blues = two_folders
    status, out, _ = run(capsys, "--a", reds, "--b", blues, "--json", tmp_path / "x.json")
    assert status == 0 and "nothing to mend" in out and "reds (train)" in out
    assert len(out.splitlines()) < 24
    told = json.loads((tmp_path / "x.json").read_text())
    assert [part["pictures"] for part in told["parts"]] == [11, 1, 10, 1] and told["findings"] == []


def test_each_problem_is_a_line_and_the_status_is_1(two_folders, capsys):
    reds, blues = two_folders
    (reds / "bad\x1b[31m\n.png").write_bytes(b"x")
    status, out, err = run(capsys, "--a", reds, "--b", blues)
    assert status == 1 and "\x1b" not in out + err
    assert [line for line in out.splitlines() if line.startswith("mend")] == [
        f"mend  reds (train): 1 picture cannot be read (its content is in no known image format):"
        f" {reds}/bad\\x1b[31m\\n.png"
    ]


def test_options_allow_links_and_large_pictures(two_folders, tmp_path, capsys):
    reds, blues = two_folders
    (reds / "link.png").symlink_to(blues / "000.png")
    status, _, err = run(capsys, "--a", reds, "--b", blues)
    assert status == 1 and "1 link leads out of the folder; say --follow-links to follow them" in err
    status, out, _ = run(capsys, "--a", reds, "--b", blues, "--follow-links", "--max-pixels", 100)
    assert status == 1 and "is over the limit of 100 px" in out
    status, _, err = run(capsys, "--a", reds, "--b", blues, "--max-pixels=-1")
    assert status == 2 and "--max-pixels should be at least 1" in err
