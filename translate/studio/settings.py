"""What the command line decides about a studio."""

__all__ = ["PAGE", "Settings"]

from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parent / "page"  # what the browser loads


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Options of a studio; a test builds it directly."""

    roots: tuple[Path, ...] = (Path("runs"),)  # folders whose sub-folders are runs
    data_roots: tuple[Path, ...] = ()  # folders that trainings may read; (): the working folder
    models: tuple[Path, ...] = ()  # further run folders or model files
    host: str = "127.0.0.1"
    port: int = 7860  # 0: any free one
    token: str = ""  # that every request has to know; "": none
    device: str = "auto"  # "auto", "cpu", "cuda", "cuda:1" or "mps"
    precision: str = "auto"  # "auto", "bf16" or "fp32"
    memory: str = ""  # limit of the process, such as "3GB", as for translate_folder
    max_bytes: int = 200_000_000  # of the body of a request
    max_seconds: float = 120.0  # of a request, waiting included
    max_waiting: int = 64  # requests that wait for the device; more are refused
    max_loaded: int = 4  # models in memory
