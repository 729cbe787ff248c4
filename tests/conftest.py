"""Fixtures and hooks for every test run."""

import os
import signal
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
    """In CI a skipped test counts as failed; the report gives the reason for the skip."""
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


def pytest_configure(config: pytest.Config) -> None:
    """Registers the `shared_data` marker, and lets Ctrl-C reach the processes that tests start.

    A shell ignores SIGINT for its background jobs, and every child process inherits that.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.addinivalue_line("markers", "shared_data: reads files in ../shared/data, and runs only where that exists.")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Runs the soak first, and deselects the tests that need shared data where there is none."""
    items.sort(key=lambda item: item.path.name != "test_soak.py")
    if SHARED_DATA.exists():
        return
    left_out = [item for item in items if item.get_closest_marker("shared_data")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Reports the deselected tests."""
    if not SHARED_DATA.exists():
        terminalreporter.write_line("../shared/data is absent: the tests marked `shared_data` were left out")
