"""The key-ordered consumer: poll, lane, run, commit."""
