"""Nodes of ComfyUI for models of image-translate: copy this file into ComfyUI/custom_nodes and restart ComfyUI.

In the Python of ComfyUI: pip install 'image-translate[hub]'. A model is a run folder, a model.safetensors, or a name on
the Hub, hf://user/name@revision.
"""

from functools import lru_cache

MODEL = ("STRING", {"default": "", "placeholder": "runs/photos2monet, model.safetensors or hf://user/name"})
SEED = ("INT", {"default": 0, "min": 0, "max": 2**63 - 1, "control_after_generate": True})
ANY_SEED = ("INT", {"default": -1, "min": -1, "max": 2**63 - 1})  # -1: the model's typical answer


@lru_cache(maxsize=2)
def load(kind: str, model: str):
    """Load a model once; `translate` and torch are imported when a node first runs, not when ComfyUI starts."""
    import translate

    loaded = getattr(translate, kind).load(model)
    if kind == "Translator":
        loaded.values = None  # pictures of ComfyUI run from 0 to 1, whatever the training files held
    return loaded


def to_image(array):
    """Return pictures (N, H, W, 1 or 3), float32 in [0, 1], as ComfyUI has them: with three channels."""
    import torch

    return torch.from_numpy(array).expand(-1, -1, -1, 3).contiguous()


class ImageTranslate:
    """Translates pictures, (B, H, W, C) in [0, 1], or fills the holes of a mask, (B, H, W), 1 in the hole."""

    CATEGORY = "image-translate"
    RETURN_TYPES = ("IMAGE",)
    FUNCTION = "run"

    @classmethod
    def INPUT_TYPES(cls):  # noqa: N802, the name that ComfyUI asks for
        """Return the inputs of the node."""
        return {
            "required": {"image": ("IMAGE",), "model": MODEL, "direction": (["default", "ab", "ba"],)},
            "optional": {
                "mask": ("MASK",),
                "seed": ANY_SEED,
                "strength": ("FLOAT", {"default": 0.75, "min": 0.0, "max": 1.0, "step": 0.05}),
            },
        }

    def run(self, image, model, direction="default", mask=None, seed=-1, strength=0.75):
        """Return the answers; seed and strength count for models that have them, the mask for those that fill holes."""
        translator = load("Translator", model)
        options = {} if direction == "default" else {"direction": direction}
        if translator.random and seed >= 0:
            options["seed"] = seed
        if translator.strength is not None:
            options["strength"] = strength
        if translator.masked and mask is not None:
            options["mask"] = mask.expand(len(image), -1, -1).cpu().numpy() > 0.5
        return (to_image(translator(image[..., :3].float().cpu().numpy(), **options)),)


class ImageGenerate:
    """Draws new pictures with a model of train_gan: a seed always gives the same picture."""

    CATEGORY = "image-translate"
    RETURN_TYPES = ("IMAGE",)
    FUNCTION = "run"

    @classmethod
    def INPUT_TYPES(cls):  # noqa: N802
        """Return the inputs of the node."""
        return {
            "required": {"model": MODEL, "seed": SEED, "count": ("INT", {"default": 1, "min": 1, "max": 64})},
            "optional": {
                "label": ("STRING", {"default": "", "placeholder": "a class, or 3:0.5,8:0.5"}),
                "truncation": ("FLOAT", {"default": 1.0, "min": 0.0, "max": 1.0, "step": 0.05}),
            },
        }

    def run(self, model, seed=0, count=1, label="", truncation=1.0):
        """Return `count` pictures, of `seed` and those after it."""
        sampler = load("Sampler", model)
        pictures = sampler(count, seed=seed, label=label or None, truncation=truncation)
        return (to_image(pictures.astype("float32") / 255),)


NODE_CLASS_MAPPINGS = {"ImageTranslate": ImageTranslate, "ImageGenerate": ImageGenerate}
NODE_DISPLAY_NAME_MAPPINGS = {"ImageTranslate": "Translate image", "ImageGenerate": "Generate images"}
