"""A page that runs a model in the browser: a folder of static files, for any web server.

The pages are the studio's own. They ask their questions through `api.js`; here another `api.js` is in its place, which
answers in the browser.
"""

__all__ = ["check_folder", "write_page"]

import html
import json
import re
import shutil
import string
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import translate
from translate.export.onnxruntime_web import runtime_files
from translate.export.page_model import LOOKS_PER_SEED, PageModel
from translate.utils.errors import OptionError, UserError, short_reason

OWN = Path(__file__).parent / "page"
STUDIO = Path(translate.__file__).parent / "studio" / "page"
FORMAT = 1  # version of the layout of site.json
SITE = "site.json"
STYLES = ("style.css", "workbench.css", "favicon.svg")  # of the studio
MODULES = ("main.js", "worker.js", "start.js")  # where the search for modules begins
_IMPORT = re.compile(r'(?:^import|^\} from|from) [^"]*"\./([a-z_]+\.js)"', re.MULTILINE)


def check_folder(folder: Path) -> None:
    """Raise OptionError unless a page can be written to `folder`: it is new or empty, or has an older page."""
    if folder.is_dir() and any(folder.iterdir()) and not _is_page(folder):
        raise OptionError(f"--page {folder}: has files that are no page of a model; choose another folder")
    if folder.exists() and not folder.is_dir():
        raise OptionError(f"--page {folder}: is a file; choose a folder")


def _is_page(folder: Path) -> bool:
    try:
        return isinstance(json.loads((folder / SITE).read_text(encoding="utf-8"))["looks"], list)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def write_page(folder: Path, model: PageModel, networks: Sequence[Path], package: Path) -> int:
    """Write the page of a model, all or nothing; an older page is replaced.

    Args:
        folder: to write.
        model: what the pages need to know.
        networks: ONNX files with their recipes beside them; the first one is the default.
        package: the unpacked onnxruntime-web.

    Returns:
        The number of bytes of all files.

    Raises:
        OptionError: other files are in the folder.
        UserError: the package is another one, or the folder cannot be written.
    """
    check_folder(folder)
    runtime = runtime_files(package)
    with _replaced(folder) as new:
        _copy_pages(new, model.description["pages"])
        (new / "ort").mkdir()
        for file in [*runtime, *_licences(package)]:
            shutil.copyfile(file, new / "ort" / file.name)
        for network in networks:
            shutil.copyfile(network, new / network.name)
        site = {
            "format": FORMAT, "title": model.title, "model": model.description, "typical": model.typical,
            "looks": model.looks, "looks_per_seed": LOOKS_PER_SEED, "seeds": model.seeds,
            "networks": [_entry(network) for network in networks],
            "runtime": {file.name: file.stat().st_size for file in runtime},
        }  # fmt: skip
        (new / SITE).write_text(json.dumps(site), encoding="utf-8")
        _write_index(new, model.title)
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


@contextmanager
def _replaced(folder: Path) -> Iterator[Path]:
    """Yield a new folder that takes the place of `folder` at the end; on an error, the old one stays."""
    new = folder.with_name(f".{folder.name}-{uuid.uuid4().hex}")
    try:
        new.mkdir(parents=True)
        yield new
        old = folder.with_name(f"{new.name}-old")
        if folder.exists():
            folder.rename(old)
        new.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise UserError(f"{folder}: cannot be written ({short_reason(error)}); choose another --page") from None
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _entry(network: Path) -> dict[str, Any]:
    """Describe a network; the codes of its training pictures stay behind, since `looks` has what the page draws."""
    recipe = json.loads(network.with_suffix(".json").read_text(encoding="utf-8"))
    if recipe.get("z"):
        recipe["z"]["looks"] = []
    return {"file": network.name, "bytes": network.stat().st_size, "recipe": recipe}


def _copy_pages(folder: Path, pages: Iterable[str]) -> None:
    """Copy the modules that the pages import, and their styles."""
    (folder / "js").mkdir()
    for name in _closure([*MODULES, *(f"{page}.js" for page in pages)]):
        shutil.copyfile(_module(name), folder / "js" / name)
    for name in STYLES:
        shutil.copyfile(STUDIO / name, folder / name)
    for file in OWN.iterdir():
        if file.is_file() and file.name != "index.html":
            shutil.copyfile(file, folder / file.name)
    if "draw" in pages:
        shutil.copytree(STUDIO / "templates", folder / "templates")


def _module(name: str) -> Path:
    """Return a module of the page; its own one goes before the studio's."""
    own = OWN / "js" / name
    return own if own.is_file() else STUDIO / "js" / name


def _closure(names: Iterable[str]) -> set[str]:
    """Return modules with all that they import."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _IMPORT.findall(_module(name).read_text(encoding="utf-8"))
    return found


def _licences(package: Path) -> list[Path]:
    """Return the files that say whose onnxruntime is; the npm package names its licence, the Python package has it."""
    import onnxruntime

    texts = Path(onnxruntime.__file__).parent
    files = [package / "package.json", package / "README.md", texts / "LICENSE", texts / "ThirdPartyNotices.txt"]
    return [file for file in files if file.is_file()]


def _write_index(folder: Path, title: str) -> None:
    page = string.Template((OWN / "index.html").read_text(encoding="utf-8"))
    text = page.substitute(title=html.escape(title), description=html.escape(f"{title}: a model in your browser."))
    (folder / "index.html").write_text(text, encoding="utf-8")
