"""The pending jobs of a folder, and the reading of their files."""

__all__ = ["JobReader", "PendingJobs"]

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from translate.data.files.companions import Companions
from translate.data.files.counted import Counted
from translate.data.files.ledger import Ledger
from translate.data.files.worklist import Job, Survey, Worklist
from translate.data.loading.file_kind import UsedRange
from translate.data.sources.mask_files import MaskFiles, inspect_masks, read_mask
from translate.images.io import read_picture
from translate.images.picture import Picture
from translate.inference.inputs.masks import resize_mask
from translate.inference.options import FolderOptions
from translate.inference.request import Conditioning
from translate.inference.translator import Translator
from translate.utils.errors import UserError
from translate.utils.files import remove_stale_temporaries

if TYPE_CHECKING:
    from translate.inference.gigapixel import HugePicture

MASK_SAMPLE_COUNT = 300  # masks read to decide which colour is the hole: enough for a majority, quick in any folder
MAX_CACHED_FOLDERS = 1024  # cleaned folders to remember; jobs come folder by folder, so few are needed


class PendingJobs:
    """The jobs of a worklist that are not done yet."""

    def __init__(self, worklist: Worklist, ledger: Ledger | None) -> None:
        """Compare the jobs with the `ledger` of the output folder; None: all are pending."""
        self._worklist, self._ledger, self._leftovers = worklist, ledger, Counted()

    def jobs(self, skip: Callable[[], None], fail: Callable[[Job, Exception], None]) -> Iterator[Job]:
        """Yield pending jobs, and remove the temporary files of killed runs.

        `skip` is called for each finished job, `fail` for each whose result must not be overwritten unasked.
        """
        clean = lru_cache(maxsize=MAX_CACHED_FOLDERS)(remove_stale_temporaries)
        clean(self._worklist.folder)
        for job in self._worklist:
            clean(job.target.parent)
            if self._ledger is None:
                yield job
                continue
            for path in self._worklist.leftovers(job):
                self._leftovers.add(path.name)
            judgement = self._ledger.judge(job)
            if judgement.done:
                self._ledger.skip(judgement)
                skip()
            elif judgement.conflict:
                fail(job, UserError(f"{judgement.conflict}; move it away, or say --overwrite"))
            else:
                yield job

    def notes(self) -> list[str]:
        """Return a line for the report if results of another --count lie beside those of this run."""
        count, place = self._leftovers.count, self._worklist.output
        what = "1 file is" if count == 1 else f"{count} files are"
        return [f"{place}: {what} not of this run but of another --count: {self._leftovers}"] if count else []


class JobReader:
    """Reads the picture of a job, and the hints or the hole."""

    def __init__(self, translator: Translator, options: FolderOptions, layers: Companions | None) -> None:
        """Decide which colour is the hole, on a sample that is evenly spread over all masks of `layers`."""
        self._translator, self._resize = translator, options.resize_masks
        self._masks: MaskFiles | None = None
        self._notes: list[str] = []
        self._range = UsedRange()
        if options.masks and layers:
            source = layers.source
            count = sum(1 for _ in source.walk())
            sample = [source.path(name) for name in islice(source.walk(), 0, None, -(-count // MASK_SAMPLE_COUNT))]
            self._masks = inspect_masks(sample, invert=options.invert_masks)
            if len(sample) < count:
                self._notes = [f"masks: {len(sample)} of {count} were looked at, evenly spread"]
            self._notes += self._masks.notes

    def __call__(self, job: Job) -> "tuple[Picture | HugePicture, Conditioning | None]":
        """Return the picture, and the hints or the hole; a picture that is too large for the memory is not decoded."""
        picture, layer = self._read(job)
        if isinstance(picture, Picture):
            self._range.add(picture.pixels)
        return picture, layer

    def _read(self, job: Job) -> "tuple[Picture | HugePicture, Conditioning | None]":
        if job.layer is None:
            return self._open_huge(job) or read_picture(job.path, self._translator.values), None
        picture = read_picture(job.path, self._translator.values)
        if self._masks is None:
            return picture, (read_picture(job.layer), str(job.layer))
        hole, _ = read_mask(job.layer, white_is_hole=self._masks.white_is_hole)
        if self._resize:
            hole = resize_mask(hole, picture.pixels.shape[:2])
        return picture, (hole, str(job.layer))

    def _open_huge(self, job: Job) -> "HugePicture | None":
        runner = self._translator.runner
        if not runner.can_stream:
            return None
        from translate.inference.gigapixel import open_huge

        return open_huge(job.path, runner.memory.free_budget(), self._translator.values, runner.scale)

    @property
    def white_is_hole(self) -> bool | None:
        """Whether white is the hole in the masks; None without masks."""
        return self._masks.white_is_hole if self._masks else None

    def notes(self, survey: Survey, worklist: Worklist) -> list[str]:
        """Return a line for each peculiarity of the pictures and masks, and on changes of known pixels."""
        notes = [*self._notes, *self._range.notes()]
        if self._masks and (unused := worklist.strays()).count:
            notes.append(f"masks: {unused.count} belong to no picture: {unused}")
        if self._translator.masked and survey.lossy.count:
            reason = "compressed anew, so known pixels change slightly; those of PNG and TIFF files stay bit for bit"
            notes.append(f"{survey.lossy}: {reason}")
        return notes
