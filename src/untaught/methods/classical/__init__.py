"""Baselines that have no network: non-local means, total variation, wavelets."""
