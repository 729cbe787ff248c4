"""What is remembered: Postgres rows, vectors, uploads, limits. Imports schemas."""
