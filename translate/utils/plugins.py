"""Tables of names to choose from, and plugins: users' own modules that add tasks, networks, losses and recipes.

A plugin registers its names (`TASKS.register`, `GENERATORS.register` ...); its recipes are the TOML files in the folder
`configs` beside its module. It is loaded where the user names it (`load_plugin`, --plugin). An installed package may
announce one as an entry point of the group "translate.plugins", which is loaded as soon as a name is unknown or all
names are listed. Nothing is loaded because a file names it.
"""

__all__ = [
    "BUILT_IN", "PLUGIN_HINT", "Registry", "load_installed_plugins", "load_plugin", "named_plugins", "presets",
    "read_recipe", "recipe_file", "recipes",
]  # fmt: skip

import functools
import importlib
import importlib.util
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, TypeVar, overload

from translate.utils.errors import OptionError, UserError, did_you_mean, short_reason
from translate.utils.package_data import package_folder
from translate.utils.program import is_secondary_process
from translate.utils.terminal import say
from translate.utils.toml_files import read_toml

GROUP = "translate.plugins"
PLUGIN_HINT = "give the plugin that has it: --plugin X"
T = TypeVar("T")
V = TypeVar("V")


class Origin(NamedTuple):
    """Where a name comes from."""

    place: str  # file or module, to find it
    plugin: str  # name of the plugin without its folder: for model files, which are shared


BUILT_IN = Origin("image-translate itself", "")


class _State:
    """What has been loaded in this process."""

    named: dict[str, None] = {}  # plugins that were named, in order: absolute paths, and modules
    searched = False  # whether the installed plugins have been loaded
    label = ""  # of the plugin that is being loaded
    added: list[tuple["Registry", str]] | None = None  # what it has registered so far


class Registry(MutableMapping[str, T]):
    """Classes or functions by name, its own and those of other registries.

    Installed plugins are loaded before a name is given up, and before all names are listed.
    """

    def __init__(
        self, what: str, values: Mapping[str, T], *others: "Registry[T]", check: Callable[[Any], str] = lambda _: ""
    ) -> None:
        """Set the built-in names.

        Args:
            what: a name stands for, such as "generator".
            values: what is built in.
            others: registries whose names are valid here as well.
            check: returns what is wrong with a value to register, or "".
        """
        self.what, self.check = what, check
        self._own, self._others, self._origins = dict(values), others, dict[str, Origin]()
        self._views: list[Registry] = []  # that include this registry
        for other in others:
            other._views.append(self)

    def __getitem__(self, name: str) -> T:
        home = self._home(name)
        if home is None:
            load_installed_plugins()
            home = self._home(name)
        if home is None:
            raise KeyError(name)
        return home._own[name]

    def __setitem__(self, name: str, value: T) -> None:
        """Set a name of its own, unchecked; `register` is for plugins."""
        self._own[name] = value

    def __delitem__(self, name: str) -> None:
        """Remove a name of its own."""
        del self._own[name]
        self._origins.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        load_installed_plugins()
        return iter(self.loaded())

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def loaded(self) -> dict[str, T]:
        """Return what is known so far, without a search for installed plugins."""
        return {name: value for part in self._parts() for name, value in part._own.items()}

    def origin(self, name: str) -> Origin:
        """Return where a name comes from; raise KeyError if it is unknown."""
        home = self._home(name)
        if home is None:
            raise KeyError(name)
        return home._origins.get(name, BUILT_IN)

    @overload
    def register(self, name: str) -> Callable[[V], V]: ...
    @overload
    def register(self, name: str, value: V) -> V: ...
    def register(self, name: str, value: Any = None) -> Any:
        """Add `value` under `name`, or return a decorator that adds the class or function below it.

        A file or a notebook may register its names again.

        Raises:
            UserError: the name is taken, or is no word of letters, digits, "_" and "-"; the value does not fit.
        """
        scope = sys._getframe(1).f_globals
        place = str(scope.get("__file__") or scope["__name__"])

        def add(value: V) -> V:
            self.add(name, value, place)
            return value

        return add if value is None else add(value)

    def add(self, name: str, value: Any, place: str) -> None:
        """Add `value`, which is defined in the file or module `place`; raise UserError as `register`."""
        if not re.fullmatch(r"\w[\w-]*", name):
            raise UserError(f"{self.what} {name!r}: a name has letters, digits, _ and -")
        if wrong := self.check(value):
            raise UserError(f"{self.what} {name!r}: {wrong}")
        for registry in self._family():
            if registry._home(name) is None:
                continue
            earlier = registry.origin(name).place
            if earlier != place or (self, name) in (_State.added or ()):
                raise UserError(f"{self.what} {name!r} of {place} exists already, in {earlier}; choose another name")
        self[name] = value
        self._origins[name] = Origin(place, _State.label or Path(place).name)
        if _State.added is not None:
            _State.added.append((self, name))

    def _home(self, name: str) -> "Registry[T] | None":
        """Return the registry, itself or another, whose own name it is."""
        return next((part for part in self._parts() if name in part._own), None)

    def _parts(self) -> Iterator["Registry[T]"]:
        """Yield the registry, and all that it includes."""
        yield self
        for other in self._others:
            yield from other._parts()

    def _family(self) -> Iterator["Registry"]:
        """Yield the registry, and all that include it."""
        yield self
        for view in self._views:
            yield from view._family()


