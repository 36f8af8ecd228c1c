"""Train super-resolution: sharp pictures in, a model that enlarges pictures like them."""

from translate.cli import main

if __name__ == "__main__":
    main("train-upscale")
