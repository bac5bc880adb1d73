"""The command line in a process of its own, forked from one that has loaded it: a start costs no loading.

Loading takes most of a second, and the tests start hundreds of commands. What is forked has read the modules and done
nothing else: it has one thread, no setting, no file open. `Home.start`, the commands of the documents (test_readme)
and of the vectors (test_vectors_cli) start as a user's do.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from subprocess import CompletedProcess, TimeoutExpired
from tempfile import TemporaryDirectory

from signsvc.cli import COMMANDS

_LOADED = get_context("forkserver")
_LOADED.set_forkserver_preload([f"signsvc.cli.{module}" for module in sorted({*COMMANDS.values()})])


def run(
    words: Sequence[str], folder: Path, environment: Mapping[str, str], seconds: float
) -> CompletedProcess[str]:
    """`signsvc WORDS` in `folder`, ended, with its exit code and what it said; TimeoutExpired after `seconds`."""
    with TemporaryDirectory() as place:
        told = [Path(place, name) for name in ("stdout", "stderr")]
        process = start(words, folder, environment, told)
        process.join(seconds)
        if process.exitcode is None:
            process.kill()
            raise TimeoutExpired(words, seconds)
        return CompletedProcess(words, process.exitcode, *(file.read_text("utf-8") for file in told))


def start(
    words: Sequence[str], folder: Path, environment: Mapping[str, str], told: Sequence[Path]
) -> ForkServerProcess:
    """`signsvc WORDS` at work, leader of a group of its own; it writes to the two files `told`."""
    for file in told:
        file.unlink(missing_ok=True)
    process = _LOADED.Process(target=_command, args=(words, folder, dict(environment), told))
    process.start()
    while not told[-1].exists() and process.exitcode is None:
        time.sleep(0.001)
    return process


def _command(
    words: Sequence[str], folder: Path, environment: Mapping[str, str], told: Sequence[Path]
) -> None:
    """In the fork: all that a process is given, then the command."""
    from signsvc.cli import main

    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests may have it ignored
    for stream, file in zip((sys.stdout, sys.stderr), told, strict=True):
        with open(file, "wb") as opened:
            os.dup2(opened.fileno(), stream.fileno())
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = ["signsvc", *words]
    main()