# ---- loading


def load_plugin(source: str | Path) -> None:
    """Load a plugin: its tasks, networks, losses and recipes can then be chosen by name.

    Args:
        source: path of a .py file, or name of a module, installed or in the current folder.

    Raises:
        OptionError: there is no such file or module, it fails, or a name of it is taken; then nothing of it stays.
    """
    source = str(source)
    path = Path(source).expanduser()
    is_path = source.endswith(".py") or path.name != source
    if is_path and not path.is_file():
        raise OptionError(f"plugin {source}: no such file; a plugin is a .py file, or the name of a module")
    name = str(path.resolve()) if is_path else source
    if name not in _State.named:
        folder = str(path.resolve().parent if is_path else Path.cwd())
        if folder not in sys.path:
            sys.path.append(folder)  # its neighbours; the last place, so that they hide no installed module
        _load(source, path.name, _import_file if is_path else importlib.import_module, name)
        _State.named[name] = None


def load_installed_plugins() -> None:
    """Load the plugins that installed packages announce, once; print a line on each that is broken."""
    if _State.searched:
        return
    _State.searched = True
    for entry in entry_points(group=GROUP):
        package = entry.dist.name if entry.dist else "an unknown package"
        try:
            _load(f"{entry.name!r} of the package {package}", entry.module, importlib.import_module, entry.module)
        except UserError as error:
            if not is_secondary_process():
                say(f"{error}; it is left out", sys.stderr)


def named_plugins() -> tuple[str, ...]:
    """Return the plugins that were named in this process: absolute paths of files, and modules."""
    return tuple(_State.named)


def _load(source: str, label: str, load: Callable[[str], ModuleType], name: str) -> None:
    """Load a plugin by `load(name)`, and its recipes, or nothing of it; raise OptionError as `load_plugin`."""
    outer = _State.label, _State.added  # of a plugin that needs a name of another
    added: list[tuple[Registry, str]] = []
    _State.label, _State.added = label, added
    try:
        known = set(sys.modules)
        module = load(name)
        _add_recipes(module)
        if not added and module.__name__ not in known:
            del sys.modules[module.__name__]  # to be imported again once it is mended
            raise UserError("it registers no task, network, loss or recipe")
    except (Exception, SystemExit) as error:
        for registry, one in added:
            del registry[one]
        raise OptionError(f"plugin {source}: cannot be loaded ({_describe(error, source)})") from None
    finally:
        _State.label, _State.added = outer


def _import_file(path: str) -> ModuleType:
    """Import a file under a name of its own, unless a module of this file is loaded already."""
    for module in list(sys.modules.values()):
        if getattr(module, "__file__", None) == path and module.__name__ != "__main__":
            return module
    name = f"plugin_{Path(path).stem}"
    while name in sys.modules:
        name += "_"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec and spec.loader
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _describe(error: BaseException, source: str) -> str:
    """Return what went wrong in a plugin, and in which line."""
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, ModuleNotFoundError) and error.name == source:
        return "no such module, installed or in the current folder"
    calls = [f for f in traceback.extract_tb(error.__traceback__) if f.filename not in (__file__, importlib.__file__)]
    place = next((f", {Path(f.filename).name} line {f.lineno}" for f in calls if not f.filename.startswith("<")), "")
    return f"{type(error).__name__}: {short_reason(error)}{place}"


# ---- recipes


@functools.cache
def recipes() -> Registry[Path]:
    """Return all recipes by name, TASK_PRESET; raise UserError if the installation lacks them."""
    return Registry("recipe", {file.stem: file for file in package_folder("configs").glob("*.toml")})


def _add_recipes(module: ModuleType) -> None:
    """Add the recipes beside a plugin; in a checkout these may be the built-in ones."""
    path = getattr(module, "__file__", None)
    for file in sorted((Path(path).resolve().parent / "configs").glob("*.toml")) if path else ():
        if recipes().loaded().get(file.stem) != file:
            recipes().add(file.stem, file, str(file))


def presets(task: str) -> dict[str, Path]:
    """Return the recipes of a task by preset, without searching installed plugins for more if some are known."""

    def known() -> dict[str, Path]:
        parts = {name.rpartition("_")[::2]: file for name, file in sorted(recipes().loaded().items())}
        return {preset: file for (owner, preset), file in parts.items() if owner == task}

    if not known():
        load_installed_plugins()
    return known()


def read_recipe(file: Path) -> dict[str, Any]:
    """Read a recipe; one with `recipe = NAME` takes what it does not say itself from the recipe of that name."""
    own = read_toml(file)
    base = own.pop("recipe", "")
    return {**read_recipe(recipes()[base]), **own} if base else own


def recipe_file(task: str, preset: str) -> Path:
    """Return the recipe of a task; raise OptionError if the task has none, or none of this name."""
    if (name := f"{task}_{preset}") in recipes():
        return recipes()[name]
    if task in recipes():  # a variant, for which a recipe of another task is named
        owner, _, variant = task.rpartition("_")
        raise OptionError(f"the task {task!r} is a preset: say --task {owner} --preset {variant}")
    if known := presets(task):
        raise OptionError(f"unknown preset {preset!r}{did_you_mean(preset, known)}")
    raise OptionError(f"task {task!r} has no recipe; write configs/{name}.toml beside its plugin")
