"""Measure how fast training and translation are here."""

from translate.cli import main

if __name__ == "__main__":
    main("bench")
