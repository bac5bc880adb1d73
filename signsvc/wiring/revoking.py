"""The folder `pki` of the keys as it is at the moment: which seal certificates are revoked, and what is published."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509

from signsvc.certificates import MALFORMED, paths_to_root
from signsvc.errors import KeysError
from signsvc.revocations import Revoked, revocations

AGAIN_SECONDS = 60.0
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Found:
    """What the folder held: its files (DER) by name, what they revoke, and the names of those that are unreadable."""

    files: Mapping[str, bytes]
    revoked: Revoked
    faults: tuple[str, ...]


class Revocations:
    """The revocations that are known now: a list that is put into the key folder counts within a minute.

    `roots` (PEM) are the key folder's, `issuers` (DER) what its seals bring along. A revocation that was known once
    stays known while the process lives, whatever becomes of the list, and in those forked from it. KeysError if a file
    cannot be read at the start. One that cannot be read later is a fault: it is told in the log, keeps no other file
    from counting, and what stood in its place before is still published.
    """

    def __init__(
        self,
        folder: Path,
        roots: Sequence[bytes],
        issuers: Sequence[bytes],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder, self._clock = folder, clock
        try:
            self._roots = [x509.load_pem_x509_certificate(pem) for pem in roots]
            self._issuers = [x509.load_der_x509_certificate(der) for der in {*issuers}]
        except MALFORMED as error:
            raise KeysError("密钥文件夹中的根证书或签章证书无法读取") from error
        self._found = self._read()
        self._again = clock() + AGAIN_SECONDS
        if self._found.faults:
            names = "、".join(self._found.faults)
            raise KeysError(f"密钥文件夹 pki 中的吊销列表或证书无法读取，应为 DER 格式：{names}")

    def __call__(self) -> Revoked:
        return self._now().revoked

    def files(self) -> Mapping[str, bytes]:
        """Certificates of the CAs and their revocation lists, DER by file name, where the seals' certificates point."""
        return self._now().files

    def faults(self) -> tuple[str, ...]:
        """The names of the files that cannot be read now."""
        return self._now().faults

    def _now(self) -> _Found:
        if self._clock() >= self._again:
            self._again = self._clock() + AGAIN_SECONDS
            before, now = self._found, self._read()
            kept = {name: before.files[name] for name in now.faults if name in before.files}
            self._found = _Found({**now.files, **kept}, {**before.revoked, **now.revoked}, now.faults)
            for name in now.faults:
                _LOG.error("pki_unreadable %s", name)
        return self._found

    def _read(self) -> _Found:
        """File by file: what one says counts whatever has become of the others."""
        files: dict[str, bytes] = {}
        revoked: dict[tuple[bytes, int], datetime] = {}
        faults, brought = [], list(self._issuers)
        places = sorted(self._folder.glob("[!.]*.crt")) + sorted(self._folder.glob("[!.]*.crl"))
        for file in places:  # certificates first: only lists by authorities under a root count
            try:
                der = file.read_bytes()
                if file.suffix == ".crt":
                    brought.append(x509.load_der_x509_certificate(der))
                else:
                    revoked |= revocations([der], list(self._trusted(brought)))
                files[file.name] = der
            except (OSError, *MALFORMED):
                faults.append(file.name)
        return _Found(files, revoked, tuple(faults))

    def _trusted(self, others: Sequence[x509.Certificate]) -> Iterator[x509.Certificate]:
        """The roots, and every CA that leads to one."""
        yield from self._roots
        yield from (item for item in others if next(paths_to_root(item, others, self._roots), None))
