"""What every test run shares."""

import os
from pathlib import Path

import pytest

SHARED_DATA = Path(__file__).parents[1].parent / "shared" / "data"


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """In CI nothing is skipped: a skip there is a failure that names its reason."""
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {reason}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not SHARED_DATA.exists():
        terminalreporter.write_line("../shared is absent: tests on its documents and question sets ran on none of them")
