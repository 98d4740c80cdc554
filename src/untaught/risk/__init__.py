"""How far an answer is from the truth, which nobody has."""
