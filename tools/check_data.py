"""Look through a data set before training: duplicates, leaks, broken files, pairs that do not match."""

from translate.cli import main

if __name__ == "__main__":
    main("check-data")
