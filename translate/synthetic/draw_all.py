"""Draw many pictures into a folder on all cores, all or nothing.

The pictures go to a hidden folder beside the target, which is renamed after the last one, so that an interrupted render
is never mistaken for a complete one.
"""

__all__ = ["Job", "draw_all"]

import multiprocessing
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2

from translate.synthetic.arrays import Picture
from translate.utils.errors import UserError
from translate.utils.progress import progress_bar

PNG_LEVEL = 1  # of 9: film grain hardly compresses, and 9 takes five times as long


@dataclass(frozen=True)
class Job:
    """One scene: `draw(seed, size)` returns one picture for each of `files`: RGB (size, size, 3) or gray (size, size).

    Instead of a picture, it may return text, such as a table of factors, which is written unchanged.

    Attributes:
        draw: an importable function, which can be sent to a worker process.
        seed: unique to the scene.
        size: edge of the pictures, px.
        files: paths relative to the target folder.
    """

    draw: Callable[[tuple[int, ...], int], Sequence[Picture | str]]
    seed: tuple[int, ...]
    size: int
    files: tuple[str, ...]


def draw_all(jobs: Sequence[Job], target: Path, *, workers: int | None, progress: bool, label: str) -> None:
    """Draw `jobs` into the new folder `target`.

    Args:
        jobs: the scenes.
        target: the folder to create; it must be missing or empty.
        workers: number of processes; None: one per available core; 1: draw in this process.
        progress: show a bar on stderr.
        label: of the bar.

    Raises:
        UserError: the folder exists or cannot be written, the disk is full, or a worker died.
    """
    workers = workers or _available_cores()
    try:
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise UserError(f"{target} exists already; remove it to render it again, or name another folder")
        with _new_folder(target) as folder:
            for parent in {(folder / file).parent for job in jobs for file in job.files}:
                parent.mkdir(parents=True, exist_ok=True)
            with progress_bar(label, len(jobs), progress) as bar:
                for _ in _run(jobs, folder, min(workers, len(jobs))):
                    bar.advance()
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(f"cannot write {target}: {reason}; free some space or choose another folder") from error
    except BrokenProcessPool as error:
        raise UserError(
            "a rendering worker died: out of memory, or called from a script without "
            "`if __name__ == '__main__':`; fewer workers help with the first"
        ) from error


def _available_cores() -> int:
    if hasattr(os, "sched_getaffinity"):  # a container may own fewer cores than the machine has
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def _new_folder(target: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `target`; rename it to `target` at the end, or remove it on an error."""
    target.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.part-", dir=target.parent))
    try:
        yield folder
        folder.chmod(0o755)  # mkdtemp makes folders private
        folder.replace(target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(jobs: Sequence[Job], folder: Path, workers: int) -> Iterator[None]:
    """Draw the jobs in any order; yield after each."""
    if workers <= 1:
        threads = cv2.getNumThreads()
        cv2.setNumThreads(1)
        try:
            for job in jobs:
                _draw(job, folder)
                yield
        finally:
            cv2.setNumThreads(threads)
        return
    # spawn, because the fork of a process with torch or OpenCV threads can hang
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker)
    try:
        for done in as_completed([pool.submit(_draw, job, folder) for job in jobs]):
            done.result()
            yield
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _start_worker() -> None:
    """Use one thread, leave Ctrl-C to the parent process, and exit with it."""
    cv2.setNumThreads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_exit_with_parent, daemon=True).start()


def _exit_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _draw(job: Job, folder: Path) -> None:
    for file, picture in zip(job.files, job.draw(job.seed, job.size), strict=True):
        if isinstance(picture, str):
            (folder / file).write_text(picture, encoding="utf-8")
            continue
        stored = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR) if picture.ndim == 3 else picture
        _, png = cv2.imencode(".png", stored, [cv2.IMWRITE_PNG_COMPRESSION, PNG_LEVEL])
        (folder / file).write_bytes(png.tobytes())
