from pathlib import Path

import pytest

from translate.checkpoints.hub.name import HubName, as_repo, check_repo, is_hub_name, parse_hub_name
from translate.utils.errors import OptionError


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("hf://ada/shoes", HubName("ada/shoes")),
        ("hf://ada/shoes/", HubName("ada/shoes")),
        ("HF://ada/shoes@main", HubName("ada/shoes", "main")),
        ("hf://a/b@v1.0", HubName("a/b", "v1.0")),
        ("hf://a/b@refs/pr/1", HubName("a/b", "refs/pr/1")),
        ("hf://Ada-1/x_y.z@" + "0" * 40, HubName("Ada-1/x_y.z", "0" * 40)),
    ],
)
def test_a_name_is_parsed_also_as_path_writes_it(text, name):
    assert is_hub_name(text) and parse_hub_name(text) == name
    assert is_hub_name(Path(text)) and parse_hub_name(Path(text)) == name
    assert parse_hub_name(str(name)) == name


@pytest.mark.parametrize("rest", [
    "", "ada", "ada/", "/shoes", "ada/shoes/file", "ada/shoes@", "ada/shoes@../../etc", "a/b@x/../y", "a..b/c",
    "a--b/c", "../b", "a/..", "a/.b", "-a/b", "a/b c", "a/b\n", "a/b?x=1", "a/b.git", "a/b@x y", "a/" + "b" * 300,
    "a/b@/x", "ä/b",
])  # fmt: skip
def test_a_malformed_name_is_refused_in_a_line(rest):
    with pytest.raises(OptionError, match=r"is no name of a model on the Hub; write hf://user/name") as refused:
        parse_hub_name(f"hf://{rest}")
    assert len(str(refused.value)) < 250 and "\n" not in str(refused.value)


@pytest.mark.parametrize("path", ["runs/shoes", "model.safetensors", "https://x/y", "hf", "/hf:/x", "./hf:/a/b"])
def test_paths_are_no_names(path):
    assert not is_hub_name(path)


def test_the_name_of_a_repository():
    assert check_repo("ada/shoes") == check_repo("hf://ada/shoes/") == "ada/shoes"
    for wrong in ("shoes", "ada/shoes@main", "ada/shoes/x", "", "a b/c"):
        with pytest.raises(OptionError, match="write user/name"):
            check_repo(wrong)
    assert as_repo("my run (2)") == "user/my-run-2" and as_repo("..") == as_repo("照片") == "user/model"
    assert check_repo(as_repo("x" * 300))
