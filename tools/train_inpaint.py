"""Train inpainting: pictures in, a model that fills holes in pictures like them."""

from translate.cli import main

if __name__ == "__main__":
    main("train-inpaint")
