"""What every test run shares."""

import os
from collections.abc import Generator
from pathlib import Path
from typing import TypeVar

import pytest

from tests.support.services import database_url, engine, services, settings

__all__ = ["database_url", "engine", "services", "settings"]

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)
SHARED_DATA = Path(__file__).parents[1].parent / "shared" / "data"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI nothing is skipped: a skip there is a failure that names its reason."""
    return _strict((yield))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a whole module."""
    return _strict((yield))


def _strict(report: Report) -> Report:
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {reason}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says what could not be tried."""
    if not SHARED_DATA.exists():
        terminalreporter.write_line("../shared is absent: tests on its documents and question sets ran on none of them")
