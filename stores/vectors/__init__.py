"""The vectors of every knowledge base."""
