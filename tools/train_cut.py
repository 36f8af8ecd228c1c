"""Train CUT: two folders of pictures in, one turned into the look of the other, in one direction."""

from translate.cli import main

if __name__ == "__main__":
    main("train-cut")
