"""From words with boxes to text: lines, columns, tables, paragraphs."""
