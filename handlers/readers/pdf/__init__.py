"""What the PDF reader is made of: pages as they are drawn, their layout, and what becomes of them as text."""
