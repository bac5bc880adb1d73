"""A disk that fails at one step of replacing a file: before anything is changed, or when the new file is there."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest


@dataclass(frozen=True)
class Break:
    """The `call`-th call (from 1) of a function of `os` fails; `persisted` says whether it was done all the same."""

    step: str
    call: int
    persisted: bool

    def __str__(self) -> str:
        return f"{self.step} {self.call} {'persisted anyway' if self.persisted else 'lost'}"

    @contextmanager
    def happening(self) -> Iterator[None]:
        real: Callable[..., Any] = getattr(os, self.step)
        calls = count(1)

        def fail(*given: Any) -> None:
            broken = next(calls) == self.call
            if self.persisted or not broken:
                real(*given)
            if broken:
                raise OSError(28, "No space left on device")

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, self.step, fail)
            yield


BREAKS = (
    Break("fsync", 1, False),
    Break("replace", 1, False),
    Break("replace", 1, True),
    Break("fsync", 2, True),  # of the folder
)
at_every_step = pytest.mark.parametrize("broken", BREAKS, ids=str)
