"""Small films, rendered; and a tiny model."""

import numpy as np
import torch
from torch import nn

from translate.checkpoints.recipe import Recipe
from translate.inference.translator import Translator
from translate.networks import GENERATORS
from translate.utils.factory import Factory

HEIGHT, WIDTH = 48, 64


def model(**options):
    nets = nn.ModuleDict()
    for seed, name in enumerate(("G_ab", "G_ba")):
        torch.manual_seed(seed)
        nets[name] = Factory({"name": "skip_resnet", "width": 4, "trunk": 8, "blocks": 1}, GENERATORS, "g")()
    recipe = Recipe(task="cycle", nets={}, domains=("photos", "monet"), size=32, preset="fast", steps=1, data="none")
    return Translator(recipe, nets, **options)


class Same(nn.Module):
    """Gives back what it gets, so that all that changes is the film's own doing."""

    multiple = 2

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, x):
        return x * self.weight


def same():
    recipe = Recipe(task="cycle", nets={}, domains=("a", "b"), size=32, preset="fast", steps=1, data="none")
    return Translator(recipe, nn.ModuleDict({"G_ab": Same(), "G_ba": Same()}))


def frames(count=12, height=HEIGHT, width=WIDTH, noise=0.0, cut=None):
    """A square that moves over a slope; from frame `cut` on over another."""
    rng = np.random.default_rng(0)
    slope = np.zeros((height, width, 3), np.float32)
    slope[...] = np.linspace(40, 180, width)[None, :, None] * (1.0, 0.8, 0.6)
    for i in range(count):
        frame = slope.copy() if cut is None or i < cut else 255 - slope[:, ::-1]
        left = (3 * i) % (width - 12)
        frame[10:22, left : left + 12] = (220, 60, 40)
        yield (frame + rng.normal(0, noise, frame.shape) if noise else frame).clip(0, 255).round().astype(np.uint8)


def write_film(path, pictures=None, *, rate=25, codec="libx264", times=None, unit=None, sound="", audio_only=False,
               subtitle=False, rotation=0, pixel_format="yuv420p", **tags):  # fmt: skip
    import av

    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as film:
        pictures = list(frames() if pictures is None else pictures)
        if not audio_only:
            stream = film.add_stream(codec, rate=rate, options={"crf": "8"})
            stream.height, stream.width, stream.pix_fmt = *pictures[0].shape[:2], pixel_format
            if unit:
                stream.time_base = stream.codec_context.time_base = unit
            if rotation:
                stream.set_display_rotation(rotation)
        voice = film.add_stream(sound, rate=48000) if sound else None
        if voice is not None:
            voice.layout = "mono"
        if not audio_only:
            for i, pixels in enumerate(pictures):
                frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
                if times:
                    frame.pts, frame.time_base = times[i], unit
                film.mux(stream.encode(frame))
            film.mux(stream.encode(None))
        if voice is not None:
            for start in range(0, 48000 * len(pictures) // rate, 960):
                tone = (0.3 * np.sin(np.arange(start, start + 960) * 0.06)).astype(np.float32)[None]
                form = voice.codec_context.format.name
                tone = (tone * 32767).astype(np.int16) if form.startswith("s16") else tone
                frame = av.AudioFrame.from_ndarray(tone, format=form, layout="mono")
                frame.sample_rate, frame.pts = 48000, start
                film.mux(voice.encode(frame))
            film.mux(voice.encode(None))
    return path


def read_film(path):
    """Return frames (T, H, W, 3), their times in seconds, and the packets of each other stream."""
    import av

    with av.open(str(path)) as film:
        found = [(f.to_ndarray(format="rgb24"), float(f.time)) for f in film.decode(video=0)]
    with av.open(str(path)) as film:
        others = {s.index: (s.type, s.codec_context.name) for s in film.streams if s.type != "video"}
        packets = {i: [] for i in others}
        for packet in film.demux([film.streams[i] for i in others]) if others else ():
            if packet.size:
                packets[packet.stream.index].append(bytes(packet))
    return np.stack([f for f, _ in found]), [t for _, t in found], [(others[i], packets[i]) for i in others]
