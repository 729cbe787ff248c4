"""A gateway on a database for one test."""

import pytest

from tests.support.gateway_running import running_gateway


@pytest.fixture
async def own(settings, database_url):
    """The settings for everything that uses this database."""
    return settings.model_copy(update={"database_url": database_url})


@pytest.fixture
def drain():
    """Overridden by modules that start the drain themselves; None: the gateway creates its own."""
    return


@pytest.fixture
async def running(own, drain):
    async with running_gateway(own, drain) as running:
        yield running
