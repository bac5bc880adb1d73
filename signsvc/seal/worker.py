"""The child's side of the sandbox: one template process with everything imported, forked anew for every file.

Run as `python -m signsvc.seal.worker CONTROL MEMORY CPU`: the number of an inherited socket, bytes, seconds. Over the
control socket come sockets, one a file; the fork behind each reads trust and file from it, answers in JSON and ends.
Whatever a file does to the process that parsed it, the next file meets a fresh one.
"""

from __future__ import annotations

import ctypes
import gc
import logging
import os
import resource
import signal
import socket
import struct
import sys
from importlib import import_module

from signsvc.seal.examine import examine
from signsvc.seal.findings import REQUEST, Trust

_LIBC = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_OPEN_FILES = 32
# What the libraries would import in the middle of a file, when none can be opened any more.
_LATER = (
    "encodings.ascii",
    "encodings.latin_1",
    "encodings.utf_16_be",
    "encodings.utf_16_le",
    "pyhanko.pdf_utils.crypt.pdfmac",
    "pyhanko.pdf_utils.filters",
    "pyhanko.pdf_utils.metadata.xmp_xml",
)
# landlock(7), the same numbers on every architecture.
_LANDLOCK_CREATE, _LANDLOCK_RESTRICT = 444, 446
_ABI_VERSION = 1
_RULES = struct.Struct("=QQQ")  # what is denied: of files, of TCP, towards processes outside
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}  # known to an ABI; from the fifth on 16
_TCP_SINCE, _SCOPE_SINCE = 4, 6
_BOTH = 0b11  # bind and connect; abstract sockets and signals


def main(control_number: int, memory: int, cpu_seconds: int) -> None:
    """Serves until the parent closes the control socket, which its death does too."""
    logging.disable()  # what a parser says of a file may quote it
    for module in _LATER:
        import_module(module)
    _cut_off_network()
    _LIBC.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    _cut_off_files()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries the dead
    gc.freeze()
    with socket.socket(fileno=control_number) as control:
        while True:
            message, lines, _, _ = socket.recv_fds(control, 1, 1)
            if not message:
                return
            with socket.socket(fileno=lines[0]) as line:
                _fork(control, line, memory, cpu_seconds)


def _cut_off_network() -> None:
    """A name space without any interface. Where the system forbids it the limits below still stand."""
    if _LIBC.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) != 0:
        _LIBC.unshare(_CLONE_NEWNET)


def _cut_off_files() -> None:
    """No file can be opened from here on, whoever may read it: everything that is needed is imported.

    Kernels without Landlock (before 5.13, or where it is switched off) know no such thing.
    """
    version = _LIBC.syscall(_LANDLOCK_CREATE, None, 0, _ABI_VERSION)
    if version < 1:
        return
    files = (1 << _FILE_RIGHTS.get(version, 16)) - 1
    denied = (files, _BOTH * (version >= _TCP_SINCE), _BOTH * (version >= _SCOPE_SINCE))
    rules = _LIBC.syscall(_LANDLOCK_CREATE, _RULES.pack(*denied), _RULES.size, 0)
    if rules < 0 or _LIBC.syscall(_LANDLOCK_RESTRICT, rules, 0) != 0:
        raise OSError(ctypes.get_errno(), "Landlock")  # offered and not given: nothing is examined
    os.close(rules)


def _fork(control: socket.socket, line: socket.socket, memory: int, cpu_seconds: int) -> None:
    child = os.fork()
    if child == 0:
        control.close()
        _answer(line, memory, cpu_seconds)
    handle = os.pidfd_open(child)
    try:
        # With this handle the parent can end exactly this child, even when its number has been used again.
        socket.send_fds(line, [b"h"], [handle])
    except OSError:
        signal.pidfd_send_signal(handle, signal.SIGKILL)  # nobody is listening any more
    finally:
        os.close(handle)


def _answer(line: socket.socket, memory: int, cpu_seconds: int) -> None:
    """Never returns: the child must not run on into the template's loop."""
    try:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        _limit(memory, cpu_seconds)
        trust_length, file_length = REQUEST.unpack(_receive(line, REQUEST.size))
        trust = Trust.from_json(_receive(line, trust_length))
        line.sendall(examine(_receive(line, file_length), trust).to_json())
    finally:
        os._exit(0)


def _limit(memory: int, cpu_seconds: int) -> None:
    limits = {
        resource.RLIMIT_AS: memory,
        resource.RLIMIT_CPU: cpu_seconds,
        resource.RLIMIT_NOFILE: _OPEN_FILES,
        resource.RLIMIT_NPROC: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
    }
    for kind, most in limits.items():
        resource.setrlimit(kind, (most, most))


def _receive(line: socket.socket, length: int) -> bytes:
    content = bytearray(length)
    rest = memoryview(content)
    while rest:
        count = line.recv_into(rest)
        if count == 0:
            raise EOFError
        rest = rest[count:]
    return bytes(content)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
