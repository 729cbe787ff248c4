"""One TCP connection: bounds before a request exists."""
