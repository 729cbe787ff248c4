"""The tables of Postgres."""
