"""Rate limits in Redis, and in memory while Redis is unavailable."""
