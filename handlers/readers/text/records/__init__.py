"""Records of CSV and JSON: what belongs together, and what names it."""
