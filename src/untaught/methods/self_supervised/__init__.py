"""Networks that learn from noisy pictures alone."""
