"""Train gan: pictures in, a model that makes new ones like them."""

from translate.cli import main

if __name__ == "__main__":
    main("train-gan")
