"""Upload a model with its card to the Hub."""

from translate.cli import main

if __name__ == "__main__":
    main("share")
