"""Which seal certificates are revoked, from the revocation lists of the key folder, as they are at the moment."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from cryptography import x509

from signsvc.certificates import MALFORMED, paths_to_root
from signsvc.errors import KeysError
from signsvc.revocations import Revoked, revocations

AGAIN_SECONDS = 60.0


class Revocations:
    """The revocations that are known now: a list that is put into the key folder counts within a minute.

    `roots` (PEM) are the key folder's, `issuers` (DER) what its seals bring along. A revocation that was known once
    stays known while the process lives, whatever becomes of the list. KeysError if a list cannot be read at the start;
    later those that could be read go on counting.
    """

    def __init__(
        self,
        folder: Path,
        roots: Sequence[bytes],
        issuers: Sequence[bytes],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder, self._roots, self._issuers, self._clock = folder, roots, issuers, clock
        self._known = self._read()
        self._again = clock() + AGAIN_SECONDS

    def __call__(self) -> Revoked:
        if self._clock() >= self._again:
            self._again = self._clock() + AGAIN_SECONDS
            with contextlib.suppress(KeysError):
                self._known = {**self._known, **self._read()}
        return self._known

    def _read(self) -> Revoked:
        try:
            lists = [file.read_bytes() for file in sorted(self._folder.glob("*.crl"))]
            return revocations(lists, list(self._trusted()))
        except (OSError, *MALFORMED) as error:
            raise KeysError("密钥文件夹 pki 中的吊销列表或证书无法读取：应为 DER 格式") from error

    def _trusted(self) -> Iterator[x509.Certificate]:
        """The roots, and every CA that leads to one: only their lists count."""
        roots = [x509.load_pem_x509_certificate(pem) for pem in self._roots]
        brought = {*self._issuers, *(file.read_bytes() for file in self._folder.glob("*.crt"))}
        others = [x509.load_der_x509_certificate(der) for der in brought]
        yield from roots
        yield from (item for item in others if next(paths_to_root(item, others, roots), None))
