"""What more than one file of unit tests is given."""

import pytest

from tests.support.provider_kinds import KINDS


@pytest.fixture(params=KINDS)
def kind(request):
    return KINDS[request.param]
