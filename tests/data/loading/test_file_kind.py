import numpy as np
import pytest
import tifffile
import torch

from translate.data.datasets.masked import MaskedData
from translate.data.datasets.unpaired import open_file_cache
from translate.data.loading.cache import Pictures
from translate.data.loading.crops import Crops
from translate.data.loading.file_kind import MixedChannels, kind_of_files, to_rgb8, to_unit_range
from translate.data.loading.transforms import fit
from translate.data.options import DataConfig
from translate.images.io import write_picture
from translate.images.picture import Picture

RNG = np.random.default_rng(0)


def files(folder, *pictures):
    for i, pixels in enumerate(pictures):
        suffix = ".tif" if pixels.shape[2] != 3 or pixels.dtype == np.float32 else ".png"
        write_picture(folder / f"{i}{suffix}", Picture(pixels))
    return sorted(folder.iterdir())


def noise(channels, dtype="uint8", height=40, width=48):
    scale = 1 if dtype == "float32" else np.iinfo(dtype).max
    return (RNG.random((height, width, channels)) * scale).astype(dtype)


@pytest.mark.parametrize(
    "pictures, channels, dtype",
    [
        ([noise(3), noise(3)], 3, "uint8"),
        ([noise(3), noise(3, "uint16")], 3, "uint16"),
        ([noise(1).repeat(3, 2), noise(1).repeat(3, 2)], 1, "uint8"),
        ([noise(1).repeat(3, 2), noise(3)], 3, "uint8"),
        ([noise(5, "uint16"), noise(5, "float32")], 5, "float32"),
        ([noise(2)], 2, "uint8"),
    ],
)
def test_the_kind_of_a_set(tmp_path, pictures, channels, dtype):
    paths = files(tmp_path, *pictures)
    kind = kind_of_files(paths)
    assert kind.channels == channels and kind.dtype == dtype
    for path in paths:
        read = kind.read(path)
        assert read.shape == (40, 48, channels) and read.dtype == dtype


def test_the_error_about_mixed_channels_names_two_files(tmp_path):
    paths = files(tmp_path, noise(5), noise(3))
    with pytest.raises(MixedChannels, match=r"0\.tif has 5 channels, but .*1\.png has 3; keep"):
        kind_of_files(paths)
    kind = kind_of_files(paths[:1])  # one that was not looked at
    with pytest.raises(MixedChannels, match=r"0\.tif has 5 channels, but .*1\.png has 3; keep"):
        open_file_cache(paths, tmp_path / "cache", kind, 32, square=False, progress=False)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("channels", [1, 2, 5, 130])
@pytest.mark.parametrize("height, side", [(40, 20), (40, 64)])
def test_any_picture_is_resized_channel_by_channel(dtype, channels, height, side):
    picture = noise(channels, dtype, height)
    whole = fit(picture, side, square=True)
    alone = np.dstack([fit(np.ascontiguousarray(picture[..., i : i + 1]), side, square=True) for i in range(channels)])
    assert whole.shape == (side, side, channels) and whole.dtype == dtype
    assert np.abs(whole.astype("f8") - alone).max() <= (1e-5 if dtype == "float32" else 1)
    assert dtype != "float32" or (whole.min() >= 0 and whole.max() <= 1)


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_deep_crops_are_floats_and_the_same_from_memory_and_from_the_device(dtype):
    pictures = [noise(5, dtype), noise(5, dtype)]
    stored = Pictures(np.concatenate([p.ravel() for p in pictures]), np.array([p.shape for p in pictures]))
    crops = Crops(stored, crop=32, flip=True, seed=0)
    boxes = crops.sample(0, 6)
    cut = crops.crop(boxes)
    which, top, left, mirrored = boxes[0].tolist()
    expected = pictures[which][top : top + 32, left : left + 32]
    expected = expected[:, ::-1] if mirrored else expected
    scale = 1 if dtype == "float32" else 65535
    np.testing.assert_allclose(cut[0].permute(1, 2, 0), expected / scale * 2 - 1, atol=1e-6)
    crops.upload(torch.device("cpu"))
    torch.testing.assert_close(crops.crop(boxes), cut, rtol=0, atol=1e-6)


def test_16_bits_are_preserved(tmp_path):
    ramp = np.arange(48 * 40, dtype=np.uint16).reshape(40, 48, 1) + 30000
    tifffile.imwrite(tmp_path / "x.tif", ramp[..., 0])
    kind = kind_of_files([tmp_path / "x.tif"])
    cache = open_file_cache([tmp_path / "x.tif"], tmp_path / "c", kind, 40, square=False, progress=False)
    assert len(np.unique(cache[0])) == 48 * 40
    assert (
        len(torch.unique(Crops(cache, crop=40, flip=False, seed=0).crop(torch.zeros(1, 4, dtype=torch.int64)))) > 1500
    )


def test_bands_are_converted_to_rgb_for_display():
    five = noise(5, "float32")
    np.testing.assert_array_equal(to_rgb8(five), np.rint(five[..., :3] * 255).astype(np.uint8))
    assert to_unit_range(noise(3)).dtype == torch.uint8 and to_unit_range(five).min() < 0


def test_inpainting_pictures_are_read_at_full_depth(tmp_path):
    (tmp_path / "in").mkdir()
    files(tmp_path / "in", *[noise(3, "uint16") for _ in range(12)])
    data = MaskedData(DataConfig(images=str(tmp_path / "in")), tmp_path)
    data.open(tmp_path / "cache", size=32, zoom=1.0, square=False, progress=False)
    stream = data.stream(crop=32, flip=False, seed=0)
    batch = stream.crop(stream.sample(0, 2))
    assert batch["image"].dtype == torch.float32 and batch["mask"].dtype == torch.uint8
    assert len(torch.unique(batch["image"])) > 2000 and data.probe["image"].dtype == torch.float32


@pytest.mark.parametrize(
    ("low", "high", "proposed"),
    [(20, 4012, "0,4095"), (32768, 36000, "32768,36863"), (0, 200, "0,255"), (0, 65535, ""), (900, 40000, "")],
)
def test_16_bit_pictures_that_use_a_small_range_get_a_note(tmp_path, low, high, proposed):
    plane = np.linspace(low, high, 40 * 48).reshape(40, 48, 1).astype(np.uint16)
    paths = files(tmp_path, plane.repeat(3, axis=2))
    note = kind_of_files(paths).note
    assert note.endswith(f"say --value-range {proposed}") if proposed else note == ""
    assert kind_of_files(paths, (0, 4095)).note == "" and kind_of_files(files(tmp_path, noise(3))).note == ""
