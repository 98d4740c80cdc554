"""Calls that somebody may make by mistake or by malice, and what is seen of each."""
