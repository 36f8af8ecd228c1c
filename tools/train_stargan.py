"""Train a model that gives pictures labels, such as facial attributes, and takes them away."""

from translate.cli import main

if __name__ == "__main__":
    main("train-stargan")
