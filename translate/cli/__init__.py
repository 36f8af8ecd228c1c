"""TODO: one line that says what is in this room."""
