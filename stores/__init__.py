"""Storage: Postgres rows, vectors, uploads, rate limits. Imports schemas."""
