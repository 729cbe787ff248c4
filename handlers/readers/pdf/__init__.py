"""What the PDF reader is made of: words with their boxes, lines, columns, tables, and the text that they become."""
