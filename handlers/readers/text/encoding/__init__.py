"""What the bytes of a text mean: which encoding, shown by evidence."""
