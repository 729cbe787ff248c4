"""A gateway on a database of the test's own."""

import pytest

from tests.support.gateway_running import running_gateway


@pytest.fixture
async def own(settings, database_url):
    """The settings of all that works on it."""
    return settings.model_copy(update={"database_url": database_url})


@pytest.fixture
def drain():
    """Given to the gateway by the modules that begin it; None: it has one of its own."""
    return


@pytest.fixture
async def running(own, drain):
    async with running_gateway(own, drain) as running:
        yield running
