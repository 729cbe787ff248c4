"""The TypeScript side's own checks: format, lint, types, units, and types that are made from the Python schemas."""

import subprocess

import pytest


@pytest.mark.parametrize("command", ["lint", "check", "test", "types -- --check"])
def test_its_own_checks_are_green(installed, command):
    ended = subprocess.run(
        ["npm", "run", "--silent", *command.split()], cwd=installed, capture_output=True, text=True, timeout=110
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
