"""Similar patches found and filtered on processors, compiled by numba."""
