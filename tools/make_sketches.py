"""Draw a sketch of every photo of a folder."""

from translate.cli import main

if __name__ == "__main__":
    main("make-sketches")
