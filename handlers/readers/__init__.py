"""Files to text with anchors. The engines run in a child process; `llama.py` wraps them as LlamaIndex readers."""
