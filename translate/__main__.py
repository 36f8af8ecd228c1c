"""`python -m translate` is the same as `translate`."""

from translate.cli.run import main

main()
