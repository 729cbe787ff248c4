"""The recent frames of every session, and where a client goes on. Imports http."""
