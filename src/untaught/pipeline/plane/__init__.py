"""One plane: make the problem, choose, run, judge, combine, answer."""
