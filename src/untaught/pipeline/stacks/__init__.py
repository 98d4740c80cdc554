"""Planes of a stack that help each other: which they are, what they share, and their answers."""
