"""Low-level parts around aiokafka and FastStream: connecting, closing, partitioning, topic ids."""
