"""Teach a small, fast model to give the answers of a model that translates."""

from translate.cli import main

if __name__ == "__main__":
    main("distill")
