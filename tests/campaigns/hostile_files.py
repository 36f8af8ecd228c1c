"""Inputs of the hostile campaign: valid files of every kind, and random or malicious mutations of them."""

__all__ = [
    "evil_names", "mutate", "mutate_model", "option_lines", "seed_models", "seed_pictures", "tomls",
]  # fmt: skip

import io
import json
import os
import random
import struct
import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tifffile
import torch
from hypothesis import strategies as st
from PIL import Image

from tests.campaigns.folder_runs import tiny_model
from tests.conftest import picture
from translate.cli.recipe_options import known_options
from translate.cli.run import COMMANDS

ABSURD = (0, 1, -1, 2, 255, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1)
ODD: tuple[Any, ...] = (
    None, True, -1, 0, 1, 3, 64, 10**6, 10**12, 2**63, 10**400, -0.5, 1e308, float("nan"), float("inf"), "", "x",
    "../../etc/passwd", "\x1b[31m\n", "a" * 5000, [], [1] * 1000, {}, {"name": "skip_resnet", "width": 10**9},
)  # fmt: skip


# ---- pictures


def seed_pictures() -> list[tuple[str, bytes]]:
    """Return valid pictures with their suffixes: of all formats, depths and compressions."""
    rgb = picture(0, 37, 50)
    found = [(".png", _pillow(rgb, "PNG")), (".jpg", _pillow(rgb, "JPEG")), (".webp", _pillow(rgb, "WEBP"))]
    found += [(".bmp", _pillow(rgb, "BMP")), (".gif", _pillow(rgb, "GIF")), (".tif", _pillow(rgb, "TIFF"))]
    found += [(".png", _opencv(rgb.astype(np.uint16) * 257, ".png")), (".png", _pillow(rgb, "PNG", mode="P"))]
    found += [(".png", _pillow(rgb, "PNG", mode="RGBA")), (".jpg", _pillow(rgb, "JPEG", progressive=True))]
    found += [(".jpg", _pillow(rgb, "JPEG", mode="CMYK")), (".jpg", _pillow(rgb, "JPEG", exif=_exif()))]
    found += [(".webp", _pillow(rgb, "WEBP", lossless=True)), (".webp", _pillow(rgb, "WEBP", mode="RGBA"))]
    found += [(".gif", _animated(rgb)), (".bmp", _pillow(rgb, "BMP", mode="P"))]
    found += [(".tif", _tiff(rgb, compression="zlib")), (".tif", _pillow(rgb, "TIFF", compression="tiff_lzw"))]
    found += [(".tif", _tiff(np.dstack([rgb, rgb[..., :2]]), planarconfig="contig")), (".tif", _tiled(rgb))]
    return [*found, *((".npy", _npy(array)) for array in (rgb, np.float32(rgb) / 255, rgb[..., 0]))]


def _pillow(rgb: np.ndarray, form: str, mode: str = "RGB", **options: Any) -> bytes:
    out = io.BytesIO()
    Image.fromarray(rgb).convert(mode).save(out, form, **options)
    return out.getvalue()


def _exif() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif.tobytes()


def _animated(rgb: np.ndarray) -> bytes:
    out = io.BytesIO()
    frames = [Image.fromarray(np.roll(rgb, 5 * i, axis=1)) for i in range(3)]
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    return out.getvalue()


def _opencv(array: np.ndarray, suffix: str) -> bytes:
    return cv2.imencode(suffix, array)[1].tobytes()


def _tiff(array: np.ndarray, **options: Any) -> bytes:
    out = io.BytesIO()
    tifffile.imwrite(out, array, **options)
    return out.getvalue()


def _tiled(rgb: np.ndarray) -> bytes:
    return _tiff(rgb, tile=(16, 16), photometric="rgb")


