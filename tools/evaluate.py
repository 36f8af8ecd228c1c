"""Score a model on held-out pictures."""

from translate.cli import main

if __name__ == "__main__":
    main("evaluate")
