"""The replay buffers of all sessions, and where a client resumes. Imports web."""
