import pytest

from tests.checkpoints.hub.conftest import hub  # noqa: F401
from tests.checkpoints.hub.fake_hub import TOKEN, Repo
from tests.reports.test_model_card import make_run
from tests.studio.studios import faces, save_model
from translate.cli.run import main

REPO = ("--repo", "ada/painter")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("share") / "painter")


@pytest.fixture
def share(run, capsys):
    """Run the command; return the exit status, stdout and stderr."""

    def call(*words, model=run):
        with pytest.raises(SystemExit) as ended:
            main("share", ["--model", str(model), *words])
        return ended.value.code, *capsys.readouterr()

    return call


@pytest.fixture
def ada(hub, monkeypatch):  # noqa: F811
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    return hub


def test_what_will_be_uploaded_is_shown_and_uploaded(ada, share):
    code, out, _ = share(*REPO, "--yes")
    assert code == 0 and ada.repos["ada/painter"].private
    assert set(ada.repos["ada/painter"].files) == {"README.md", "model.safetensors", "samples.jpg"}
    lines = [line.split() for line in out.splitlines()]
    assert [line[0] for line in lines[:3]] == ["README.md", "model.safetensors", "samples.jpg"]
    assert lines[1][2] == "kB" and "held-out pictures of the run; --no-picture leaves them out" in out
    assert (
        "private: only you see it; --public shows it to everyone" in out
        and 'Translator.load("hf://ada/painter")' in out
    )


def test_an_answer_decides(ada, share, monkeypatch):
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    for answer in ("", "n", "nonsense"):
        monkeypatch.setattr("builtins.input", lambda question, answer=answer: answer)
        code, out, _ = share(*REPO)
        assert code == 1 and out.endswith("nothing was uploaded\n") and ada.repos == {}
    monkeypatch.setattr("builtins.input", lambda question: "Y")
    assert share(*REPO)[0] == 0 and ada.repos


def test_the_card_alone_needs_no_hub(share, tmp_path, hub):  # noqa: F811
    code, out, _ = share("--card-only", str(tmp_path / "card"), "--no-picture")
    assert code == 0 and "written; nothing was uploaded" in out and not hub.requests
    assert sorted(path.name for path in (tmp_path / "card").iterdir()) == ["README.md", "model.safetensors"]
    assert "hf://user/painter" in (tmp_path / "card/README.md").read_text()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "--repo is missing: user/name on the Hub; or --card-only FOLDER"),
        (REPO, "without a terminal nobody can be asked; add --yes"),
        (("--repo", "painter", "--yes"), "write user/name"),
        ((*REPO, "--yes", "--license", "CC BY 4"), "give an identifier such as cc-by-4.0"),
        ((*REPO, "--yes", "--weights", "worst"), "--weights"),
    ],
)
def test_wrong_options(share, words, message):
    code, _, error = share(*words)
    assert code == 2 and message in error and error.count("\n") == 1


def test_who_is_not_logged_in_uploads_nothing(share, hub):  # noqa: F811
    code, _, error = share(*REPO, "--yes")
    assert code == 1 and "hf auth login" in error and error.count("\n") == 1 and hub.repos == {}


def test_samples_of_a_model_on_the_hub_are_written_here(hub, tmp_path, monkeypatch):  # noqa: F811
    file = save_model(tmp_path / "faces", *faces()) / "model.safetensors"
    hub.repos["ada/faces"] = Repo({"model.safetensors": file.read_bytes()})
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main("sample", ["--model", "hf://ada/faces", "--count", "2", "--device", "cpu"])
    assert not ended.value.code and (tmp_path / "samples" / "seeds_0-1.png").is_file()
    assert len([path for path in (tmp_path / "cache").rglob("*.png")]) == 0


def test_names_on_the_hub_are_for_models_alone(capsys):
    for words in (
        ["--input", "hf://a/b", "--output", "x", "--model", "m"],
        ["--model", "https://x/y", "--input", "a", "--output", "b"],
    ):
        with pytest.raises(SystemExit):
            main("translate-folder", words)
        assert "is an address" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main("translate-folder", ["--model", "hf://nonsense", "--input", "a", "--output", "b"])
    assert "hf://nonsense: is no name of a model on the Hub" in capsys.readouterr().err
