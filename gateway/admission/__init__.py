"""Authentication, session ownership, limits. Imports replay, web."""
