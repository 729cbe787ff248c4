"""Counting in Redis, and in memory while Redis is away."""
