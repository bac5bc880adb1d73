"""A process that verifies: the registry to read and the match key, or offline only roots and a proof bundle."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from signsvc import keys
from signsvc.config import Settings
from signsvc.errors import InputError, KeysError, NotFound
from signsvc.identity import normalise_code
from signsvc.keys import KeyRing, Role
from signsvc.notes import NoteError
from signsvc.proofs import MAX_BUNDLE_BYTES, BundleError, log_chain, open_bundle
from signsvc.registry import Registry
from signsvc.seal.findings import Trust
from signsvc.seal.sandbox import Sandbox
from signsvc.verify import Bundle, Verifier
from signsvc.wiring.home import READING, SERVING, load_keys, now, open_home


@dataclass(frozen=True)
class Service:
    """What a process that answers the public works with."""

    ring: KeyRing
    registry: Registry
    verifier: Verifier


@contextmanager
def verifying(settings: Settings, root: Path | None = None) -> Iterator[Verifier]:
    """Online verification: the registry and the match key; no key that could make anything."""
    with serving(settings, READING, root) as service:
        yield service.verifier


@contextmanager
def serving(
    settings: Settings, roles: Collection[Role] = SERVING, root: Path | None = None
) -> Iterator[Service]:
    """The same for who answers others: with the key that signs receipts."""
    ring, registry = open_home(settings, roles)
    pins = registry.seal_certificates() | {seal.sha256 for seal in ring.certificates.values()}
    trust = replace(_trust(ring, root), pins=frozenset(pins))
    with ExitStack() as stack:
        stack.callback(registry.close)
        sandbox = stack.enter_context(Sandbox())
        verifier = Verifier(registry, lambda data: sandbox.examine(data, trust), now)
        yield Service(ring, registry, verifier)


@contextmanager
def verifying_offline(settings: Settings, root: Path | None, proof: Path | None) -> Iterator[Verifier]:
    """Verification with nothing but pinned roots and, for what the registry knew, a proof bundle."""
    trust = _trust(None if root else load_keys(settings, ()), root)
    bundle = _bundle(proof, trust.roots) if proof else None
    with Sandbox() as sandbox:
        yield Verifier(None, lambda data: sandbox.examine(data, trust), now, bundle)


def _bundle(file: Path, roots: Sequence[bytes]) -> Bundle:
    """A proof bundle that holds: its log's key leads to the roots, and its record is in that log."""
    text = _read(file, "存证包")
    try:
        chain = log_chain(text)
        if not chain:
            raise InputError("存证包中没有日志证书，不能离线核对：请联网查验", "bad_proof")
        record, index, checkpoint = open_bundle(text, keys.certified_log(chain, roots, now()))
    except (BundleError, NoteError, KeysError) as error:
        raise InputError("存证包不完整、被改动，或不是所信任的根证书之下的日志", "bad_proof") from error
    return Bundle(record, index, checkpoint.size)


def proof_bundle(settings: Settings, verifier: Verifier, number: str, code: str) -> bytes:
    """The proof bundle of a certificate, with the log's certificate in it, for who knows number and code."""
    bundle = verifier.registry and verifier.registry.proof_bundle(
        number, normalise_code(code), load_keys(settings, ()).log_chain
    )
    if not bundle:
        raise NotFound("没有这份证明的存证")
    return bundle.encode()


def _trust(ring: KeyRing | None, root: Path | None) -> Trust:
    """The roots given on the spot, or those of the key folder. Without any, every file is untrusted."""
    roots = keys.read_roots(_read(root, "根证书")) if root else ring.roots if ring else ()
    # Without roots of its own a time stamp is left aside and the time that the seal claims counts.
    stamps = ring.tsa_roots if ring else ()
    return Trust(tuple(roots), timestamp_roots=(*roots, *stamps) if stamps else ())


def _read(file: Path, what: str) -> bytes:
    try:
        with open(file, "rb") as stream:
            return stream.read(MAX_BUNDLE_BYTES + 1)
    except OSError as error:
        raise InputError(f"读不到{what} {file}") from error


def published_pki(settings: Settings) -> dict[str, bytes]:
    """Certificates of the CAs and their revocation lists, DER by file name, where the seals' certificates point."""
    return {file.name: file.read_bytes() for file in sorted((settings.keys / "pki").glob("*"))}
