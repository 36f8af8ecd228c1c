"""Trainings: runs that are watched, started, stopped and resumed, and the folders of pictures that they learn from."""

__all__ = ["router"]

from dataclasses import asdict
from pathlib import Path
from shlex import join
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, UploadFile
from fastapi.responses import FileResponse
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from translate.data.catalog.root import data_root
from translate.studio.settings import Settings
from translate.studio.state import Studio, studio_of
from translate.studio.training.check import run_check
from translate.studio.training.folders import list_folder, unpack_upload
from translate.studio.training.form import build_config, check_arguments, describe_form
from translate.studio.training.runs import describe_run, find_run, list_runs, sample_file
from translate.studio.uploads import save
from translate.training.command_line import command_arguments, command_of
from translate.training.config import Config
from translate.utils.program import command_form

router = APIRouter(prefix="/api", tags=["trainings"])
Shared = Annotated[Studio, Depends(studio_of)]
UNPACKED_RATIO = 8  # bytes of an unpacked zip, over the largest request: pictures are compressed already


class TrainingForm(BaseModel):
    """A filled-in form."""

    task: str = ""
    preset: str = "fast"
    name: str = ""
    options: dict[str, Any] = {}
    further: str = ""


# ---- runs


@router.get("/runs")
async def get_runs(studio: Shared) -> dict[str, Any]:
    """List the runs, those in training first, with state and progress."""
    return {"runs": await run_in_threadpool(list_runs, studio.settings.roots, studio.trainings.starting())}


@router.get("/runs/{name}")
async def get_run(studio: Shared, name: str) -> dict[str, Any]:
    """Describe a run: state, time left, curves, steps of its samples, health in words, command, last lines."""
    folder = find_run(studio.settings.roots, name)
    return await run_in_threadpool(describe_run, folder, starting=name in studio.trainings.starting())


@router.get("/runs/{name}/samples/{step}.png", response_class=FileResponse)
async def get_samples(studio: Shared, name: str, step: int) -> FileResponse:
    """Return the sample grid of a step."""
    return FileResponse(sample_file(find_run(studio.settings.roots, name), step), media_type="image/png")


@router.post("/runs/{name}/stop")
async def stop(studio: Shared, name: str) -> dict[str, str]:
    """Ask a training to save and leave."""
    await run_in_threadpool(studio.trainings.stop, find_run(studio.settings.roots, name))
    return {"name": name}


@router.post("/runs/{name}/resume")
async def resume(studio: Shared, name: str) -> dict[str, str]:
    """Go on with a run that was stopped."""
    await run_in_threadpool(studio.trainings.resume, find_run(studio.settings.roots, name))
    return {"name": name}


# ---- new runs


@router.get("/train")
async def get_form() -> dict[str, Any]:
    """Describe what can be chosen: tasks, presets, data sets of the catalog."""
    return await run_in_threadpool(describe_form)


@router.post("/train/command")
async def preview_command(studio: Shared, form: TrainingForm) -> dict[str, str]:
    """Check a form, and return the command that would run."""
    return {"command": await run_in_threadpool(lambda: command_text(config_of(studio, form)))}


@router.post("/train")
async def start(studio: Shared, form: TrainingForm) -> dict[str, str]:
    """Check a form, and start its training in a process of its own."""

    def launch() -> dict[str, str]:
        config = config_of(studio, form)
        folder = studio.trainings.start(asdict(config))
        return {"name": folder.name, "command": command_text(config)}

    return await run_in_threadpool(launch)


def config_of(studio: Studio, form: TrainingForm) -> Config:
    """Return the checked configuration of a form."""
    return build_config(form.model_dump(), studio.settings.roots[0], allowed_folders(studio.settings))


def command_text(config: Config) -> str:
    """Return the command of a configuration, as a user would type it."""
    values = asdict(config)
    return f"{command_form(command_of(config.task, config.preset))} {join(command_arguments(values))}"


# ---- folders of pictures


@router.get("/folders")
async def get_folders(studio: Shared, path: str = "") -> dict[str, Any]:
    """List the folders in a folder, with the number of pictures in each."""
    return await run_in_threadpool(list_folder, path, allowed_folders(studio.settings))


@router.post("/folders")
async def upload_folder(studio: Shared, archive: UploadFile, name: Annotated[str, Form()] = "") -> dict[str, Any]:
    """Unpack a zip of pictures into a new folder."""
    limit = UNPACKED_RATIO * studio.settings.max_bytes
    title = name or (archive.filename or "").replace("\\", "/").rpartition("/")[2]
    with studio.uploads.folder() as place:
        file = await save(archive, place / "upload.zip")
        target = await run_in_threadpool(unpack_upload, file, title, data_root() / "uploads", limit)
    return await run_in_threadpool(list_folder, str(target), [target])


@router.post("/check")
async def check(request: Request, studio: Shared, form: TrainingForm) -> dict[str, Any]:
    """Run check-data on what a form names, and return its findings; a client that goes ends it."""
    words = await run_in_threadpool(check_arguments, form.model_dump(), allowed_folders(studio.settings))
    with studio.uploads.folder() as place:
        return await run_check(request, words, place / "findings.json")


def allowed_folders(settings: Settings) -> list[Path]:
    """Return the folders that trainings may read: of the settings, by default the working one, and of data sets."""
    folders = list(settings.data_roots) or [Path.cwd()]
    below = any(data_root().resolve().is_relative_to(folder.resolve()) for folder in folders)
    return folders if below else [*folders, data_root()]
