"""Real Kafka, Postgres and Redis from wheels and jars, started without anything installed on the machine."""
