"""Every kind of image that users give, good and bad, to translators and for masks, hints and looks."""

import io
import tempfile
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from tests.inference import test_translator_inpainting as inpainting
from tests.inference import test_translator_paired as paired
from tests.inference.test_translator import RECIPE, Negative, Same, noise
from translate.inference.translator import Translator
from translate.utils.errors import UserError


@pytest.fixture
def translator():
    return Translator(RECIPE, nn.ModuleDict({"G_ab": Negative(), "G_ba": Same()}))


@pytest.fixture(scope="module")
def painter():
    return Translator(inpainting.RECIPE, inpainting.nets())


def png(array):
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG")
    return buffer.getvalue()


def npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def spooled(data):
    file = tempfile.SpooledTemporaryFile()  # noqa: SIM115
    file.write(data)
    return file


def written(data):
    buffer = io.BytesIO()
    buffer.write(data)  # and not rewound
    return buffer


def zip_member(data, tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("in/x.png", data)
    return zipfile.Path(tmp_path / "x.zip", "in/x.png")


class Pipe(io.RawIOBase):
    """A response of a server, which cannot be rewound."""

    def __init__(self, data):
        self.data = data

    def read(self, size=-1):
        data, self.data = self.data, b""
        return data


@pytest.mark.parametrize(
    "wrap",
    [bytes, bytearray, memoryview, io.BytesIO, written, spooled, Pipe, "file", "zip", "zip path"],
    ids=lambda kind: kind if isinstance(kind, str) else kind.__name__,
)
def test_contents_of_files_are_translated_as_their_paths(translator, tmp_path, wrap):
    image = noise(9, 14, 3)
    (tmp_path / "x.png").write_bytes(png(image))
    given = {
        "file": lambda: (tmp_path / "x.png").open("rb"),
        "zip": lambda: zip_member(png(image), tmp_path).open("rb"),
        "zip path": lambda: zip_member(png(image), tmp_path),
    }.get(wrap, lambda: wrap(png(image)))()
    result, by_path = translator(given), translator(tmp_path / "x.png")
    assert isinstance(result, Image.Image) and result.mode == by_path.mode == "RGB"
    assert (np.asarray(result) == 255 - image).all() and (np.asarray(by_path) == 255 - image).all()


def test_bytes_of_npy_give_an_array_as_its_path_does(translator):
    image = noise(9, 14, 3)
    result = translator(npy(image))
    assert isinstance(result, np.ndarray) and (result == 255 - image).all()


def test_a_batch_of_arrays_gives_a_batch(translator):
    image = noise(3, 9, 14, 3)
    result = translator(image)
    assert result.shape == image.shape and result.dtype == image.dtype and (result == 255 - image).all()
    gray = noise(2, 9, 14, 1, dtype=np.float32)
    assert np.allclose(translator(gray), 1 - gray, atol=1e-6) and translator(gray).shape == gray.shape
    with pytest.raises(UserError, match=r"an array of shape \(0, 9, 14, 3\) and type uint8 is no picture"):
        translator(image[:0])
    with pytest.raises(UserError, match=r"array\[0\]: the array: has 5 channels"):
        translator(noise(2, 9, 14, 5))


class Upload:
    """A server's upload, whose `read` is a coroutine."""

    name = "upload.png"

    async def read(self):
        return b""


def closed():
    file = io.BytesIO(b"x")
    file.close()
    return file


@pytest.mark.parametrize(
    "image, message",
    [
        ("https://example.org/x.png", r"^https://example.org/x.png: is a URL; download it first, and give the file"),
        ("s3://bucket/x.png", r"^s3://bucket/x.png: is a URL; download it first"),
        ("file:///home/x.png", r"is a URL; download it first"),
        ("data:image/png;base64,AAAA", r"is a data URL; decode it with base64.b64decode, and give the bytes"),
        ("FOLDER", r": is a folder; give a file, or translate all of its pictures with translate_folder"),
        (b"", r"^the bytes: is empty; give the content of an image file"),
        (b"photo.jpg", r"^the bytes: cannot be read as an image"),
        (io.StringIO("x"), r"^the StringIO: gives str, not bytes; open it in binary mode, 'rb'"),
        (closed(), r"^the BytesIO: cannot be read \(I/O operation on closed file.*open it again, in binary mode"),
        (Upload(), r"^upload.png: is read asynchronously; await its read\(\), and give the bytes"),
        ([], r"the list of pictures is empty; give one picture or more"),
        ((), r"the tuple of pictures is empty"),
        ([None], r"^images\[0\]: a NoneType is no picture"),
        ([noise(4, 4, 3), "no.png"], r"^images\[1\]: no.png: cannot be read as an image \(No such file"),
        ([[noise(4, 4, 3)]], r"^images\[0\]: a list is no picture; give a list of pictures, or a generator to .stream"),
        ((x for x in ()), r"^a generator is no picture; give a list of pictures, or a generator to .stream"),
        ({"image": 1}, r"^a dict is no picture"),
        (7, r"^a int is no picture; give a path, bytes, a file object, a PIL image, an array or a tensor"),
        (np.array("x.png"), r"an array of shape \(\) and type <U5 is no picture"),
        (torch.rand(3, 8, 8) * 255, r"the tensor: its values run from .* to 25\d.*; scale them to \[-1, 1\] \(x"),
        (torch.randn(3, 64, 64) * 2, r"scale them to \[-1, 1\] \(undo a normalisation by mean and deviation\)"),
        (torch.full((3, 8, 8), torch.nan), r"the tensor: it holds NaN or infinite values"),
        (torch.full((3, 8, 8), -torch.inf), r"the tensor: it holds NaN or infinite values"),
        (torch.zeros(3, 8, 8, dtype=torch.uint8), r"\[-1, 1\]; convert 0..255 with x.float\(\) / 127.5 - 1"),
        (torch.zeros(0, 3, 8, 8), r"cannot translate a tensor of shape \(0, 3, 8, 8\)"),
        (torch.zeros(3, 8, 8, dtype=torch.complex64), r"type torch.complex64"),
    ],
)  # fmt: skip
def test_wrong_images_are_refused_in_one_line_with_the_way_out(translator, tmp_path, image, message):
    with pytest.raises(UserError, match=message) as caught:
        translator(tmp_path if isinstance(image, str) and image == "FOLDER" else image)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300


def test_a_small_overshoot_of_a_tensor_is_translated(translator):
    x = torch.linspace(-1.2, 1.2, 3 * 16 * 16, dtype=torch.bfloat16).reshape(3, 16, 16)
    assert torch.equal(translator(x), -x)


# ---- masks, hints and looks


@pytest.mark.parametrize("wrap", [bytes, memoryview, io.BytesIO, spooled])
def test_masks_may_be_contents_of_files(painter, wrap):
    model, image, mask = painter, noise(16, 16, 3), np.zeros((16, 16), np.uint8)
    mask[4:8, 4:8] = 255
    assert (model(image, mask=wrap(png(mask))) == model(image, mask=mask)).all()
    by_list = model([image, png(image)], mask=[mask, wrap(png(mask))])
    assert (by_list[0] == np.asarray(by_list[1])).all()


def test_masks_for_several_images_are_one_for_all_or_one_each(painter):
    model, images, masks = painter, noise(3, 16, 16, 3), np.zeros((3, 16, 16), bool)
    for i in range(3):
        masks[i, 4 + i : 8, 4:8] = True
    each = [model(image, mask=mask) for image, mask in zip(images, masks, strict=True)]
    for given, shape in ((masks, images), (masks[..., None], images), (list(masks), images), (iter(masks), images)):
        assert (model(shape, mask=given) == np.stack(each)).all()
    assert (np.stack(model(list(images), mask=tuple(masks))) == np.stack(each)).all()
    one = io.BytesIO(png(masks[0].astype(np.uint8) * 255))  # read once, for all
    expected = np.stack([model(image, mask=masks[0]) for image in images])
    assert (model(images, mask=one) == expected).all()


@pytest.mark.parametrize(
    "mask, message",
    [
        ([np.ones((16, 16), bool)], r"1 masks for 3 pictures; give one for all, or one for each"),
        (iter([np.eye(16, dtype=bool)]), r"images\[1\]: no hints or mask are left for this picture"),
        ([np.eye(16, dtype=bool)] * 2 + [None], r"images\[2\]: the array: has no hole"),
        ([np.eye(16, dtype=bool)] * 2 + [[1]], r"images\[2\]: a list is no mask; give a path, bytes, a file object"),
        (b"mask.png", r"images\[0\]: the bytes: cannot be read as an image"),
        ("https://example.org/mask.png", r"images\[0\]: https://example.org/mask.png: is a URL"),
        (io.StringIO("x"), r"the StringIO: gives str, not bytes"),
        (np.full((16, 16), np.nan), r"images\[0\]: the mask: its values go up to nan"),
    ],
)
def test_wrong_masks_are_refused_in_one_line(painter, mask, message):
    with pytest.raises(UserError, match=message) as caught:
        painter(list(noise(3, 16, 16, 3)), mask=mask)
    assert "\n" not in str(caught.value)


def test_looks_may_be_of_any_kind_and_several():
    model, photos = Translator(paired.RECIPE, paired.style_nets()), noise(2, 32, 32, 3)
    each = np.stack([model.look(photo) for photo in photos])
    assert each.shape == (2, paired.Z)
    for several in (list(photos), photos, [png(photo) for photo in photos], [io.BytesIO(png(p)) for p in photos]):
        assert (model.look(several) == each).all()
    for wrong, message in [
        ([], "a list is no picture"),
        (b"", "the bytes: is empty"),
        (torch.ones(3, 8, 8) * 9, "run"),
    ]:
        with pytest.raises(UserError, match=message):
            model.look(wrong)