def _npy(array: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def mutate(data: bytes, others: list[bytes], chance: random.Random) -> bytes:
    """Damage a file in one or several ways, random or malicious."""
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        data = chance.choice((_flip_bits, _truncate, _insert_absurd_number, _overwrite, _repeat))(data, chance)
    if chance.random() < 0.15:
        other = chance.choice(others)
        at = chance.choice((4, 8, 16, 32, 64, 128))
        data = other[:at] + data[at:]  # the header of another file
    return data


def _flip_bits(data: bytes, chance: random.Random) -> bytes:
    flipped = bytearray(data)
    for _ in range(chance.choice((1, 2, 8, 64))):
        at = chance.randrange(min(len(flipped), chance.choice((32, 256, 10**9)))) if flipped else 0
        if flipped:
            flipped[at] ^= 1 << chance.randrange(8)
    return bytes(flipped)


def _truncate(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


def _insert_absurd_number(data: bytes, chance: random.Random) -> bytes:
    """Write an absurd number into the header, which holds sizes, counts and offsets."""
    if len(data) < 8:
        return data
    at = chance.randrange(min(len(data) - 4, chance.choice((32, 128, 1024))) or 1)
    form = chance.choice(("<I", ">I", "<H", ">H"))
    number = chance.choice(ABSURD) & (0xFFFFFFFF if form[1] == "I" else 0xFFFF)
    packed = struct.pack(form, number)
    return data[:at] + packed + data[at + len(packed) :]


def _overwrite(data: bytes, chance: random.Random) -> bytes:
    at, length = chance.randrange(len(data) + 1), chance.choice((1, 4, 16, 256))
    return data[:at] + chance.randbytes(length) + data[at + length :]


def _repeat(data: bytes, chance: random.Random) -> bytes:
    at, length = chance.randrange(len(data) + 1), chance.choice((4, 64, 512))
    return data[: at + length] + data[at:]


# ---- models and states


def seed_models(folder: Path) -> list[Path]:
    """Write a model, a checkpoint of the originals and a state; return their paths."""
    tiny_model(folder)
    net = torch.nn.Linear(4, 4)
    torch.manual_seed(0)
    weights = {"model.model.0.weight": torch.zeros(8, 3, 4, 4), "model.model.3.weight": torch.zeros(16, 3, 4, 4)}
    torch.save(weights, folder / "latest_net_G.pth")
    adam = torch.optim.Adam(net.parameters())
    net(torch.ones(1, 4)).sum().backward()
    adam.step()
    torch.save({"step": 3, "task": net.state_dict(), "adam": adam.state_dict()}, folder / "state.pt")
    model = folder / "model.safetensors"
    return [model, model, folder / "latest_net_G.pth", folder / "state.pt"]


def mutate_model(path: Path, seeds: list[Path], chance: random.Random) -> bytes:
    """Damage a model or state: its bytes, its recipe or its archive."""
    data = path.read_bytes()
    choice = chance.random()
    if path.suffix == ".safetensors" and choice < 0.6:
        return _mutate_recipe(data, chance)
    if path.suffix == ".safetensors" and choice < 0.75:
        return _mutate_header(data, chance)
    if path.suffix != ".safetensors" and choice < 0.5:
        return _mutate_archive(path, chance)
    return mutate(data, [one.read_bytes() for one in seeds], chance)


def _split_safetensors(data: bytes) -> tuple[dict[str, Any], bytes]:
    length = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def _join_safetensors(header: bytes, weights: bytes) -> bytes:
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + weights


def _mutate_recipe(data: bytes, chance: random.Random) -> bytes:
    header, weights = _split_safetensors(data)
    recipe = json.loads(header["__metadata__"]["image-translate"])
    for _ in range(chance.choice((1, 1, 2))):
        _mutate_table(recipe, chance)
    text = json.dumps(recipe)
    if chance.random() < 0.1:
        text = chance.choice(("[" * 100_000, '{"a":' * 5000, '{"format": ' + "9" * 5000 + "}", "null", "[]", "1"))
    header["__metadata__"]["image-translate"] = text
    return _join_safetensors(json.dumps(header).encode(), weights)


def _mutate_table(table: dict[str, Any], chance: random.Random) -> None:
    """Replace, remove or add one value of a nested table."""
    key = chance.choice([*table, "unknown"])
    if isinstance(table.get(key), dict) and table[key] and chance.random() < 0.7:
        _mutate_table(table[key], chance)
    elif chance.random() < 0.15:
        table.pop(key, None)
    else:
        table[key] = chance.choice(ODD)


def _mutate_header(data: bytes, chance: random.Random) -> bytes:
    header, weights = _split_safetensors(data)
    tensor = header[chance.choice([key for key in header if key != "__metadata__"])]
    tensor[chance.choice(("shape", "data_offsets", "dtype"))] = chance.choice((
        [2**40, 2**40], [0, 2**60], [-1, 4], [1e9], "F32", "F64", [], [2**20, 0], None, [0] * 10_000,
    ))  # fmt: skip
    return _join_safetensors(json.dumps(header).encode(), weights)


def _mutate_archive(path: Path, chance: random.Random) -> bytes:
    """Rewrite an archive of torch with swapped members, compressed members, or code in its pickle."""
    out, how = io.BytesIO(), chance.choice(("code", "packed", "pickle", "swapped"))
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w") as new:
        names = old.namelist()
        for name in names:
            content = old.read(name if how != "swapped" else chance.choice(names))
            if name.endswith("data.pkl"):
                if how == "code":
                    content = b"\x80\x02cos\nsystem\nq\x00X\x0d\x00\x00\x00touch ../ownedq\x01\x85q\x02Rq\x03."
                elif how == "pickle":
                    content = mutate(content, [content], chance)
            packing = zipfile.ZIP_DEFLATED if how == "packed" else zipfile.ZIP_STORED
            new.writestr(name, content + b"\0" * (50 << 20 if how == "packed" and "/data/0" in name else 0), packing)
    return out.getvalue()


# ---- configurations and option lines

WORDS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["", "0", "-1", "1e400", "nan", "inf", "9" * 5000, "0x" + "f" * 5000, "[" * 3000, "true", "x,y"]),
    st.sampled_from(["/dev/zero", "/", "~nobody/x", "a" * 5000, "\udcff.png", "\x1b[31m", "'; touch owned; '", "*["]),
    st.integers().map(str),
    st.floats().map(str),
)
VALUES = st.recursive(
    st.one_of(
        st.booleans(), st.integers(), st.sampled_from(["inf", "nan", "1e308", "-0.0"]),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=20).map(lambda text: _quoted(text)),
    ),
    lambda inner: st.lists(inner, max_size=3).map(lambda found: f"[{', '.join(map(_toml, found))}]"),
    max_leaves=6,
)  # fmt: skip
OPTIONS = sorted(known_options("cycle"))


