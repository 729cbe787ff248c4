"""Shared by tests and benchmarks: fakes, running services, a model server, a visitor."""
