"""What happens to an event: async (event) -> AsyncIterator[Event].

Imports schemas and stores; worker.py alone imports streams.
"""
