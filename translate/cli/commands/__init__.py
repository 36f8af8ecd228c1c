"""The commands: one file each, with a dataclass of options and a function. Call and print; no logic."""
