"""The rules of the house, executable."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "translate").rglob("*.py"))

LAYERS = """
    cli
    bench | studio
    export
    reports
    evaluation
    training | inference
    checkpoints
    tasks
    networks | metrics | data
    synthetic
    images
    utils
"""  # imports point strictly downward; rooms on one line do not know each other
LEVEL = {room: level for level, line in enumerate(LAYERS.split("\n")) for room in line.replace("|", " ").split()}


def room_of(path):
    return path.relative_to(ROOT / "translate").with_suffix("").parts[0]


def imported_rooms(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = (
                [f"{node.module}.{alias.name}" for alias in node.names] if node.module == "translate" else [node.module]
            )
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            if name.startswith("translate."):
                yield name.split(".")[1]


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_down(path):
    room = room_of(path)
    if room in ("__init__", "__main__"):
        return
    for other in imported_rooms(path):
        if other != room:
            assert LEVEL[other] > LEVEL[room], f"{room} imports {other}, which is not below it"


def test_the_package_opens_on_its_rooms():
    names = {p.name for p in (ROOT / "translate").iterdir()} - {"__pycache__"}
    assert names == {*LEVEL, "__init__.py", "__main__.py", "py.typed"}


def test_folders_are_small_and_list_their_files():
    for folder in {path.parent for path in FILES}:
        names = {p.stem for p in folder.glob("*.py")} - {"__init__"}
        names |= {f"{p.name}/" for p in folder.iterdir() if any(p.glob("*.py"))}
        assert len(names) <= 20, folder
        tree = ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))
        text = ast.get_docstring(tree, clean=False) or ""
        listed = re.findall(r"^ {0,4}(\S+)  +\S", text, re.MULTILINE)
        assert sorted(listed) == sorted(names), f"{folder.relative_to(ROOT)}/__init__.py lists other files"


def test_the_tests_mirror_the_package():
    for path in (ROOT / "tests").rglob("test_*.py"):
        place = path.parent.relative_to(ROOT / "tests")
        if place.parts[:1] not in (("campaigns",), ("browser",)):
            assert (ROOT / "translate" / place).is_dir(), f"{path}: the package has no such folder"


def long_functions(path, lines):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.end_lineno - node.lineno >= lines:
            yield node


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_long_functions_have_signposts(path):
    """A comment before the paragraphs of a function whose body has more than 25 lines."""
    lines = path.read_text(encoding="utf-8").splitlines()
    for node in long_functions(path, 26):
        start = node.body[1 if ast.get_docstring(node) and len(node.body) > 1 else 0].lineno
        if node.end_lineno - start >= 25:
            body = lines[start - 1 : node.end_lineno]
            assert any(line.strip().startswith("# ") for line in body), f"{path.name}: {node.name} has no signpost"


RIDDLES = {
    "_MOST",
    "_LEAST",
    "_SIDE",
    "_NEAR",
    "_FAR",
    "_SHOWN",
    "_TOLD",
    "told",
    "said",
    "mine",
    "in_turn",
    "everyone",
}


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_names_are_no_riddles(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    defined |= {t.id for n in tree.body if isinstance(n, ast.Assign) for t in n.targets if isinstance(t, ast.Name)}
    assert not defined & RIDDLES


def test_no_task_imports_another():
    tasks = {p.stem for p in (ROOT / "translate" / "tasks").glob("*.py")} - {
        "__init__",
        "base",
        "feature_queue",
        "hint_planes",
        "image_pool",
        "latents",
    }
    for path in (ROOT / "translate" / "tasks").glob("*.py"):
        if path.stem in tasks:
            text = path.read_text(encoding="utf-8")
            assert not any(f"translate.tasks.{other}" in text for other in tasks - {path.stem})


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_functions_fit_a_screen_and_files_a_sitting(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 380
    for node in long_functions(path, 60):
        raise AssertionError(f"{path.name}: {node.name} is too long")


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_torchvision_and_albumentations_have_one_door_each(path):
    imports = [
        name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in (
            [a.name for a in node.names] if isinstance(node, ast.Import)
            else [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        )
    ]  # fmt: skip
    doors = {"torchvision": "torchvision_door.py", "albumentations": "transforms.py"}
    for package, door in doors.items():
        if path.name != door:
            assert not any(name.split(".")[0] == package for name in imports)


DOORS = {  # what files of strangers must pass, and their names on the way to a terminal
    "torch.load(": {"safe_load.py"},
    "pickle.load": set(),
    "allow_pickle=True": set(),
    "from rich.markup": set(),
    "shell=True": set(),
}


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_what_strangers_send_goes_through_one_door(path):
    text = path.read_text(encoding="utf-8")
    for word, doors in DOORS.items():
        assert word not in text or path.name in doors, f"{path.name}: {word}"
    if path.parent.name == "commands":
        assert " print(" not in text, "names are printed by terminal.say"


def test_tools_are_doors_to_commands():
    from translate.cli.run import COMMANDS

    for path in (ROOT / "tools").glob("*.py"):
        assert path.stem.replace("_", "-") in COMMANDS
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 8
    assert {c.replace("-", "_") for c in COMMANDS} == {p.stem for p in (ROOT / "tools").glob("*.py")}
