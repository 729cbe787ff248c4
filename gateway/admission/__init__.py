"""Who may come in, and how often. Imports replay, http."""
