"""OpenDocument: styles, text, lists and tables (ISO/IEC 26300)."""
