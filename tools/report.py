"""Write one HTML page of a run."""

from translate.cli import main

if __name__ == "__main__":
    main("report")
