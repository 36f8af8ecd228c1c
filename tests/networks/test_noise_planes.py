import torch

from translate.networks.noise_planes import NoisePlanes


def noise_of(x, planes=3, training=False, **options):
    layer = NoisePlanes(planes).train(training)
    y = layer.append_at(x, **options) if options else layer(x)
    assert torch.equal(y[:, : x.shape[1]], x) and y.shape == (len(x), x.shape[1] + planes, *x.shape[2:])
    return y[:, x.shape[1] :]


def test_noise_is_white_and_uniform():
    noise = noise_of(torch.zeros(1, 1, 256, 256))[0]
    assert abs(noise.mean()) < 0.01 and abs(noise.var() - 1) < 0.01
    assert noise.abs().max() <= 3**0.5 and abs(noise.abs().mean() - 3**0.5 / 2) < 0.01
    spectrum = torch.fft.fft2(noise).abs().square() / noise[0].numel()  # of white noise: exponential, mean 1
    assert spectrum.max() < 20
    across = noise.flatten(1) @ noise.flatten(1).mT / noise[0].numel()
    assert (across - torch.eye(3)).abs().max() < 0.02


def test_noise_is_a_function_of_the_place():
    whole = noise_of(torch.zeros(2, 3, 40, 50))
    assert torch.equal(whole[0], whole[1])
    tile = noise_of(torch.ones(1, 3, 7, 9), origin=torch.tensor([[11, 22]]))
    assert torch.equal(tile[0], whole[0, :, 11:18, 22:31])
    assert torch.equal(noise_of(torch.zeros(1, 3, 40, 50).bfloat16()).float(), whole[:1].bfloat16().float())


def test_pictures_have_other_noise_in_training():
    torch.manual_seed(0)
    x = torch.zeros(2, 1, 16, 16)
    one, other = noise_of(x, training=True), noise_of(x, training=True)
    assert not torch.equal(one[0], one[1]) and not torch.equal(one, other)
