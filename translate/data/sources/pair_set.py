"""The pairs of a run, source first: to train on, held out, and with known right answers."""

__all__ = ["PairSet", "few_pairs_file_sets", "parts_map", "resolve_pairs", "right_answers"]

from dataclasses import dataclass, replace
from pathlib import Path

from translate.data.catalog import catalog
from translate.data.files.csv_tables import is_table
from translate.data.files.naming import catalog_names, catalog_set, is_bare_name, name_of
from translate.data.files.splits import choose_held_out
from translate.data.files.walk import explain_os_errors
from translate.data.sources.domains import FileSet, check_given, find_domains
from translate.data.sources.pair import Pair
from translate.data.sources.pair_layouts import find_pairs, matched_pairs
from translate.data.sources.pair_table import read_pair_table
from translate.utils.errors import OptionError, UserError
from translate.utils.program import command_form


@dataclass(frozen=True)
class PairSet:
    """Pairs of pictures, in the direction of the run."""

    names: tuple[str, str]  # of the source and the target domain, which file names can contain
    title: str  # names the run: "sketch2shoe", "maps", "maps_ba", "sketches2photos"
    train: list[Pair]
    test: list[Pair]  # held out
    truth: Path | None = None  # folder of further right answers to the test pictures, <name>.png or <name>/<number>.png
    direction: str = "ab"  # "ba": each pair is reversed
    notes: tuple[str, ...] = ()  # for the user, a line each

    def stem(self, pair: Pair) -> str:
        """Return the stem of a pair's first picture, before any reversal: its pairs are of one half."""
        return (pair.b if self.direction == "ba" else pair.a).stem

    def file_sets(self) -> list[FileSet]:
        """Return the files of each domain and split, sources first; combined pairs are one domain."""
        sets = []
        for split, pairs in (("train", self.train), ("test", self.test)):
            sources = [pair.a for pair in pairs]
            if pairs and pairs[0].combined:
                sets.append(FileSet(self.title, "", split, sources))
            else:
                sets.append(FileSet(self.names[0], "a", split, sources))
                sets.append(FileSet(self.names[1], "b", split, [pair.b for pair in pairs]))
        return sets


def resolve_pairs(a: str, b: str, data: str, root: Path, direction: str = "ab", *, flag: str = "--data") -> PairSet:
    """Return the pairs that `--a` and `--b`, or `--data`, name.

    Args:
        a: Folder, glob pattern, list file or catalog domain of the first side.
        b: The same of the second side, matched by name.
        data: Instead of both, a folder (see `find_pairs`), a CSV file (see `read_pair_table`) or a data set's name.
        root: Where data sets of the catalog are prepared on first use.
        direction: "ab" or "ba": which side is the source.
        flag: the option that gives `data`, for messages.

    Raises:
        OptionError: the direction is wrong, too few or too many of the first three are given, or a set has no pairs.
        UserError: something named does not exist or cannot be prepared, or names do not match.
    """
    if direction not in ("ab", "ba"):
        raise OptionError(f"--direction is {direction!r}; it should be ab (from A to B) or ba (from B to A)")
    check_given(a, b, data)
    with explain_os_errors(data or f"{a} or {b}"):
        if data:
            pairs, truths = _find_in_root(data, root, flag)
            reverse_title = f"{pairs.title}_ba"
        else:
            pairs, truths = _match_domains(a, b, root)
            reverse_title = "2".join(pairs.names[::-1])
    pairs = _hold_out(pairs)
    if direction == "ab":
        return replace(pairs, truth=truths[0])
    train, test = ([pair.reverse() for pair in part] for part in (pairs.train, pairs.test))
    return PairSet((pairs.names[1], pairs.names[0]), reverse_title, train, test, truths[1], direction)


def few_pairs_file_sets(pairs: PairSet) -> list[FileSet]:
    """Return the files of pairs that stand beside two domains, titled as such; combined pairs have no sides."""
    return [
        one._replace(title=f"--pairs, side {one.side.upper()}" if one.side else "--pairs") for one in pairs.file_sets()
    ]


def right_answers(pairs: PairSet, name: str) -> list[Path]:
    """Return the files of the known right answers to the test picture `name`."""
    if pairs.truth is None:
        return []
    answers = [path for path in (pairs.truth / name).glob("*.png") if path.stem.isdecimal()]
    single = pairs.truth / f"{name}.png"
    return sorted(answers, key=lambda path: int(path.stem)) or [single] * single.is_file()


def parts_map(pairs: PairSet, name: str) -> Path | None:
    """Return the gray index map of the parts whose colour is free in the test picture `name`; 0 is no part."""
    path = pairs.truth.parent / "parts" / f"{name}.png" if pairs.truth else None
    return path if path and path.is_file() else None


def _find_in_root(data: str, root: Path, flag: str) -> tuple[PairSet, list[Path | None]]:
    """Return the pairs of a folder, CSV file or data set, and the folder of right answers of each side."""
    path = Path(data).expanduser()
    if not path.exists() and is_bare_name(data) and not path.suffix:
        _refuse_unpaired(data)
        path = catalog.prepare(data, root)
    if path.is_file() and is_table(path):
        train, test = read_pair_table(path)
    elif path.is_dir():
        if dataset := catalog_set(path, root):
            _refuse_unpaired(dataset.name)
        train, test = find_pairs(path)
    else:
        raise UserError(f"{flag} {data!r} is neither a folder nor a CSV file of pairs nor a data set's name")
    base, known = name_of(path, root), catalog_names(path, root)
    names = (known.get("A", f"{base}A"), known.get("B", f"{base}B"))
    truths = (path / "truth" / side for side in "AB")
    return PairSet(names, base, train, test), [truth if truth.is_dir() else None for truth in truths]


def _match_domains(a: str, b: str, root: Path) -> tuple[PairSet, list[Path | None]]:
    """Return the pairs of two domains, with test pairs if both have a test folder, as `_find_in_root` does."""
    first, second = find_domains(a, b, root)
    for domain in (first, second):
        if dataset := catalog_set(domain.train[0].parent.parent, root):
            _refuse_unpaired(dataset.name)
    train = matched_pairs(first.train, second.train)
    test = matched_pairs(first.test, second.test) if first.test and second.test else []
    names = (first.name, second.name)
    return PairSet(names, "2".join(names), train, test), [first.truth, second.truth]


def _refuse_unpaired(name: str) -> None:
    catalog.refuse_single(name)
    dataset = catalog.load_catalog().get(name)
    if dataset and dataset.kind == "unpaired":
        raise OptionError(
            f"the pictures of {name!r} are no pairs; train on them with {command_form('train-cycle')} --data {name}"
        )


def _hold_out(pairs: PairSet) -> PairSet:
    """Hold out some training pairs if there are no test pairs; all pairs of one source stay together."""
    if pairs.test:
        return pairs
    sources = choose_held_out({pair.a for pair in pairs.train}, lambda path: path.stem)
    train = [pair for pair in pairs.train if pair.a not in sources]
    return replace(pairs, train=train, test=[pair for pair in pairs.train if pair.a in sources])
