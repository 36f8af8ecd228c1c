"""Files that belong to the picture of their name: layers of hints, or masks; looked up at its turn."""

__all__ = ["Companions"]

from collections.abc import Callable, Iterator
from pathlib import Path

from translate.data.files.find import nothing_in, open_images
from translate.data.files.walk import PictureTree, Stems, joined
from translate.utils.errors import UserError


class Companions:
    """The hints or the masks of a run.

    Attributes:
        spec: a folder, a pattern, a list; or one file for all pictures.
        kind: how errors call one.
        masks: whether they are masks: that of NAME may then also be called NAME_mask or mask_NAME.
        source: all of them.
        one: the file that is for all pictures, if it is so.
    """

    def __init__(self, spec: str | Path, *, masks: bool) -> None:
        """Find them.

        Raises:
            UserError: there are none.
        """
        self.spec, self.masks = str(spec), masks
        self.kind = "mask" if masks else "layer of hints"
        self._forms = ("{}", "{}_mask", "mask_{}") if masks else ("{}",)
        self.source: PictureTree = open_images(self.spec)
        names = self.source.walk()
        first, second = next(names, None), next(names, None)
        if first is None:
            raise nothing_in(self.spec)
        self._root = self.source.root.resolve()
        alone = second is None and Path(self.spec).expanduser().is_file()
        self.one = self.source.path(first) if alone else None

    def of(self, name: str) -> Path | None:
        """Return the file of the picture `name`: in the same sub-folder, whatever the suffix; or the one for all.

        Raises:
            UserError: two files have that name.
        """
        if self.one:
            return self.one
        folder, _, own = name.rpartition("/")
        stems, stem = self.source.stems(folder), own.rpartition(".")[0]
        for form in self._forms:
            if found := stems.get(form.format(stem)):
                paths = [self.source.path(joined(folder, file)) for file in found]
                if len(paths) > 1:
                    raise UserError(f"{paths[1]}: has the name of {paths[0]}; keep one {self.kind} for a picture")
                return paths[0]
        return None

    def place_of(self, name: str) -> Path:
        """Return where the file of the picture `name` would be looked for first."""
        return (self.source.root / name).with_suffix(".png")

    def has(self, path: Path) -> bool:
        """Whether a file, links followed, is one of these."""
        if not path.is_relative_to(self._root):
            return False
        folder = path.parent.relative_to(self._root).as_posix()
        return path.name in self.source.stems("" if folder == "." else folder).get(path.name.rpartition(".")[0], ())

    def strays(self, pictures: Callable[[str], Stems]) -> Iterator[Path]:
        """Yield the files that belong to no picture; `pictures` gives those of a folder, as `Source.stems`."""
        if self.one:
            return
        for name in self.source.walk():
            folder, _, own = name.rpartition("/")
            stem, stems = own.rpartition(".")[0], pictures(folder)
            wanted = {stem} | ({stem.removesuffix("_mask"), stem.removeprefix("mask_")} if self.masks else set())
            path = self.source.path(name)
            names = (file for one in wanted for file in stems.get(one, ()))
            if not any(self.of(joined(folder, file)) == path for file in names):
                yield path

    def folder(self) -> Path | None:
        """Return the folder that they are all in as far as the user knows, or the one file; None: a pattern or list."""
        path = Path(self.spec).expanduser()
        return path if self.one or path.is_dir() else None
