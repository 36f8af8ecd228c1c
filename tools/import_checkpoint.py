"""Turn a checkpoint of pytorch-CycleGAN-and-pix2pix or CUT into a model file."""

from translate.cli import main

if __name__ == "__main__":
    main("import-checkpoint")
