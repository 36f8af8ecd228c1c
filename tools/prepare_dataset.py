"""Render or download a data set of the catalog."""

from translate.cli import main

if __name__ == "__main__":
    main("prepare-dataset")
