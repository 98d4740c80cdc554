"""What the benchmarks share: pictures and scores, corruptions, cameras, instruments."""
