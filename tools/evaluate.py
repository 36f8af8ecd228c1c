"""Score a model on held-out pictures."""

from translate.cli.run import main

if __name__ == "__main__":
    main("evaluate")
