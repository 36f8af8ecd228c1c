"""Hints or masks of pictures, found by name, one picture at a time."""

__all__ = ["Companions"]

from collections.abc import Callable
from pathlib import Path

from translate.data.files.counted import Counted
from translate.data.files.find import no_picture_error, open_images
from translate.data.files.walk import Stems, join_name
from translate.utils.errors import UserError


class Companions:
    """The hints or the masks of a run.

    Attributes:
        spec: a folder, a pattern or a list of files; or one file for all pictures.
        kind: the word for one file in error messages.
        masks: whether the files are masks; the mask of NAME may also be called NAME_mask or mask_NAME.
        source: all files.
        one: the one file for all pictures, or None.
    """

    def __init__(self, spec: str | Path, *, masks: bool) -> None:
        """Open the files; raise UserError if there are none."""
        self.spec, self.masks, self.source = str(spec), masks, open_images(str(spec))
        self.kind = "mask" if masks else "layer of hints"
        self._forms = ("{}", "{}_mask", "mask_{}") if masks else ("{}",)
        names = self.source.walk()
        first, second = next(names, None), next(names, None)
        if first is None:
            raise no_picture_error(self.spec)
        self._root = self.source.root.resolve()
        is_one = second is None and Path(self.spec).expanduser().is_file()
        self.one = self.source.path(first) if is_one else None

    def of(self, name: str) -> Path | None:
        """Return the file for the picture `name`, with any suffix, or None; raise UserError if there are two."""
        if self.one:
            return self.one
        folder, _, own = name.rpartition("/")
        stems, stem = self.source.stems(folder), own.rpartition(".")[0]
        for form in self._forms:
            if files := stems.get(form.format(stem)):
                paths = [self.source.path(join_name(folder, file)) for file in files]
                if len(paths) > 1:
                    raise UserError(f"{paths[1]}: has the name of {paths[0]}; keep one {self.kind} for a picture")
                return paths[0]
        return None

    def place_of(self, name: str) -> Path:
        """Return the path of the file that the picture `name` is expected to have."""
        return (self.source.root / name).with_suffix(".png")

    def has(self, path: Path) -> bool:
        """Whether a file, given by its path without links, is one of the hints or masks."""
        if not path.is_relative_to(self._root):
            return False
        folder = path.parent.relative_to(self._root).as_posix()
        return path.name in self.source.stems("" if folder == "." else folder).get(path.name.rpartition(".")[0], ())

    def strays(self, pictures: Callable[[str], Stems]) -> Counted:
        """Count the files that belong to no picture; `pictures` is `PictureTree.stems` of the pictures."""
        strays = Counted()
        for name in () if self.one else self.source.walk():
            folder, _, own = name.rpartition("/")
            stem, stems = own.rpartition(".")[0], pictures(folder)
            wanted = {stem} | ({stem.removesuffix("_mask"), stem.removeprefix("mask_")} if self.masks else set())
            path = self.source.path(name)
            names = (file for one in wanted for file in stems.get(one, ()))
            if not any(self.of(join_name(folder, file)) == path for file in names):
                strays.add(path)
        return strays

    def folder(self) -> Path | None:
        """Return the folder or the one file that `spec` names; None for a pattern or a list."""
        path = Path(self.spec).expanduser()
        return path if self.one or path.is_dir() else None
