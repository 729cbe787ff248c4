"""Fixtures shared by several unit test files."""

import pytest

from tests.support.provider_kinds import KINDS


@pytest.fixture(params=KINDS)
def kind(request):
    return KINDS[request.param]
