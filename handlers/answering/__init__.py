"""From a question to its streamed answer."""
