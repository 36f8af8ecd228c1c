"""How fast it is: ours beside the textbook's and others' code, in one run, and against what the machine can do."""
