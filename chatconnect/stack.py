"""The development stack: which parts there are, in which order they start, how they find each other."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import httpx

from chatconnect.data_folder import DataFolder
from chatconnect.embedded.kafka import Kafka
from chatconnect.embedded.ports import LOOPBACK, free_port, is_free
from chatconnect.embedded.postgres import Postgres
from chatconnect.embedded.process import Process
from chatconnect.embedded.redis import Redis
from chatconnect.seed import DEMO_CLIENT, Seed
from chatconnect.supervisor import Supervisor
from schemas.settings import Settings
from stores.clients import Clients, Keys
from stores.database import create_engine
from stores.migrations import upgrade
from streams.admin import create_topics

READY_SECONDS = 60
METRICS_PORT = 9100
# The worker's death signal is the hard one: with its Kafka gone there is nothing left to drain into.
WORKER = ("worker",)
GATEWAY = ("gateway",)

Say = Callable[[str], None]


class Part(Protocol):
    """An embedded part."""

    process: Process
    url: str

    async def stop(self) -> None:
        """Returns when it has ended."""
        ...


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line chose."""

    port: int
    has_seed: bool


class Stack:
    """One run of it. Every address that the environment names replaces the embedded part."""

    def __init__(self, folder: DataFolder, options: Options, say: Say) -> None:
        self._folder = folder
        self._options = options
        self._say = say
        self._values: dict[str, str] = {}

    async def run(self, supervisor: Supervisor) -> None:
        """Starts everything, says `ready <url>`, and then waits to be cancelled."""
        await self._start_parts(supervisor)
        ...
