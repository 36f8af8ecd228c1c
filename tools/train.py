"""Train any task, also one of a plugin."""

from translate.cli import main

if __name__ == "__main__":
    main("train")
