"""Train pix2pix: pairs of pictures in, a model that turns one into the other."""

from translate.cli import main

if __name__ == "__main__":
    main("train-pix2pix")
