"""Translate every picture of a folder."""

from translate.cli import main

if __name__ == "__main__":
    main("translate-folder")
