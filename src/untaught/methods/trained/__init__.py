"""Models of the person's own, from a folder of noisy pictures."""
