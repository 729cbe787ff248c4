"""Word documents: styles, automatic numbers, paragraphs and tables (WordprocessingML)."""
