"""Real Kafka, Postgres and Redis out of wheels and jars, started without anything installed on the machine."""
