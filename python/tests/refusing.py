"""Becomes a command in a system that refuses one call, as containers do: `refusing.py CALL ERROR COMMAND`."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys

# Numbers of the calls by processor.
CALLS = {
    "x86_64": {"seccomp": 317, "pidfd_open": 434, "pidfd_getfd": 438},
    "aarch64": {"seccomp": 277, "pidfd_open": 434, "pidfd_getfd": 438},
}
NO_NEW_PRIVILEGES, SECCOMP, FILTER = 38, 22, 2
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
REFUSE, ALLOW = 0x0005_0000, 0x7FFF_0000


def refuse(call: str, error: str) -> None:
    """Lets a system call fail in this process and all that it starts."""
    number = CALLS[platform.machine()][call]
    steps = [
        (LOAD, 0, 0, 0),
        (EQUAL, 0, 1, number),
        (RETURN, 0, 0, REFUSE | getattr(errno, error)),
        (RETURN, 0, 0, ALLOW),
    ]
    program = b"".join(struct.pack("HBBI", *step) for step in steps)
    held = ctypes.create_string_buffer(program)
    described = struct.pack("HxxxxxxQ", len(steps), ctypes.addressof(held))
    libc = ctypes.CDLL(None, use_errno=True)
    for words in ((NO_NEW_PRIVILEGES, 1, 0), (SECCOMP, FILTER, described)):
        if libc.prctl(*words, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "the filter could not be set")


if __name__ == "__main__":
    refuse(sys.argv[1], sys.argv[2])
    os.execvp(sys.argv[3], sys.argv[3:])
