"""Kafka and only Kafka: topics, publishing, the key-ordered consumer. Imports schemas."""
