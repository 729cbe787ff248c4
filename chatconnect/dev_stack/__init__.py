"""The development stack: everything, for real, in one process tree."""
