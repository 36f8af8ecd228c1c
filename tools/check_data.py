"""Check a data set before training: duplicates, leaks, broken files, mismatched pairs."""

from translate.cli import main

if __name__ == "__main__":
    main("check-data")
