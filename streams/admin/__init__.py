"""Topics and groups: created, moved."""
