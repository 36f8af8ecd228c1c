"""Train CycleGAN: two folders of pictures in, one look turned into the other."""

from translate.cli.run import main

if __name__ == "__main__":
    main("train-cycle")
