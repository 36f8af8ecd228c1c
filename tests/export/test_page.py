"""The folder of a page: complete, without any address outside, written as a whole or not at all."""

import json
import os
import re
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from tests.browser.conftest import RECIPE, build
from tests.cli.test_run import call
from translate.export import onnxruntime_web
from translate.export.onnxruntime_web import FILES, VERSION, find_package, runtime_files
from translate.export.page import OWN, STUDIO, check_folder, write_page
from translate.export.page_model import LOOKS_PER_SEED, SEEDS, PageModel, page_model
from translate.inference.translator import Translator
from translate.utils.errors import OptionError, UserError

IMPORTS = re.compile(r"""(?:from|import)\s*\(?["'`]\./([\w.]+)["'`]""")
ADDRESS = re.compile(r"(?:https?:)?//[\w.-]+\.\w+[^\s\"'`)]*")
DESCRIPTION = {"pages": ["draw", "translate"], "name": "shoe", "local": True}


def write_package(folder, version=VERSION, name="onnxruntime-web"):
    (folder / "dist").mkdir(parents=True)
    (folder / "package.json").write_text(json.dumps({"name": name, "version": version, "license": "MIT"}))
    for file in FILES:
        (folder / "dist" / file).write_bytes(file.encode() * 3)
    return folder


@pytest.fixture
def package(tmp_path):
    return write_package(tmp_path / "onnxruntime-web")


@pytest.fixture
def network(tmp_path):
    """An ONNX file as far as a page is concerned: some bytes, and the recipe beside them."""
    file = tmp_path / "shoe_ab.onnx"
    file.write_bytes(b"network" * 10)
    recipe = {"kind": "translate", "direction": "ab", "z": {"dim": 2, "looks": [[1.0, 2.0]] * 50}}
    file.with_suffix(".json").write_text(json.dumps(recipe))
    return file


@pytest.fixture
def page(tmp_path, package, network):
    model = PageModel("<shoes> & more", DESCRIPTION, [0.0, 0.5], [[1.0, 2.0]] * 6)
    write_page(tmp_path / "site", model, [network], package)
    return tmp_path / "site"


def test_every_module_and_style_that_is_named_is_there(page):
    for script in (page / "js").iterdir():
        for name in IMPORTS.findall(script.read_text()):
            assert (page / "js" / name).is_file(), f"{script.name} imports {name}"
    index = (page / "index.html").read_text()
    for name in re.findall(r'(?:src|href)="([\w./]+)"', index):
        assert (page / name).is_file(), name
    for name in ("draw", "translate"):
        assert (page / "js" / f"{name}.js").read_bytes() == (STUDIO / "js" / f"{name}.js").read_bytes()
    assert not (page / "js" / "train.js").exists() and "&lt;shoes&gt; &amp; more" in index
    traced = re.findall(r"^  (\w+): \"", (page / "js" / "trace_bar.js").read_text(), re.MULTILINE)
    assert traced and all((page / "templates" / f"{name}.png").is_file() for name in traced)


def test_our_api_has_all_that_the_pages_call(page):
    text = (OWN / "js" / "api.js").read_text()
    offered = set(re.findall(r"^export (?:async )?(?:function|const|class) (\w+)", text, re.MULTILINE))
    for script in (page / "js").iterdir():
        for names in re.findall(r'import \{([^}]*)\} from "\./api\.js"', script.read_text()):
            assert {name.strip() for name in names.split(",")} <= offered, script.name


def test_no_file_of_ours_names_another_host(page):
    for file in page.rglob("*"):
        if file.suffix in (".js", ".html", ".css") and "ort" not in file.parts:
            found = set(ADDRESS.findall(file.read_text())) - {"http://www.w3.org/2000/svg"}
            assert not {address for address in found if "localhost" not in address}, file.name
    assert "default-src 'self'" in (page / "index.html").read_text()


def test_the_site_describes_its_networks_and_files(page):
    site = json.loads((page / "site.json").read_text())
    [network] = site["networks"]
    assert network["file"] == "shoe_ab.onnx" and network["bytes"] == 70
    assert network["recipe"]["direction"] == "ab" and not network["recipe"]["z"]["looks"]
    assert site["typical"] == [0.0, 0.5] and site["looks_per_seed"] == 6 == len(site["looks"])
    assert {name: (page / "ort" / name).stat().st_size for name in FILES} == site["runtime"]
    assert "MIT License" in (page / "ort" / "LICENSE").read_text()


def test_an_older_page_is_replaced_and_other_files_are_not(page, package, network, tmp_path):
    (page / "old.txt").write_text("old")
    model = PageModel("new", DESCRIPTION, [], [])
    write_page(page, model, [network], package)
    assert "new" in (page / "index.html").read_text() and not (page / "old.txt").exists()
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "site.json").write_text("[]")
    with pytest.raises(OptionError, match="has files that are no page"):
        write_page(tmp_path / "photos", model, [network], package)
    with pytest.raises(OptionError, match="is a file"):
        check_folder(network)
    (package / "dist" / FILES[2]).unlink()
    with pytest.raises(UserError, match=r"lacks ort-wasm.*or give --ort DIR"):
        write_page(page, model, [network], package)
    assert "new" in (page / "index.html").read_text()
    assert {p.name for p in tmp_path.iterdir()} == {"site", "photos", "onnxruntime-web", network.name, "shoe_ab.json"}


