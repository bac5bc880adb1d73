"""Errors on their way from one process to another."""

from __future__ import annotations

import pickle

import pytest

from signsvc.errors import Busy, ConversionFailed, Fault, RowRefused, SignsvcError


@pytest.mark.parametrize(
    "error",
    [
        RowRefused([Fault("banned_matter", "不应出具", "matter")], ["找派出所"]),
        Busy("请稍后", 5),
        ConversionFailed("没有找到 LibreOffice", "no_converter"),
        SignsvcError("一句话"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_arrives_as_it_left(error: SignsvcError) -> None:
    arrived = pickle.loads(pickle.dumps(error))  # noqa: S301 (our own)
    assert type(arrived) is type(error)
    assert (str(arrived), arrived.code, vars(arrived)) == (str(error), error.code, vars(error))
