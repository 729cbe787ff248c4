"""Private parts of aiokafka, and the ways to them, for tests that break or question them."""

from streams.kafka.internals import client_of

__all__ = ["client_of", "consumer_of", "end_fetching", "known_partitions", "reader_of"]


def reader_of(gateway):
    """The `LogReader` of a running gateway's tail."""
    return gateway.tail._log


def consumer_of(reader):
    """The aiokafka consumer of a `LogReader`."""
    return reader._consumer


def end_fetching(reader):
    """aiokafka #983, #1007: the fetch task ends silently."""
    consumer_of(reader)._fetcher._fetch_task.cancel()


async def known_partitions(publisher, topic):
    """How many partitions of a topic a `Publisher` knows."""
    return len(await publisher._producer.partitions_for(topic))
