"""Films in and out: translated frame by frame without flicker, with their sound, and resumable."""

__all__ = ["VideoReport", "is_video", "translate_video"]

from pathlib import Path

from translate.inference.video.run import VideoReport, translate_video

_READ = (
    "3g2 3gp 264 265 asf avi divx dv f4v flv h264 h265 hevc ivf m2ts m2v m4v mjpeg mjpg mkv mov mp4 mpeg mpg mts mxf"
    " nut ogv rm rmvb ts vob webm wmv y4m"
)


def is_video(source: str | Path, output: str | Path) -> bool:
    """Whether a translation is one of a film: of one, or of a folder of frames or a GIF to one."""
    path, suffix = Path(source).expanduser(), Path(output).suffix.lower()
    known = _READ.split()  # what cannot be written is told there
    if path.suffix.lower()[1:] in known or (suffix[1:] in known and not Path(output).is_dir()):
        return True
    return suffix == ".gif" and (path.is_dir() or path.suffix.lower() == ".gif") and not Path(output).is_dir()
