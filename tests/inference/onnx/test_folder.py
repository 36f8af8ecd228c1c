import json
import subprocess
import sys

import cv2
import numpy as np
import pytest

from tests.conftest import picture
from tests.inference.onnx.models import recipe, write
from translate import Translator
from translate.inference.onnx.folder import translate_folder
from translate.inference.options import FolderOptions
from translate.utils.errors import OptionError

QUIET = {"progress": False}


@pytest.fixture
def folder(tmp_path):
    """A folder of pictures of several kinds, with a broken one in a sub-folder."""
    (tmp_path / "in" / "deep").mkdir(parents=True)
    deep = picture(2).astype(np.uint16) * 257
    clear = np.dstack((picture(3), picture(2)[..., 0]))
    for name, pixels in (("a.png", picture(0, 33, 41)), ("b.tif", deep), ("deep/c.png", clear)):
        cv2.imwrite(str(tmp_path / "in" / name), pixels)
    (tmp_path / "in" / "deep" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno more")
    return tmp_path / "in"


def test_names_sizes_depth_and_alpha_stay(folder, tmp_path):
    translator = Translator.load(write(tmp_path / "x.onnx", made=recipe()))
    report = translate_folder(translator, folder, tmp_path / "out", FolderOptions(**QUIET))
    assert (report.done, report.failed) == (3, 1) and "broken.png" in str(report.failures[0].path)
    for name in ("a.png", "b.tif", "deep/c.png"):
        before, after = (cv2.imread(str(tmp_path / x / name), cv2.IMREAD_UNCHANGED) for x in ("in", "out"))
        assert before.dtype == after.dtype
        top = np.iinfo(before.dtype).max
        np.testing.assert_array_equal(after[..., :3], top - before[..., :3])
        np.testing.assert_array_equal(after[..., 3:], before[..., 3:])
    # an equal run has nothing left to do, another model does not overwrite
    again = translate_folder(translator, folder, tmp_path / "out", FolderOptions(**QUIET))
    assert (again.done, again.skipped) == (0, 3)
    other = Translator.load(write(tmp_path / "y.onnx", made=recipe(size=64)))
    with pytest.raises(OptionError, match="--overwrite"):
        translate_folder(other, folder, tmp_path / "out", FolderOptions(**QUIET))
    with pytest.raises(OptionError, match="--trust"):
        translate_folder(translator, folder, tmp_path / "out", FolderOptions(trust=True, **QUIET))


def test_torch_is_not_imported(folder, tmp_path):
    """By the command and by Translator.load, in a process of its own."""
    write(tmp_path / "x.onnx", made=recipe())
    code = f"""
import json, sys
from translate import Translator
Translator.load({str(tmp_path / "x.onnx")!r})({str(folder / "a.png")!r}).save({str(tmp_path / "one.png")!r})
from translate.cli.run import main
try:
    main("translate-folder", {["--model", str(tmp_path / "x.onnx"), "--input", str(folder), "--output", str(tmp_path / "out")]!r})
except SystemExit as end:
    print(json.dumps([end.code, "torch" in sys.modules]))
"""  # noqa: E501
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert json.loads(done.stdout.splitlines()[-1]) == [1, False], done.stdout + done.stderr  # 1: one is broken
    assert "3 translated" in done.stdout and (tmp_path / "out" / "deep" / "c.png").exists()
    one, same = (cv2.imread(str(tmp_path / name)) for name in ("one.png", "out/a.png"))
    np.testing.assert_array_equal(one, same)
