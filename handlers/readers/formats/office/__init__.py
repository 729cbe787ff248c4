"""Readers of what office programs write."""
