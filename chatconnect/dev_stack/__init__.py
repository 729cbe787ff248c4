"""The development stack: all the real parts in one process tree."""
