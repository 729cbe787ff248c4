"""What reaches into aiokafka and FastStream: how to connect, close, ask for topic ids."""
