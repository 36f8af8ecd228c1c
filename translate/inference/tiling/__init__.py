"""Pictures larger than memory, tile by tile, with the result of the whole picture at once."""
