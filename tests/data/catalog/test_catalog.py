import multiprocessing
import re
import shutil
import tomllib
import zipfile
from pathlib import Path

import pytest
from rich.console import Console

from translate.data.catalog import catalog
from translate.data.catalog import entry as dataset
from translate.data.catalog.catalog import describe, load_catalog, owner_of_domain, prepare
from translate.data.catalog.entry import read_dataset
from translate.utils.errors import UserError
from translate.utils.locks import hold
from translate.utils.package_data import package_folder

FILES = sorted(package_folder("datasets").glob("*.toml"))
EXPECTED = {
    "photos2monet": "unpaired",
    "horse2zebra": "unpaired",
    "monet2photo": "unpaired",
    "summer2winter_yosemite": "unpaired",
    "apple2orange": "unpaired",
    "maps": "paired",
    "cityscapes": "paired",
    "facades": "paired",
    "edges2shoes": "paired",
    "edges2handbags": "paired",
    "sketch2shoe": "paired",
    "sketch2handbag": "paired",
    "attributes": "images",
    "digits": "labelled",
    "faces": "images",
}
TINY = """
title = "Tiny"
description = "For tests."
licence = "CC0"
citation = "none"
kind = "unpaired"
domains = { left = "A", right = "B" }
counts = { trainA = 1, trainB = 1 }
"""
DOWNLOAD = '[[download]]\nurl = "http://127.0.0.1:9/tiny.zip"\n'


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A catalog of our own, empty yet."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    monkeypatch.setattr(catalog, "package_folder", lambda _: folder)
    catalog._load.cache_clear()
    yield folder
    catalog._load.cache_clear()


def add(shelf: Path, text: str, name: str = "tiny") -> None:
    (shelf / f"{name}.toml").write_text(text)


