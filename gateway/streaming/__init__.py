"""How events reach a client: SSE, long poll, a document's progress. Imports admission, replay, web."""
