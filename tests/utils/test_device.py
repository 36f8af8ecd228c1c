import torch
import torch.nn.functional as F

from translate.utils.device import bf16_is_sound


def test_the_self_test_catches_a_wrong_convolution(monkeypatch):
    assert isinstance(bf16_is_sound(torch.device("cpu")), bool)
    real = F.conv2d

    def wrong(x, weight, **options):
        y = real(x.float(), weight.float(), **options)
        return (y * 1.1).bfloat16() if x.dtype == torch.bfloat16 and weight.shape[-1] == 2 else y.to(x.dtype)

    monkeypatch.setattr(F, "conv2d", wrong)
    assert not bf16_is_sound(torch.device("cpu"))
