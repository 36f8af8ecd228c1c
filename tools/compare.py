"""Lay runs side by side."""

from translate.cli import main

if __name__ == "__main__":
    main("compare")
