"""TCP connections, and their limits before a request exists."""
