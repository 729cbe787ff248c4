"""The key-ordered consumer: poll, schedule, run, commit."""
