"""Train CycleGAN: two folders of pictures in, one look turned into the other."""

from translate.cli import main

if __name__ == "__main__":
    main("train-cycle")
