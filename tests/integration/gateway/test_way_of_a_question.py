"""The calls of one question through the gateway are those listed in `docs/architecture.md`."""

import asyncio
import re
import sys
from pathlib import Path
from uuid import uuid4

from tests.support.gateway_running import ScriptedWorker, events_of

ROOT = Path(__file__).parents[3]
# Everything else is called from these two files.
CALLERS = ("gateway/endpoints/guard.py", "gateway/endpoints/chat.py")
MAX_FILES = 10


class Way:
    """Records each gateway function that `CALLERS` call in the task of one request, in order of its first call."""

    def __init__(self):
        self.calls = []
        self._task = None

    def __call__(self, frame, event, _):
        if event != "call" or frame.f_back is None:
            return
        page, called = _file(frame.f_back.f_code), _file(frame.f_code)
        if called == CALLERS[0] and frame.f_code.co_name == "enter" and self._task is None:
            self._task = asyncio.current_task()
        if page not in CALLERS or not called.startswith("gateway/") or called in CALLERS or not self._is_ours():
            return
        call = f"`{called}` {_name(frame.f_code)}"
        if call not in self.calls:
            self.calls.append(call)

    def _is_ours(self):
        try:
            return self._task is not None and asyncio.current_task() is self._task
        except RuntimeError:
            return False


def _file(code):
    path = Path(code.co_filename)
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else ""


def _name(code):
    return code.co_qualname if hasattr(code, "co_qualname") else code.co_name


async def test_the_way_of_a_question_is_the_one_that_the_architecture_lists(running, own):
    keys = await running.seed(f"c-{uuid4().hex}")
    headers, way = {"authorization": f"Bearer {keys.secret}"}, Way()
    body = {"message": "How?", "sessionId": uuid4().hex, "messageId": str(uuid4())}
    async with ScriptedWorker(own):
        sys.setprofile(way)
        try:
            async with running.http.stream("POST", "/chat/stream", headers=headers, json=body) as response:
                sys.setprofile(None)
                await events_of(response)
        finally:
            sys.setprofile(None)

    section = (ROOT / "docs" / "architecture.md").read_text("utf-8").partition("## The way of one question")[2]
    listed = re.findall(r"^\d+\. (`gateway/\S+` \S+)", section.partition("\n## ")[0], re.MULTILINE)
    assert listed == way.calls, "\n".join(f"{number}. {call}" for number, call in enumerate(way.calls, start=1))
    assert len({call.split()[0] for call in way.calls}) + len(CALLERS) <= MAX_FILES