def test_another_package_is_refused(tmp_path):
    old = write_package(tmp_path / "old", "1.2.3")
    for folder, found in ((old, "onnxruntime-web 1.2.3"), (tmp_path, "no unpacked")):
        with pytest.raises(UserError, match=found):
            runtime_files(folder)
    with pytest.raises(OptionError, match="--ort missing: is no folder"):
        find_package("missing")


# ---- npm


@pytest.fixture
def npm(tmp_path, monkeypatch):
    """Return a function that puts an npm with a shell script as its body first on the path."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    tools = tmp_path / "tools"
    tools.mkdir()
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")

    def write(body):
        (tools / "npm").write_text(f"#!/bin/sh\n{body}\n")
        (tools / "npm").chmod(0o755)

    return write


@pytest.fixture
def tarball(tmp_path):
    write_package(tmp_path / "packed" / "package")
    (tmp_path / "packed" / "package" / "dist" / "ort.all.js").write_text("not needed")
    with tarfile.open(tmp_path / "packed.tgz", "w:gz") as archive:
        archive.add(tmp_path / "packed" / "package", "package")
    return tmp_path / "packed.tgz"


def test_npm_fetches_the_pinned_package_once(npm, tarball, tmp_path, monkeypatch):
    npm(f'echo "$@" >> {tmp_path}/calls; cp {tarball} onnxruntime-web.tgz')
    with pytest.raises(UserError, match=f"npm fetched another onnxruntime-web {VERSION} than .*--ort DIR"):
        find_package()
    monkeypatch.setattr(onnxruntime_web, "INTEGRITY", integrity_of(tarball))
    package = find_package()
    assert [file.name for file in runtime_files(package)] == list(FILES) and not (package / "dist/ort.all.js").exists()
    assert find_package() == package
    calls = (tmp_path / "calls").read_text().splitlines()
    assert len(calls) == 2 and calls[0].startswith(f"pack onnxruntime-web@{VERSION} ")
    assert os.listdir(package.parent) == [package.name]  # noqa: PTH208


def integrity_of(file):
    import base64
    import hashlib

    return "sha512-" + base64.b64encode(hashlib.sha512(Path(file).read_bytes()).digest()).decode()


def test_without_npm_or_network_a_line_says_both_ways(npm, tmp_path, monkeypatch):
    npm("echo 'npm error network is down' >&2; exit 1")
    with pytest.raises(UserError, match=r"cannot fetch .*\(npm error network is down\); install npm, or give"):
        find_package()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="there is no npm here; install npm, or give --ort DIR"):
        find_package()
    assert not list((tmp_path / "cache").rglob("package.json"))


# ---- looks


def test_the_looks_of_a_page_are_those_of_python():
    recipe, nets = tiny_model()
    model, translator = page_model("shoe", recipe, nets), Translator(recipe, nets)
    drawing = np.full((32, 32, 3), 255, np.uint8)
    drawing[8:24, 10:12] = drawing[20:22, 8:28] = 0
    expected = [translator(drawing), *translator(drawing, count=LOOKS_PER_SEED, seed=3)]
    codes = [model.typical, *model.looks[3 * LOOKS_PER_SEED :][:LOOKS_PER_SEED]]
    for z, answer in zip(codes, expected, strict=True):
        assert np.abs(translator(drawing, z=z).astype(int) - answer).max() <= 1
    assert model.title == "sketches → photos" and model.description["local"] and model.description["many"]
    assert len({tuple(z) for z in model.looks}) == len(model.looks) == LOOKS_PER_SEED * SEEDS


def tiny_model():
    torch.manual_seed(0)
    style = {"width": 8, "downs": 1, "blocks": 1, "style_dim": 8, "z_dim": 4}
    nets = {"G": build("style_resnet", in_channels=1, out_channels=3, **style)}
    nets["E"] = build("style_encoder", width=4, in_channels=3, z_dim=4)
    specs = {name: net.spec for name, net in nets.items()}
    recipe = replace(RECIPE, nets=specs, size=32, channels={"a": 1, "b": 3})
    return recipe, nn.ModuleDict(nets)


def test_the_command_says_where_to_and_refuses_what_a_page_cannot_hold(capsys, tmp_path):
    (tmp_path / "photo.png").write_text("a photo")
    for words, line in (
        ((), "say where to: --output FILE for a file, or --page DIR"),
        (("--output", "a.onnx", "--page", "site"), "say where to"),
        (("--output", "a.onnx", "--ort", "web"), "--ort belongs to --page"),
        (("--page", "site", "--format", "pt2"), "a page runs ONNX; leave --format pt2 out"),
        (("--page", str(tmp_path)), "has files that are no page of a model"),
    ):
        status, _, err = call(capsys, "export", "--model", "runs/missing", *words)
        assert status == 2 and line in err, err
