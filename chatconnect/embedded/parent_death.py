"""Runs a command that gets a signal when its parent dies, however it dies.

`python -I -S parent_death.py SIGNAL PARENT_PID COMMAND…`, because Linux keeps the setting across `exec` but not across
`fork`.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main(signal_number: int, parent_pid: int, command: list[str]) -> None:
    """Never returns: becomes `command`, or exits with 127 and a sentence."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal_number)
    if os.getppid() != parent_pid:
        sys.exit("the parent ended before the start")
    try:
        os.execvp(command[0], command)  # noqa: S606 - a shell would be another process
    except OSError as error:
        print(f"cannot run {command[0]}: {error.strerror}", file=sys.stderr)
        sys.exit(127)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
