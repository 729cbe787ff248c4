"""Takes from a process what no reader of a file needs: other files, sockets, new processes, a look at others.

Landlock (Linux 5.13, kernel docs `userspace-api/landlock`) for files and, since its fourth version, TCP; a seccomp
filter (kernel docs `userspace-api/seccomp_filter`) for the rest. Both by `ctypes`: of their Python packages one has had
no release since 2021 and the others are wrappers of the same few calls. What is missing on a machine is said by
`lock_down`; the limits on time and memory stay in any case.
"""

import ctypes
import os
import platform
import struct
import sys
from collections.abc import Sequence
from pathlib import Path

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
RULE_PATH_BENEATH, VERSION_FLAG = 1, 1
READ_FILE, READ_DIR, EXECUTE = 1 << 2, 1 << 3, 1 << 0
# All that the first version knows but for the newest, which later kernels add: refer, truncate, ioctl.
FILE_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
TCP_RIGHTS, SCOPES = 3, 3
TCP_SINCE, SCOPES_SINCE = 4, 6
EPERM, ENOSYS = 1, 38
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
# Per machine: socket, socketpair, connect, clone3, execve, execveat, fork, vfork, ptrace, process_vm_readv,
# process_vm_writev, kill, tkill, io_uring_setup, bpf, userfaultfd, mount, unshare, setns, keyctl, pidfd_open; clone.
CALLS = {
    "x86_64": (
        0xC000003E,
        (41, 53, 42, 59, 322, 57, 58, 101, 310, 311, 62, 200, 425, 321, 323, 165, 272, 308, 250, 434),
        56,
    ),
    "aarch64": (
        0xC00000B7,
        (198, 199, 203, 221, 281, 117, 270, 271, 129, 130, 425, 280, 282, 40, 97, 268, 219, 434),
        220,
    ),
}
# On x86 every call has a second number, of the x32 interface, that would pass the list.
X32 = 0x40000000
CLONE3, CLONE_THREAD = 435, 0x00010000
_LIBC = ctypes.CDLL(None, use_errno=True)


def lock_down(readable: Sequence[Path], writable: Sequence[Path]) -> list[str]:
    """From now on this process reads and writes these only, and starts and reaches nothing. Returns what could not be
    taken from it, in words.
    """
    if sys.platform != "linux":
        return ["files", "network", "processes"]
    _LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    missing = _restrict_files(readable, writable)
    if not _filter_calls():
        missing += ["network", "processes"]
    return missing


def _restrict_files(readable: Sequence[Path], writable: Sequence[Path]) -> list[str]:
    version = _LIBC.syscall(CREATE_RULESET, None, ctypes.c_size_t(0), VERSION_FLAG)
    if version < 1:
        return ["files"]
    handled = FILE_RIGHTS[max(known for known in FILE_RIGHTS if known <= version)]
    attributes = struct.pack(
        "=QQQ", handled, TCP_RIGHTS if version >= TCP_SINCE else 0, SCOPES if version >= SCOPES_SINCE else 0
    )
    size = 8 if version < TCP_SINCE else 16 if version < SCOPES_SINCE else 24
    ruleset = _LIBC.syscall(CREATE_RULESET, attributes, ctypes.c_size_t(size), 0)
    for paths, rights in ((readable, READ_FILE | READ_DIR | EXECUTE), (writable, handled)):
        for path in paths:
            _allow(ruleset, path, rights & handled)
    done = _LIBC.syscall(RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)
    return [] if done == 0 else ["files"]


def _allow(ruleset: int, path: Path, rights: int) -> None:
    try:
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    if not path.is_dir():
        rights &= ~READ_DIR
    _LIBC.syscall(ADD_RULE, ruleset, RULE_PATH_BENEATH, struct.pack("=Qi", rights, opened), 0)
    os.close(opened)


def _filter_calls() -> bool:
    if platform.machine() not in CALLS:
        return False
    architecture, denied, clone = CALLS[platform.machine()]
    program = [
        (0x20, 0, 0, 4),  # the architecture
        (0x15, 1, 0, architecture),
        (0x06, 0, 0, ERRNO | EPERM),
        (0x20, 0, 0, 0),  # the number of the call
        (0x35, 0, 1, X32),
        (0x06, 0, 0, ERRNO | EPERM),
        # The C library falls back to clone, whose flags can be seen.
        (0x15, 0, 1, CLONE3),
        (0x06, 0, 0, ERRNO | ENOSYS),
    ]
    for number in denied:
        program += [(0x15, 0, 1, number), (0x06, 0, 0, ERRNO | EPERM)]
    program += [
        (0x15, 0, 3, clone),
        (0x20, 0, 0, 16),  # its flags: a thread is allowed
        (0x45, 1, 0, CLONE_THREAD),
        (0x06, 0, 0, ERRNO | EPERM),
        (0x06, 0, 0, ALLOW),
    ]
    code = b"".join(struct.pack("=HBBI", *instruction) for instruction in program)
    buffer = ctypes.create_string_buffer(code, len(code))
    header = struct.pack("@HP", len(program), ctypes.addressof(buffer))
    return bool(_LIBC.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, header, 0, 0) == 0)
