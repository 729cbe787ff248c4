"""Creates topics, and moves groups."""
