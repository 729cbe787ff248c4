"""What every test run shares."""

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


def pytest_configure(config: pytest.Config) -> None:
    """Names our marker, and makes Ctrl-C reach the processes that tests start.

    A shell ignores SIGINT for its background jobs, and every child process inherits that.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.addinivalue_line("markers", "shared_data: runs on files of ../shared/data, and only where that is.")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The soak begins first. Where there is no shared data, what runs on it is not of this run."""
    items.sort(key=lambda item: item.path.name != "test_soak.py")
    if SHARED_DATA.exists():
        return
    left_out = [item for item in items if item.get_closest_marker("shared_data")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says what could not be tried."""
    if not SHARED_DATA.exists():
        terminalreporter.write_line("../shared/data is absent: the tests marked `shared_data` were left out")
