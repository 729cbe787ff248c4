"""What the readers of several formats share: bytes to characters, tables to lines."""
