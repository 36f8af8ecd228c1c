"""Open the studio: draw, translate, fill, generate and train on a page in the browser."""

from translate.cli import main

if __name__ == "__main__":
    main("studio")
