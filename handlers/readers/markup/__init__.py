"""HTML to sections: what a reader of the page sees, under its headings. Markdown comes through here as HTML, too."""
