"""Registers many certificates that were never printed, through the registry's own `reserve` and `commit`.

What comes of it is a registry like any other: leaves, nodes, standings, keyed hashes and checkpoints are those of
`sign`. Only files and boxes are missing, so `signsvc log verify` would ask for the archive; `Registry.audit` does not.
"""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

from home import Home
from registry.samples import certificate
from sqlalchemy import event

from signsvc.config import Settings
from signsvc.identity import new_code
from signsvc.identity.codes import ALPHABET
from signsvc.keys import Role
from signsvc.models import OfficeId
from signsvc.registry import Claim, NewCertificate, Registry, Reservation
from signsvc.wiring.home import database_url, load_keys, log_folder, now

CHUNK = 2_000  # certificates in a transaction
OFFICE = OfficeId("gd-demo")
FORMAT = "{year}-{serial:07d}"  # so that known and unknown numbers are of one length
VALID_DAYS = 180
# Pages know no API key. Everything is counted as ever, but all that asks here has one address.
UNLIMITED = {"SIGNSVC_LIMIT_CLIENT": "9999999/minute"}


@dataclass(frozen=True)
class Filled:
    """A registry of `count` certificates, numbered from 1 in `year`."""

    year: int
    count: int

    def number(self, serial: int) -> str:
        """The whole number; unknown for a serial above `count`."""
        return f"{OFFICE}-{FORMAT.format(year=self.year, serial=serial)}"


def code_of(serial: int, drawing: str = "issued") -> str:
    """A well-formed code: this certificate's own, or by another `drawing` a wrong one."""
    drawn = int.from_bytes(sha256(f"{drawing} {serial}".encode()).digest())
    places = iter(range(16))
    return new_code(lambda choices: drawn // len(ALPHABET) ** next(places) % choices)


def fill(settings: Settings, count: int) -> Filled:
    """Registers `count` certificates in the fresh home of these settings."""
    at = now()
    with _hurrying(settings) as registry:
        chain = seal_chain(settings)
        for start in range(1, count + 1, CHUNK):
            serials = range(start, min(start + CHUNK, count + 1))
            register(registry, serials, chain, at)
    return Filled(at.year, count)


@contextmanager
def filled_home(count: int) -> Iterator[tuple[Home, Filled]]:
    """A demonstration home with so many certificates, gone when the block ends; tells what it took."""
    with tempfile.TemporaryDirectory() as scratch:
        home = Home(Path(scratch), UNLIMITED)
        home.run("init", "--demo")
        begin = time.perf_counter()
        filled = fill(home.settings, count)
        seconds = time.perf_counter() - begin
        megabytes = sum(file.stat().st_size for file in home.var.glob("registry.sqlite3*")) / 1e6
        print(f"\nregistered {count:,} certificates in {seconds:.0f} s ({megabytes:,.0f} MB)", flush=True)
        yield home, filled


def register(registry: Registry, serials: range, chain: tuple[bytes, ...], at: datetime) -> None:
    """One more chunk, whose numbers must be these."""
    claims = [Claim(registry.mark(f"bench-{serial}", {}), OFFICE, FORMAT, at.date()) for serial in serials]
    held = [item for item in registry.reserve(claims, at) if isinstance(item, Reservation)]
    if [item.serial for item in held] != list(serials):
        raise RuntimeError("the home was not fresh")
    registry.commit(_certificates(held, chain, at), at)


def _certificates(
    held: Sequence[Reservation], chain: tuple[bytes, ...], at: datetime
) -> list[NewCertificate]:
    own = {
        "issued_on": at.date(),
        "sealed_at": at,
        "valid_until": at.date() + timedelta(days=VALID_DAYS),
        "chain": chain,
    }
    return [replace(certificate(item), code=code_of(item.serial), **own) for item in held]


def seal_chain(settings: Settings) -> tuple[bytes, ...]:
    """The office's real seal certificate and its issuers, which every lookup reads."""
    seal = load_keys(settings, ()).certificates[OFFICE]
    return (seal.certificate, *seal.chain)


@contextmanager
def writing(settings: Settings) -> Iterator[Registry]:
    """The registry, to be written to. Its boxes are nobody's: they are not looked into."""
    ring = load_keys(settings, (Role.LOG, Role.MATCH))
    with closing(
        Registry.open(database_url(settings), log_folder(settings), ring.match, ring.log)
    ) as registry:
        yield registry


@contextmanager
def _hurrying(settings: Settings) -> Iterator[Registry]:
    """The same, written to fast: nobody needs this one after a loss of power, so its connection need not wait for the
    disk. What is written is the same."""
    with writing(settings) as registry:
        event.listen(registry._book.engine, "connect", _hurry)
        registry._book.engine.dispose()  # the next connection hurries
        gc.disable()  # a tenth of the time, and nothing here goes in circles
        try:
            yield registry
        finally:
            gc.enable()


def _hurry(connection: object, _record: object) -> None:
    for setting in ("synchronous = OFF", "cache_size = -1000000", "wal_autocheckpoint = 20000"):
        connection.execute(f"PRAGMA {setting}")  # type: ignore[attr-defined]
