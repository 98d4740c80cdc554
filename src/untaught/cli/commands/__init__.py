"""The commands, one a page."""
