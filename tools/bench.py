"""Benchmark training and translation on this machine."""

from translate.cli.run import main

if __name__ == "__main__":
    main("bench")
