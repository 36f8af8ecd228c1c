import numpy as np
import pytest
import torch

from tests.inference.test_sampler import make
from translate.inference.latent.interpolate import interpolate_styles, load_style, save_style
from translate.inference.request import blend
from translate.utils.errors import OptionError, UserError


@pytest.fixture(scope="module")
def sampler():
    return make()


def test_the_path_between_seeds_is_an_arc_in_z(sampler):
    z = sampler.latents([3, 8]).numpy()
    expected = sampler.styles(torch.from_numpy(blend(z[0], z[1], 9)))
    torch.testing.assert_close(interpolate_styles(sampler, [3, 8], 9), expected)


def test_every_point_is_a_frame_and_steps_are_even(sampler):
    w = interpolate_styles(sampler, [3, 8, 11], 12)
    ends = sampler.styles_of([3, 8, 11])
    assert len(w) == 12
    for place, end in zip((0, 6, 11), ends, strict=True):  # 11 steps: 6 and 5
        torch.testing.assert_close(w[place], end, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("frames", [2, 3, 7, 20])
def test_a_loop_returns_without_repeating_the_start(sampler, frames):
    w = interpolate_styles(sampler, [3, 8], frames, loop=True)
    assert len(w) == frames
    torch.testing.assert_close(w[0], sampler.styles_of([3])[0])
    torch.testing.assert_close(w[round(frames / 2)], sampler.styles_of([8])[0], atol=1e-5, rtol=1e-4)
    if frames == 20:  # the last step, back to the first frame, is one like the others
        pictures = sampler.draw(torch.cat([w, w[:1]]))
        steps = np.sqrt(np.square(np.diff(pictures.astype(float), axis=0)).mean((1, 2, 3)))
        assert 0 < steps[-1] < 2 * np.median(steps)


def test_the_path_is_linear_if_z_is_uniform():
    sampler = make("dcgan")
    one, two = sampler.styles_of([3, 8])
    expected = torch.stack([torch.lerp(one, two, t) for t in torch.linspace(0, 1, 5)])
    torch.testing.assert_close(interpolate_styles(sampler, [3, 8], 5), expected)


def test_labels_are_interpolated():
    sampler = make(classes=("0", "1", "2"))
    w = interpolate_styles(sampler, [3, 4], 5)  # of classes 0 and 1
    z = torch.from_numpy(blend(*sampler.latents([3, 4]).numpy(), 5))
    weights = torch.tensor([[1 - t, t, 0] for t in (0, 0.25, 0.5, 0.75, 1)])
    torch.testing.assert_close(w, sampler.styles(z, weights))
    held = interpolate_styles(sampler, [3, 4], 5, label="2", truncation=0.5)
    torch.testing.assert_close(held, sampler.styles(z, sampler.weights_of(range(5), "2"), 0.5))


def test_a_saved_style_is_a_point(sampler, tmp_path):
    w = sampler.styles_of([5])[0] * 1.5
    save_style(tmp_path / "x" / "found.npz", w)
    point = load_style(tmp_path / "x" / "found.npz", sampler.w_dim)
    assert torch.equal(point, w)
    way = interpolate_styles(sampler, [3, point], 3)
    torch.testing.assert_close(way, torch.stack([sampler.styles_of([3])[0], way[1], w]))
    torch.testing.assert_close(way[1], (way[0] + way[2]) / 2)
    with pytest.raises(UserError, match=r"holds a style of shape \(12,\), of another model; this one's are \(8,\)"):
        load_style(tmp_path / "x" / "found.npz", 8)


@pytest.mark.parametrize("content", [None, b"", b"no numbers", b"PK\x03\x04 cut short"])
def test_files_without_a_style_are_refused(tmp_path, content):
    if content is not None:
        (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(UserError, match="x.npz: is neither a seed nor a style that --save-style wrote"):
        load_style(tmp_path / "x.npz", 4)


def test_an_array_or_other_numbers_are_no_style(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros(4))
    np.savez(tmp_path / "b.npz", v=np.zeros(4))
    np.savez(tmp_path / "c.npz", w=np.array([{}], dtype=object))
    for name in ("a.npy", "b.npz", "c.npz"):
        with pytest.raises(UserError, match="is neither a seed nor a style"):
            load_style(tmp_path / name, 4)


@pytest.mark.parametrize(
    ("points", "options", "message"),
    [
        ([3], {"frames": 9}, "one point alone leads nowhere"),
        ([3, 4, 5], {"frames": 2}, "2 frames are too few for 3 points; give 3 or more"),
        ([3, 4, 5], {"frames": 2, "loop": True}, "2 frames are too few for 3 points; give 3 or more"),
        ([3, -4], {"frames": 9}, "seed -4 is out of range"),
        ([3, 4], {"frames": 9, "label": "x"}, "without labels"),
    ],
)
def test_mistakes(sampler, points, options, message):
    with pytest.raises(OptionError, match=message):
        interpolate_styles(sampler, points, **options)