def _quoted(text: str) -> str:
    return json.dumps(text)


def _toml(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@st.composite
def tomls(draw: st.DrawFn) -> str:
    """Draw the text of a configuration with odd values or unknown keys, or a text that is no TOML."""
    if draw(st.integers(0, 9)) == 0:
        return draw(
            st.one_of(st.text(), st.sampled_from(["a = " + "[" * 5000, "a." * 3000 + "b = 1", "\0", "a" * 2**21]))
        )
    lines: dict[str, list[str]] = {"": []}
    for key in draw(
        st.lists(st.sampled_from([*OPTIONS, "steps", "size", "out", "data.odd", "x.y"]), max_size=5, unique=True)
    ):
        section, _, name = key.rpartition(".")
        lines.setdefault(section, []).append(f"{name} = {_toml(draw(VALUES))}")
    return "\n".join("\n".join([f"[{section}]" if section else "", *found]) for section, found in lines.items())


@st.composite
def option_lines(draw: st.DrawFn) -> list[str]:
    """Draw a command with known and unknown options and odd values, none of which name existing pictures."""
    command = draw(st.sampled_from(["train-cycle", "train-cycle", "train-pix2pix", "evaluate", "check-data"]))
    assert command in COMMANDS
    words = [command]
    usual = [
        "size",
        "steps",
        "minutes",
        "seed",
        "device",
        "init",
        "config",
        "max-pixels",
        "model",
        "json",
        "batch-size",
    ]
    for _ in range(draw(st.integers(0, 4))):
        name = draw(st.one_of(st.sampled_from([*usual, *OPTIONS]), st.text(max_size=8)))
        words += draw(st.sampled_from(([f"--{name}={draw(WORDS)}"], [f"--{name}", draw(WORDS)], [draw(WORDS)])))
    return [word for word in words if "\0" not in word]


# ---- names


def evil_names(folder: Path, data: bytes) -> int:
    """Write pictures with odd names; return the number of names that the file system accepts."""
    names = [
        "new\nline.png", "quote'\"`.png", "$(touch owned).png", "; touch owned;.png", "\x1b[31mred\x1b[0m.png",
        "-rf.png",
        "[bold]x[/].png", "<script>alert(1)</script>.png".replace("/", "\\"), "\U0001f600\u200d\U0001f525.png",
        "%s{}.png",
        "\u202egnp.exe.png",
        "a" * 251 + ".png", "\u00e4" * 125 + ".png", "tab\t.png", " .png", "sub\\dir.png", "*?.png",
        "trail .png", "=1+1.png", "--config.png", "#x.png", "con.png", "x[page=1].png",
    ]  # fmt: skip
    folder.mkdir()
    written = 0
    for name in [*map(os.fsencode, names), b"bytes\xff\xfe.png"]:
        try:
            Path(folder, os.fsdecode(name)).write_bytes(data)
        except OSError:
            continue
        written += 1
    return written
