"""Reading every partition of a topic without a group."""
