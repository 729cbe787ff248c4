"""Measurements. Each prints one JSON object as its last line; floor or peer and ours are measured in the same run."""
