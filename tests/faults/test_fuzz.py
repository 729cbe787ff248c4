"""Random bytes on every topic and socket, beside honest sessions. `FUZZ_MINUTES` sets how long; default 1."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

MINUTES = float(os.environ.get("FUZZ_MINUTES") or 1)
ROOT = Path(__file__).parents[2]
FAULTS = ("deaths", "hangs", "wrong_texts", "server_errors")


@pytest.mark.timeout(MINUTES * 60 + 300)
def test_no_input_stops_anything_or_changes_an_honest_answer(record_property):
    """On a failure the seed and the details are in the captured output."""
    ended = subprocess.run(
        [sys.executable, "-m", "bench.fuzz", "--minutes", str(MINUTES)],
        capture_output=True, text=True, check=False, cwd=ROOT, timeout=MINUTES * 60 + 280,
    )  # fmt: skip
    assert ended.stdout, ended.stderr[-4000:]
    figures = json.loads(ended.stdout.splitlines()[-1])
    record_property("figures", figures)

    assert {kind: figures[kind] for kind in FAULTS} == dict.fromkeys(FAULTS, 0), ended.stderr[-8000:]
    assert figures["honest_chats"] >= 100 * MINUTES
    assert figures["live_p50_ms"] < 100
