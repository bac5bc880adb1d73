"""A process that verifies: the registry to read, the match key, and for who answers others the receipts' key."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from signsvc import keys
from signsvc.config import Settings
from signsvc.errors import InputError, NotFound
from signsvc.identity import normalise_code
from signsvc.keys import KeyRing, Role
from signsvc.proofs import MAX_BUNDLE_BYTES
from signsvc.receipts import Receipts
from signsvc.registry import Registry
from signsvc.seal.findings import Examination, Trust
from signsvc.seal.sandbox import Sandbox
from signsvc.verify import Verifier
from signsvc.wiring.home import READING, SERVING, load_keys, now, open_keys, open_registry
from signsvc.wiring.revoking import Revocations

Asking = tuple[Verifier, Receipts | None]


@dataclass(frozen=True)
class Opened:
    """What several processes that answer may have in common; `pki` is the folder of that name in the key folder.

    Once its registry is closed, and until that is asked again, it may cross into children: each of them then opens the
    database for itself, and whatever became of the files meanwhile, none of them fails to start.
    """

    ring: KeyRing
    registry: Registry
    pki: Revocations


@dataclass(frozen=True)
class Service:
    """What a process that answers the public works with; `receipts` only where it holds the key that signs them."""

    opened: Opened
    verifier: Verifier
    sandbox: Sandbox

    @property
    def receipts(self) -> Receipts | None:
        ring = self.opened.ring
        return Receipts(ring.receipt) if ring.receipt_private else None


def open_all(settings: Settings, roles: Collection[Role] = SERVING) -> Opened:
    """Keys of these roles, registry and revocations; a SignsvcError says what is wrong with any of them."""
    ring = open_keys(settings, roles)
    issuers = [der for seal in ring.certificates.values() for der in seal.chain]
    pki = Revocations(settings.keys / "pki", ring.roots, issuers)
    return Opened(ring, open_registry(settings, ring), pki)


@contextmanager
def serving(opened: Opened, root: Path | None = None) -> Iterator[Service]:
    """Online verification, in this process; its registry is closed with it.

    With a `root` of the asker's own every file is examined: he asks whose seal it is.
    """
    registry = opened.registry
    own = {seal.sha256 for seal in opened.ring.certificates.values()}
    with closing(registry), Sandbox() as sandbox:
        trust = trusting(opened.ring, root)

        def examine(data: bytes) -> Examination:
            # As the registry knows them now: a seal may have been made since this process started.
            return sandbox.examine(data, replace(trust, pins=frozenset(registry.seal_certificates() | own)))

        verifier = Verifier(registry, examine, now, None, opened.pki, root is not None)
        yield Service(opened, verifier, sandbox)


@contextmanager
def asking(settings: Settings, root: Path | None, signed: bool) -> Iterator[Asking]:
    """The same for a command; with receipts if they are wanted and their key is at hand."""
    held = signed and (settings.keys / f"{Role.RECEIPT}.key").is_file()
    with serving(open_all(settings, SERVING if held else READING), root) as service:
        yield service.verifier, service.receipts


def proof_bundle(settings: Settings, verifier: Verifier, number: str, code: str) -> bytes:
    """The proof bundle of a certificate, with the log's certificate in it, for who knows number and code."""
    bundle = verifier.registry and verifier.registry.proof_bundle(
        number, normalise_code(code), load_keys(settings, ()).log_chain
    )
    if not bundle:
        raise NotFound("没有这份证明的存证")
    return bundle.encode()


def trusting(ring: KeyRing | None, root: Path | None) -> Trust:
    """The roots given on the spot, or those of the key folder. Without any, every file is untrusted."""
    roots = keys.read_roots(read_given(root, "根证书")) if root else ring.roots if ring else ()
    # Without roots of its own a time stamp is left aside and the time that the seal claims counts.
    stamps = ring.tsa_roots if ring else ()
    return Trust(tuple(roots), timestamp_roots=(*roots, *stamps) if stamps else ())


def read_given(file: Path, what: str, limit: int = MAX_BUNDLE_BYTES) -> bytes:
    """A file of the asker's; of one that is too long, one byte more than `limit`, for its reader to refuse."""
    try:
        with open(file, "rb") as stream:
            return stream.read(limit + 1)
    except OSError as error:
        raise InputError(f"读不到{what} {file}") from error
