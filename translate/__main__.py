"""`python -m translate` is the same as `translate`."""

from translate.cli import main

main()
