"""The models of a studio: found under the roots, named as their folders, loaded when they are needed."""

__all__ = ["Shelf"]

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from translate.checkpoints.description import describe
from translate.checkpoints.hub.name import is_hub_name, parse_hub_name
from translate.checkpoints.model_file import model_file, read_recipe
from translate.checkpoints.recipe import Recipe
from translate.inference.sampler import Sampler
from translate.inference.translator import Translator
from translate.studio.errors import UnknownModelError
from translate.studio.settings import Settings
from translate.tasks import TASKS
from translate.utils.errors import OptionError, UserError, close_match, shorten

Version = tuple[int, int, int]  # inode, size and time of change of a model file, which a new training replaces
MODEL = "model.safetensors"  # in a run folder


@dataclass(frozen=True)
class Loaded:
    """A model in memory."""

    model: Any  # a Translator or a Sampler
    version: Version


class Shelf:
    """The models that a studio may use; nothing else of the disk can be named."""

    def __init__(self, settings: Settings) -> None:
        """Find the models that `settings` name; raise UserError if one is missing, or OptionError for equal names."""
        self.settings, self._named = settings, _name_models(settings.models)
        self._loaded: OrderedDict[str, Loaded] = OrderedDict()  # the model used last at the end
        self._recipes: dict[Path, tuple[Version, Recipe]] = {}
        self._lock, self._loading = threading.Lock(), threading.Lock()

    # ---- names

    def files(self) -> dict[str, Path]:
        """Return the model file of every name; a link that leads out of its root is no model."""
        found = dict(self._named)
        for root in self.settings.roots:
            real = root.resolve()
            for file in sorted(root.glob(f"*/{MODEL}")):
                if file.resolve().is_relative_to(real) and file.is_file():
                    found.setdefault(file.parent.name, file)
        return found

    def file(self, name: str) -> Path:
        """Return the model file of a name; raise UnknownModelError if there is none."""
        files = self.files()
        if not name and len(files) == 1:
            return next(iter(files.values()))
        if not name:
            raise UnknownModelError("no model is named; choose one of GET /api/models")
        if name not in files:
            hint = close_match(name, files) or "; GET /api/models lists them"
            raise UnknownModelError(f"there is no model {shorten(name)!r}{hint}")
        return files[name]

    # ---- models

    def translator(self, name: str) -> Translator:
        """Return a model that translates or fills, loaded; raise OptionError for a model of another kind."""
        model = self.load(name)
        if not isinstance(model, Translator):
            raise OptionError(f"the model {name!r} makes pictures of its own; use /api/sample")
        return model

    def sampler(self, name: str) -> Sampler:
        """Return a model that makes pictures, loaded; raise OptionError for a model of another kind."""
        model = self.load(name)
        if not isinstance(model, Sampler):
            raise OptionError(f"the model {name!r} makes no pictures of its own; use /api/translate")
        return model

    def load(self, name: str) -> Any:
        """Return a model, loaded now if it is not in memory, or anew if its file was replaced."""
        file = self.file(name)
        with self._loading:  # one at a time: each takes all cores
            version = _version(file)
            kept = self._loaded.get(str(file))
            if kept is None or kept.version != version:
                kept = self._load_anew(file, version, kept)
            with self._lock:
                self._loaded[str(file)] = kept
                self._loaded.move_to_end(str(file))
                while len(self._loaded) > self.settings.max_loaded:
                    self._loaded.popitem(last=False)
        return kept.model

    def _load_anew(self, file: Path, version: Version, kept: Loaded | None) -> Loaded:
        """Load a model; if that fails, go on with the one that is in memory."""
        try:
            return Loaded(self._read(file), version)
        except UserError:
            if kept is None:
                raise
            return Loaded(kept.model, version)

    def _read(self, file: Path) -> Any:
        options = self.settings
        if TASKS[self.recipe(file).task].data == "images":
            return Sampler.load(file, options.device, options.precision)
        return Translator.load(file, options.device, options.precision, options.memory)

    @property
    def loaded(self) -> int:
        """Number of models in memory."""
        return len(self._loaded)

    # ---- descriptions

    def recipe(self, file: Path) -> Recipe:
        """Return the recipe of a model file, read anew if the file was replaced."""
        version = _version(file)
        known = self._recipes.get(file)
        if known is None or known[0] != version:
            known = self._recipes[file] = version, read_recipe(file)
        return known[1]

    def describe(self) -> list[dict[str, Any]]:
        """Return what the page needs to know of every model; one that cannot be read has an "error"."""
        return [self._describe(name, file) for name, file in self.files().items()]

    def _describe(self, name: str, file: Path) -> dict[str, Any]:
        try:
            recipe = self.recipe(file)
            updated = file.stat().st_mtime
        except (UserError, OSError) as error:
            return {"name": name, "error": str(error).removeprefix(f"{file}: "), "pages": []}
        return {"name": name, **describe(recipe), "updated": updated}


def _name_models(paths: Iterable[Path]) -> dict[str, Path]:
    """Return the model file of each path, named as its folder, or as itself if it is not called like all of them."""
    found: dict[str, Path] = {}
    for path in paths:
        file = model_file(path)
        name = file.parent.resolve().name if file.name == MODEL else file.stem
        if is_hub_name(path):
            name = parse_hub_name(path).repo.rpartition("/")[2]
        if name in found:
            raise OptionError(f"{file} and {found[name]} are both called {name!r}; rename a folder")
        found[name] = file
    return found


def _version(file: Path) -> Version:
    try:
        status = file.stat()
    except OSError:
        raise UnknownModelError(f"the model {file.parent.name!r} is gone; GET /api/models lists the others") from None
    return status.st_ino, status.st_size, status.st_mtime_ns
