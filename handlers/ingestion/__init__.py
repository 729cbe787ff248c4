"""From an uploaded file to published passages."""
