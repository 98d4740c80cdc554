"""From what was asked for to a result."""