def make_archive(path: Path, *folders: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as pack:
        for folder in folders:
            pack.writestr(f"tiny/{folder}/1.png", b"picture")
    return path


# --- the shipped catalog


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_shipped_entry_is_valid(file):
    entry = read_dataset(file)
    assert entry.kind == EXPECTED[entry.name]
    assert all((entry.title, entry.description, entry.licence, entry.citation))
    assert entry.counts and min(entry.counts.values()) > 0
    assert all(re.fullmatch(r"[a-z][a-z_]+", domain) for domain in entry.domains)
    for part in entry.download:
        assert part.size or part.approx_size
        assert part.url.startswith("http://efrosgans.eecs.berkeley.edu/")
        assert part.file == f"{entry.name}.zip" if entry.kind == "unpaired" else f"{entry.name}.tar.gz"


def test_the_shipped_catalog_has_the_expected_entries():
    assert {name: entry.kind for name, entry in load_catalog().items()} == EXPECTED
    drawn = load_catalog()["photos2monet"]
    assert drawn.render == dataset.Render(name="landscapes", train=400, test=100)
    assert drawn.domains == {"photos": "A", "monet": "B"}
    assert not load_catalog()["sketch2shoe"].combined  # drawn pairs lie in trainA and trainB
    assert load_catalog()["maps"].combined


def test_domain_names_are_unique_and_differ_from_data_set_names():
    names = [domain for entry in load_catalog().values() for domain in entry.domains]
    assert len(names) == len(set(names)) == 24
    assert not set(names) & set(load_catalog())
    assert owner_of_domain("zebras").name == "horse2zebra"
    assert owner_of_domain("unicorns") is None


def test_the_table_lists_every_set(tmp_path):
    (tmp_path / "maps").mkdir()
    (tmp_path / "maps" / "train").mkdir()
    console = Console(width=300, record=True, file=open("/dev/null", "w"))  # noqa: PTH123, SIM115
    console.print(describe(tmp_path))
    lines = console.export_text().splitlines()
    line = {name: next(line for line in lines if f" {name} " in line) for name in EXPECTED}
    assert all(text in line["maps"] for text in ("aerial_photos, street_maps", "2,194", "250 MB", "yes"))
    assert all(text in line["horse2zebra"] for text in ("horses, zebras", "2,661", "117 MB", "no"))
    assert "drawn here" in line["photos2monet"]
    assert "by hand" in line["cityscapes"]
    assert all(text in line["digits"] for text in ("one labelled set", "7,000", "drawn here", "no"))
    assert len(describe().columns) == len(describe(tmp_path).columns) - 1


# --- wrong files


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title = \n", r"tiny\.toml: not TOML: .*line 1"),
        (TINY + 'licens = "x"\n' + DOWNLOAD, r"tiny\.toml: unknown key 'licens'; did you mean 'licence'"),
        (TINY.replace('title = "Tiny"', "") + DOWNLOAD, "key 'title' is missing"),
        (TINY.replace('"CC0"', "7") + DOWNLOAD, "licence must be text, not 7"),
        (TINY.replace('"unpaired"', '"unpared"') + DOWNLOAD, "kind is 'unpared'; did you mean 'unpaired'"),
        (
            TINY.replace("trainA = 1", "trainA = true") + DOWNLOAD,
            "counts.trainA must be a whole number, not True",
        ),
        (TINY.replace('right = "B"', 'right = "C"') + DOWNLOAD, "one domain 'A' and one 'B'"),
        (TINY.replace('domains = { left = "A", right = "B" }', "") + DOWNLOAD, "one domain 'A' and one 'B', not {}"),
        (TINY.replace('"unpaired"', '"labelled"') + DOWNLOAD, "a set of kind 'labelled' has no domains; leave the key"),
        (TINY.replace('{ left = "A", right = "B" }', '"ab"') + DOWNLOAD, "domains must be a table, not 'ab'"),
        (TINY + "download = 3", "download must be an array of tables"),
        (TINY + DOWNLOAD + "sise = 3", "download: unknown key 'sise'; did you mean 'size'"),
        (TINY + DOWNLOAD + 'size = "3"', "download: size must be a whole number, not '3'"),
        (TINY + DOWNLOAD + 'sha256 = "ABC"', "sha256 must be 64"),
        (TINY + DOWNLOAD.replace("http:", "file:"), "url must be http or https"),
        (TINY + "[[download]]\nsize = 3", "download: key 'url' is missing"),
        (TINY, "exactly one of download, render and manual, not none"),
        (
            TINY + 'manual = "write to them."\n' + DOWNLOAD,
            "exactly one of download, render and manual, not .*manual",
        ),
        (TINY + '[render]\nname = "x"\ntrain = 1', "render: key 'test' is missing"),
    ],
)
def test_errors_name_the_file_and_the_key(tmp_path, text, message):
    add(tmp_path, text)
    with pytest.raises(UserError, match=message) as raised:
        read_dataset(tmp_path / "tiny.toml")
    assert str(tmp_path / "tiny.toml") in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_file_that_is_not_text_is_named(tmp_path):
    (tmp_path / "tiny.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match=r"tiny\.toml: not TOML"):
        read_dataset(tmp_path / "tiny.toml")


# --- prepare


def test_a_rendered_set_is_rendered_once(tmp_path, monkeypatch):
    calls = []

    def draw(name, target, *, train, test, size, progress):
        calls.append((name, train, test, size, progress))
        (target / "trainA").mkdir(parents=True)
        assert not (tmp_path / "data" / "photos2monet").exists()  # complete only when finished

    monkeypatch.setattr("translate.synthetic.render", draw)
    for _ in range(2):
        assert prepare("photos2monet", tmp_path / "data", progress=False) == tmp_path / "data" / "photos2monet"
    assert calls == [("landscapes", 400, 100, 256, False)]
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["photos2monet"]


def test_digits_are_rendered_at_their_size(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(
        "translate.synthetic.render", lambda name, target, **rest: (calls.append((name, rest)), target.mkdir())
    )
    prepare("digits", tmp_path, progress=False)
    assert calls == [("digits", {"train": 6000, "test": 1000, "size": 32, "progress": False})]


@pytest.mark.parametrize("stop", [KeyboardInterrupt, UserError])
def test_an_interrupted_rendering_leaves_no_files(tmp_path, monkeypatch, stop):
    def draw(name, target, **_):
        (target / "trainA").mkdir(parents=True)
        raise stop("enough")

    monkeypatch.setattr("translate.synthetic.render", draw)
    with pytest.raises(stop):
        prepare("photos2monet", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_leftovers_of_a_killed_run_are_removed(tmp_path, monkeypatch):
    (tmp_path / ".photos2monet.partial" / "old").mkdir(parents=True)
    (tmp_path / "photos2monet").mkdir()  # an empty folder is no data set
    monkeypatch.setattr("translate.synthetic.render", lambda _, target, **__: (target / "trainA").mkdir(parents=True))
    assert [path.name for path in prepare("photos2monet", tmp_path).iterdir()] == ["trainA"]


def test_an_unknown_name_gets_a_suggestion(tmp_path):
    with pytest.raises(UserError, match="no folder or data set 'hose2zebra'; did you mean 'horse2zebra'"):
        prepare("hose2zebra", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_set_behind_a_registration_says_how_to_get_it(tmp_path):
    with pytest.raises(
        UserError, match=r"'cityscapes' cannot be fetched .*register at https://.*Put it in '.*cityscapes'"
    ):
        prepare("cityscapes", tmp_path)
    (tmp_path / "cityscapes" / "train").mkdir(parents=True)
    assert prepare("cityscapes", tmp_path) == tmp_path / "cityscapes"


def test_a_downloaded_set_is_unpacked_and_its_archive_removed(tmp_path, shelf, monkeypatch):
    add(shelf, TINY + DOWNLOAD + 'size = 123\nsha256 = "' + "0" * 64 + '"')
    asked = []

    def fetch(url, target, **options):
        asked.append((url, target, options))
        return make_archive(target, "trainA", "trainB")

    monkeypatch.setattr(catalog, "download", fetch)
    root = tmp_path / "data"
    folder = prepare("tiny", root, progress=False)
    assert sorted(path.name for path in folder.iterdir()) == ["trainA", "trainB"]
    options = {"size": 123, "sha256": "0" * 64, "progress": False}
    assert asked == [("http://127.0.0.1:9/tiny.zip", root / "downloads" / "tiny.zip", options)]
    assert list((root / "downloads").iterdir()) == []
    prepare("tiny", root)
    assert len(asked) == 1


def test_a_manually_placed_archive_is_used_and_kept(tmp_path, shelf):
    archive = make_archive(tmp_path / "data" / "downloads" / "tiny.zip", "trainA", "trainB")
    add(shelf, TINY + DOWNLOAD + f"size = {archive.stat().st_size}")
    assert (prepare("tiny", tmp_path / "data", progress=False) / "trainA" / "1.png").read_bytes() == b"picture"
    assert archive.exists()


def test_a_wrong_manually_placed_archive_is_named_and_kept(tmp_path, shelf):
    archive = make_archive(tmp_path / "data" / "downloads" / "tiny.zip", "trainA", "trainB")
    add(shelf, TINY + DOWNLOAD + "size = 5")
    with pytest.raises(UserError, match=r"tiny.zip is not the file it should be: .*instead of 5; fetch http://127"):
        prepare("tiny", tmp_path / "data", progress=False)
    assert archive.exists()


def test_an_archive_without_the_expected_folders_is_refused(tmp_path, shelf):
    make_archive(tmp_path / "data" / "downloads" / "tiny.zip", "trainA", "cats")
    add(shelf, TINY + DOWNLOAD)
    with pytest.raises(UserError, match="archive of 'tiny' has no folder trainB"):
        prepare("tiny", tmp_path / "data", progress=False)
    assert not (tmp_path / "data" / "tiny").exists()


def test_without_a_network_the_error_says_where_to_put_the_archive(tmp_path, shelf, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr("time.sleep", lambda _: None)
    add(shelf, TINY + DOWNLOAD)
    with pytest.raises(
        UserError, match=r"cannot fetch http://127.0.0.1:9/tiny.zip .*put it at '.*/downloads/tiny.zip'"
    ):
        prepare("tiny", tmp_path / "data", progress=False)


def test_a_set_larger_than_the_free_space_is_refused_before_the_download(tmp_path, shelf, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 10**8))
    add(shelf, TINY + DOWNLOAD + "size = 60_000_000")
    with pytest.raises(UserError, match=r"'tiny' needs 0.1 GB in '.*', which has 0.1 GB"):
        prepare("tiny", tmp_path / "data")


def test_an_unwritable_root_is_reported_in_one_line(tmp_path):
    (tmp_path / "data").write_text("a file")
    with pytest.raises(UserError, match="cannot prepare 'photos2monet' in '.*data': File exists"):
        prepare("photos2monet", tmp_path / "data")


def _prepare_slowly(root: Path, started: object, calls: object) -> None:
    import translate.synthetic

    def draw(name, target, **_):
        with calls.get_lock():
            calls.value += 1
        (target / "trainA").mkdir(parents=True)
        started.wait(0.3)

    translate.synthetic.render = draw
    assert prepare("photos2monet", root) == root / "photos2monet"


def test_concurrent_processes_render_a_set_once(tmp_path):
    context = multiprocessing.get_context("fork")
    calls, never = context.Value("i", 0), context.Event()
    processes = [context.Process(target=_prepare_slowly, args=(tmp_path, never, calls)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(10)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert calls.value == 1


# --- where it ships


def test_an_installed_wheel_finds_its_own_catalog(tmp_path):
    package = tmp_path / "site-packages" / "translate"
    (package / "_shipped" / "datasets").mkdir(parents=True)
    (tmp_path / "site-packages" / "datasets").mkdir()  # a stranger's package
    (tmp_path / "site-packages" / "configs").mkdir()
    assert package_folder("datasets", package) == package / "_shipped" / "datasets"
    with pytest.raises(UserError, match="the installation lacks its 'configs' folder"):
        package_folder("configs", package)


def test_the_wheel_contains_the_catalog():
    project = tomllib.loads((package_folder("datasets").parent / "pyproject.toml").read_text())
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["force-include"]["datasets"] == "translate/_shipped/datasets"


def test_who_waits_for_a_set_is_told_for_whom_and_a_ready_set_waits_for_nobody(tmp_path, monkeypatch, capsys):
    import threading

    monkeypatch.setattr("translate.synthetic.render", lambda name, target, **_: (target / "trainA").mkdir(parents=True))
    with hold(tmp_path / ".photos2monet.lock", "it"):
        waiting = threading.Thread(target=prepare, args=("photos2monet", tmp_path))
        waiting.start()
        waiting.join(0.5)
        assert waiting.is_alive()
        prepare("sketch2shoe", tmp_path)  # another set
    waiting.join(10)
    assert not waiting.is_alive()
    assert re.search(
        r"'photos2monet' is being prepared in .* by process \d+", capsys.readouterr().err.replace("\n", " ")
    )
    with hold(tmp_path / ".photos2monet.lock", "it"):
        assert prepare("photos2monet", tmp_path).is_dir()
