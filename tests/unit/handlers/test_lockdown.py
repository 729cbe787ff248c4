"""Code in a reader's child process can read its one file, write beside it, and nothing else."""

import json
import os
import platform
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from handlers.readers.lockdown import ARCHITECTURES

ROOT = Path(__file__).parents[3]
SCRIPT = """
import sys, os, socket, json, threading
from pathlib import Path
from handlers.readers.lockdown import lock_down
from handlers.readers.child import LIBRARIES, PYTHON
folder = Path(sys.argv[1])
left = lock_down([*PYTHON, *LIBRARIES], [folder])
tried = {}
def can(name, work):
    try:
        work()
        tried[name] = True
    except OSError:
        tried[name] = False
can("own file", lambda: (folder / "own").write_text("x"))
can("environment of the parent", lambda: Path(f"/proc/{os.getppid()}/environ").read_bytes())
can("own environment", lambda: Path("/proc/self/environ").read_bytes())
can("passwords", lambda: Path("/etc/passwd").read_text())
can("a secret beside", lambda: (folder.parent / "dev.env").read_text())
can("a list of a folder", lambda: os.listdir(folder.parent))
can("write elsewhere", lambda: (folder.parent / "new").write_text("x"))
can("tcp", lambda: socket.create_connection(("127.0.0.1", int(sys.argv[2])), timeout=2))
can("udp", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
can("unix", lambda: socket.socket(socket.AF_UNIX))
can("fork", lambda: os.fork() or os._exit(0))
can("exec", lambda: os.execv("/bin/true", ["true"]))
can("spawn", lambda: os.posix_spawn("/bin/true", ["true"], {}))
can("kill", lambda: os.kill(os.getppid(), 0))
thread = threading.Thread(target=lambda: None); thread.start(); thread.join()
import decimal, zlib, xml.dom.minidom
print(json.dumps({"left": left, **tried}))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the child says there what could not be taken from it")
def test_a_locked_down_child_reaches_nothing_but_its_folder(tmp_path):
    (tmp_path / "dev.env").write_text("SECRET=1")
    folder = tmp_path / "document"
    folder.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as server:
        ended = subprocess.run(
            [sys.executable, "-P", "-c", SCRIPT, str(folder), str(server.getsockname()[1])],
            env={"PYTHONPATH": str(ROOT), "LD_LIBRARY_PATH": os.environ.get("LD_LIBRARY_PATH", "")},
            capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    tried = json.loads(ended.stdout.splitlines()[-1])

    assert tried.pop("own file")
    if not tried.pop("left"):
        assert not any(tried.values()), tried


SIGNALS = """
import ctypes, json, os
from handlers.readers import lockdown
libc = ctypes.CDLL(None, use_errno=True)
libc.prctl(lockdown.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
done = lockdown._filter_calls()
number = lockdown.TGKILL[list(lockdown.ARCHITECTURES).index(os.uname().machine)]
itself, parent = (libc.syscall(number, pid, pid, 0) == 0 for pid in (os.getpid(), os.getppid()))
print(json.dumps({"done": done, "itself": itself, "parent": parent}))
"""


@pytest.mark.skipif(
    platform.machine() not in ARCHITECTURES or sys.platform != "linux", reason="no filter is known here"
)
def test_without_landlock_a_child_can_signal_itself_alone():
    ended = subprocess.run(
        [sys.executable, "-P", "-c", SIGNALS],
        env={"PYTHONPATH": str(ROOT), "LD_LIBRARY_PATH": os.environ.get("LD_LIBRARY_PATH", "")},
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr

    assert json.loads(ended.stdout) == {"done": True, "itself": True, "parent": False}
