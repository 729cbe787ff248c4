"""Rich Text Format (RTF 1.9.1): its characters, its groups, its paragraphs and tables."""
