import pytest
from huggingface_hub import constants

from tests.checkpoints.hub.fake_hub import COMMITS, TOKEN, Repo
from translate.checkpoints.hub.upload import look_up, upload
from translate.utils.errors import UserError

CARD = "---\nlicense: mit\n---\n\n# shoes\n"
REPO = "ada/shoes"


@pytest.fixture
def folder(tmp_path):
    """A folder to upload."""
    (tmp_path / "up").mkdir()
    (tmp_path / "up" / "README.md").write_text(CARD)
    (tmp_path / "up" / "model.safetensors").write_bytes(bytes(range(256)) * 40)
    (tmp_path / "up" / "samples.jpg").write_bytes(b"\xff\xd8" + bytes(100))
    return tmp_path / "up"


@pytest.fixture
def ada(hub, monkeypatch):
    """The Hub, with Ada logged in."""
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # between attempts
    return hub


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_new_repository_is_private_and_gets_one_commit(ada, folder):
    place = look_up(REPO)
    assert (place.account, place.private, place.endpoint) == ("ada", None, ada.address)
    assert "the repository is made, private: only you see it; --public" in place.describe(["README.md"], public=False)
    assert "the repository is made, public: everyone sees it" in place.describe(["README.md"], public=True)
    url = upload(folder, place, message="shoes, by image-translate")
    repo = ada.repos[REPO]
    assert url == f"{ada.address}/{REPO}/commit/{COMMITS[1]}"
    assert repo.private and repo.files == contents(folder) and repo.messages == ["initial", "shoes, by image-translate"]


def test_public_is_public(ada, folder):
    upload(folder, look_up(REPO), public=True, message="shoes")
    assert ada.repos[REPO].private is False


def test_a_repository_that_exists_keeps_its_visibility_and_its_other_files(ada, folder):
    ada.repos[REPO] = Repo({"README.md": b"mine", "notes.txt": b"mine too"})
    place = look_up(REPO)
    told = place.describe(["README.md", "model.safetensors"], public=False)
    assert told.endswith("the repository exists and is public: everyone sees it; replaced: README.md")
    upload(folder, place, message="shoes")
    assert ada.repos[REPO].files == contents(folder) | {"notes.txt": b"mine too"}
    assert not ada.repos[REPO].private and not any("create" in path for path in ada.received("POST"))


def test_an_attempt_that_fails_is_repeated(ada, folder):
    ada.put_status = [500, 503]
    upload(folder, look_up(REPO), message="shoes")
    assert ada.repos[REPO].files == contents(folder) and len(ada.received("PUT")) == 4


def test_after_a_failure_nothing_is_visible_and_the_same_command_goes_on(ada, folder):
    ada.put_status = [200, 403]
    with pytest.raises(UserError, match="hf://ada/shoes: cannot be uploaded: .*may not do that"):
        upload(folder, look_up(REPO), message="shoes")
    assert ada.repos[REPO].files == {} and len(ada.objects) == 1
    sent = len(ada.received("PUT"))
    upload(folder, look_up(REPO), message="shoes")
    assert ada.repos[REPO].files == contents(folder)
    assert len(ada.received("PUT")) == sent + 1  # what had arrived was not sent again


def refused(match, act):
    with pytest.raises(UserError, match=match) as found:
        act()
    assert "\n" not in str(found.value) and str(found.value).startswith(f"hf://{REPO}: ")


def test_who_is_not_logged_in_is_told_how(hub, monkeypatch):
    refused("you are not logged in.*hf auth login", lambda: look_up(REPO))
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    refused("your token is no longer valid; log in with `hf auth login`", lambda: look_up(REPO))


def test_a_token_that_may_only_read(ada, folder):
    ada.read_only = True
    refused("your account may not do that .*a token that may write", lambda: upload(folder, look_up(REPO), message="x"))
    assert REPO not in ada.repos


def test_a_card_that_the_hub_refuses_stops_the_upload_before_its_files(ada, folder):
    (folder / "README.md").write_text(CARD.replace("mit", "nonsense"))
    refused("must be one of", lambda: upload(folder, look_up(REPO), message="x"))
    assert not ada.received("PUT")


def test_no_network(ada, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    refused("cannot be uploaded: HF_HUB_OFFLINE forbids to ask the Hub; unset it", lambda: look_up(REPO))
