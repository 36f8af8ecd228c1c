import torch

from tests.inference.test_norm_statistics import picture
from translate.inference.video.scene_cuts import SceneCutDetector, thumbnail


def test_cuts_are_distinguished_from_movement():
    detector = SceneCutDetector()
    scene, other = picture(60, 80), -picture(60, 80, seed=2)
    rng = torch.Generator().manual_seed(0)
    cuts_found = []
    for k in range(20):
        frame = scene.clone() if k < 12 else other.clone()
        frame[..., 20:40, 3 * k : 3 * k + 20] = 1
        cuts_found.append(detector(frame + 0.02 * torch.randn(frame.shape, generator=rng)))
    assert [k for k, cut in enumerate(cuts_found) if cut] == [0, 12]


def test_thumbnails_keep_the_shape_and_the_mean():
    huge = torch.full((1, 3, 9000, 40), 200, dtype=torch.uint8)
    small = thumbnail(huge, 512)
    assert small.shape == (1, 3, 512, 2) and torch.allclose(small, torch.tensor(200 / 127.5 - 1))
    assert thumbnail(picture(20, 30), 512).shape == (1, 3, 20, 30)
