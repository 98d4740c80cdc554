"""The networks, and nothing of how they are fitted."""
