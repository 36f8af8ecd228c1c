"""Benchmark training and translation on this machine."""

from translate.cli import main

if __name__ == "__main__":
    main("bench")
