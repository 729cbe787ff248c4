"""What a page draws: its words with their boxes, its surfaces and rules, and what of it can be seen and read."""
