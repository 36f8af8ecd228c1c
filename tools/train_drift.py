"""Train drifted translation: two folders of pictures in, one look turned into the other at any strength."""

from translate.cli import main

if __name__ == "__main__":
    main("train-drift")
