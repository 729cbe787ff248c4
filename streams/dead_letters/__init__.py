"""Records that were given up: written, listed, replayed, dropped."""
