"""Draw new pictures with a trained generator."""

from translate.cli import main

if __name__ == "__main__":
    main("sample")
