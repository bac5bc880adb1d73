"""The tools of an attacker who has a certificate really issued, and the office's seal and its authority too."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from home import Home, a_row
from vectors.workshop import YEAR, Identity, Workshop

from signsvc.issue import issue
from signsvc.keys import Role, pki
from signsvc.make import at_once
from signsvc.models import Draft, OfficeId, Outcome, PdfBytes, SealPlace
from signsvc.requests import row
from signsvc.requests.table import RawRow
from signsvc.seal.findings import Trust
from signsvc.wiring.home import load_keys, now
from signsvc.wiring.issuing import issuing
from signsvc.wiring.making import Tools, making


class Theft(Workshop):
    """A Workshop whose honest file is registered and whose keys are those of `home`."""

    def __init__(self, home: Home) -> None:
        self.now = datetime.now(UTC).replace(microsecond=0)
        root = (home.folder / "keys" / "root.pem").read_bytes()
        issuing_certificate = (home.folder / "keys" / "pki" / "issuing.crt").read_bytes()
        self.root = self._authority(home, "root", x509.load_pem_x509_certificate(root))
        self.issuing = self._authority(home, "issuing", x509.load_der_x509_certificate(issuing_certificate))
        self.thief_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        office = load_keys(home.settings, {Role.SEAL}).seals[OfficeId("gd-demo")]
        leaf = x509.load_der_x509_certificate(office.certificate)
        self.ours = Identity(office.private, leaf, (self.issuing.certificate,))
        self.expired = self._seal_identity(self.now - 4 * YEAR)
        self.tsa = self._tsa()
        self.trust = self.pinned = Trust((root,))
        self.issued, self.plain = _issue(home)
        self.sealed = bytes(self.issued.pdf or b"")

    @staticmethod
    def _authority(home: Home, name: str, certificate: x509.Certificate) -> pki.Authority:
        passphrase = (home.folder / "keys" / "passphrase").read_bytes().strip()
        pem = (home.folder / "keys" / "ca" / f"{name}.key").read_bytes()
        key = load_pem_private_key(pem, passphrase)
        assert isinstance(key, rsa.RSAPrivateKey)
        return pki.Authority(key, certificate, f"https://pki.test/{name}")


def _issue(home: Home) -> tuple[Outcome, bytes]:
    """One certificate, issued and registered, and what it was before it was sealed."""
    plain: list[bytes] = []
    request = row.parse(RawRow(2, dict(a_row(1))), now().date(), {}, 0)
    with making(Tools.load(home.settings)) as maker, issuing(home.settings) as issuer:

        def keep(pdf: PdfBytes, text: str, draft: Draft) -> SealPlace:
            plain.append(pdf)
            return maker.read_back(pdf, text, draft)

        [outcome] = issue(replace(issuer, make=at_once(replace(maker, read_back=keep))), [request])
    assert outcome.status == "issued"
    return outcome, plain[0]
