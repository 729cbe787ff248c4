"""Benchmarks. Each prints one JSON object as its last line and measures ours and the baseline in the same run."""
