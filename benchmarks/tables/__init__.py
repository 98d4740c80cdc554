"""The tables that `benchmarks/table.py` writes, a file for those that belong together."""
