"""What tests and benchmarks share: fakes, running services, a model server, a visitor."""
