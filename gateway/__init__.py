"""HTTP in, SSE out. Imports schemas, stores, streams; never handlers."""
