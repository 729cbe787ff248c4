"""Denies a process what no file reader needs: other files, sockets, new processes, access to other processes.

Landlock (Linux 5.13, kernel docs `userspace-api/landlock`) for files and, since its fourth version, TCP; a seccomp
filter (kernel docs `userspace-api/seccomp_filter`) for the rest. Both by `ctypes`: of their Python packages one has had
no release since 2021 and the others wrap the same few calls. `lock_down` returns what a machine cannot deny; the
limits on time and memory apply in any case.
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
# Those that a file can have, and not only a folder: with writing and, since the third version, truncating.
RIGHTS_OF_A_FILE = EXECUTE | 1 << 1 | READ_FILE | 1 << 14
# All rights by version: the first one's, then with refer, truncate and ioctl.
FILE_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
TCP_RIGHTS, SCOPES = 3, 3
TCP_SINCE, SCOPES_SINCE = 4, 6
EPERM, ENOSYS = 1, 38
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
# The calls' numbers on x86_64 and aarch64, which has no fork and no vfork.
DENIED = {
    "socket": (41, 198), "socketpair": (53, 199), "connect": (42, 203),
    "execve": (59, 221), "execveat": (322, 281), "fork": (57, None), "vfork": (58, None),
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "kill": (62, 129), "tkill": (200, 130), "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240),
    "pidfd_open": (434, 434), "pidfd_send_signal": (424, 424), "pidfd_getfd": (438, 438),
    "io_uring_setup": (425, 425), "bpf": (321, 280), "userfaultfd": (323, 282),
    "mount": (165, 40), "unshare": (272, 97), "setns": (308, 268), "keyctl": (250, 219),
}  # fmt: skip
CLONE, TGKILL = (56, 220), (234, 131)
# On x86 every call has a second number, of the x32 interface, which the list does not hold.
X32 = 0x40000000
CLONE3, CLONE_THREAD = 435, 0x00010000
_LIBC = ctypes.CDLL(None, use_errno=True)


def lock_down(readable: Sequence[Path], writable: Sequence[Path]) -> list[str]:
    """Limits this process to these paths, without network and new processes. Returns what could not be denied:
    "files", "network", "processes".
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
        rights &= RIGHTS_OF_A_FILE
    _LIBC.syscall(ADD_RULE, ruleset, RULE_PATH_BENEATH, struct.pack("=Qi", rights, opened), 0)
    os.close(opened)


def _filter_calls() -> bool:
    if platform.machine() not in ARCHITECTURES:
        return False
    program = _program(list(ARCHITECTURES).index(platform.machine()))
    code = b"".join(struct.pack("=HBBI", *instruction) for instruction in program)
    buffer = ctypes.create_string_buffer(code, len(code))
    header = struct.pack("@HP", len(program), ctypes.addressof(buffer))
    return bool(_LIBC.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, header, 0, 0) == 0)


def _program(machine: int) -> list[tuple[int, int, int, int]]:
    """The filter in BPF; `machine`: the index in `ARCHITECTURES`."""
    refuse, allow = (0x06, 0, 0, ERRNO | EPERM), (0x06, 0, 0, ALLOW)
    first_argument = (0x20, 0, 0, 16)
    program = [
        (0x20, 0, 0, 4),  # the architecture
        (0x15, 1, 0, list(ARCHITECTURES.values())[machine]),
        refuse,
        (0x20, 0, 0, 0),  # the number of the call
        (0x35, 0, 1, X32),
        refuse,
        # The C library falls back to clone, whose flags can be seen.
        (0x15, 0, 1, CLONE3),
        (0x06, 0, 0, ERRNO | ENOSYS),
    ]
    for numbers in DENIED.values():
        if (number := numbers[machine]) is not None:
            program += [(0x15, 0, 1, number), refuse]
    # A process may signal itself, as `abort` does, and start threads.
    program += [(0x15, 0, 4, TGKILL[machine]), first_argument, (0x15, 0, 1, os.getpid()), allow, refuse]
    return [*program, (0x15, 0, 3, CLONE[machine]), first_argument, (0x45, 1, 0, CLONE_THREAD), refuse, allow]
