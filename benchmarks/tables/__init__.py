"""The tables that `table.py` writes, a file for those that belong together."""
