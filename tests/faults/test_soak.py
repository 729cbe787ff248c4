"""Random questions and killed processes. `SOAK_MINUTES` sets how long."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

MINUTES = float(os.environ.get("SOAK_MINUTES") or 1)
ROOT = Path(__file__).parents[2]
SESSION_SECONDS = 45
VIOLATIONS = ("lost", "doubled", "out_of_order", "stuck", "failed")


@pytest.mark.timeout(MINUTES * 60 + 400)
def test_whatever_is_killed_every_question_ends_once_and_in_order(record_property):
    """G1, G2, G3. On a violation the seed and the history of the message are in the captured output."""
    ended = subprocess.run(
        [sys.executable, "-m", "bench.soak", "--minutes", str(MINUTES), "--json"],
        capture_output=True, text=True, check=False, cwd=ROOT, timeout=MINUTES * 60 + 380,
    )  # fmt: skip
    assert ended.stdout, ended.stderr[-4000:]
    figures = json.loads(ended.stdout.splitlines()[-1])
    record_property("figures", figures)

    assert {kind: figures[kind] for kind in VIOLATIONS} == dict.fromkeys(VIOLATIONS, 0), ended.stderr[-8000:]
    assert figures["kills"] >= 6 * MINUTES
    assert figures["recovery_seconds_max"] is None or figures["recovery_seconds_max"] <= SESSION_SECONDS + 5
