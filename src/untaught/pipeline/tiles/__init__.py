"""A plane that is larger than the memory: looked at as a whole, restored tile by tile, joined without a seam."""
