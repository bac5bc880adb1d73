"""A real time stamping authority, OCSP responder and CRL publisher on loopback (certomancer), for the tests of B-LT."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from asn1crypto import pem
from certomancer.integrations.animator import Animator, AnimatorArchStore
from certomancer.registry import ArchLabel, CertLabel, CertomancerConfig, PKIArchitecture
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from werkzeug.exceptions import NotFound
from werkzeug.serving import make_server

ROLES = ("root", "issuing", "office", "tsa", "ocsp")
OFFICE_NAME = "广东省示范市示范区和平街道幸福社区居民委员会"


@contextmanager
def authority(
    folder: Path, now: datetime, revoked: bool = False, office_name: str = OFFICE_NAME
) -> Iterator[Authority]:
    """The authority, answering on a free port for as long as the block lasts; `office_name` is whose seal it issued."""
    server = make_server("127.0.0.1", 0, NotFound(), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        # The addresses stand in the certificates, so the port has to be known before they are made.
        found = Authority(
            folder, f"http://127.0.0.1:{server.server_port}", _config(now, revoked, office_name)
        )
        server.app = Animator(AnimatorArchStore({ArchLabel("pki"): found.architecture}), with_web_ui=False)
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Authority:
    """Keys and certificates of root, issuing CA, one office, TSA and OCSP responder; the service urls."""

    def __init__(self, folder: Path, url: str, settings: dict[str, Any]) -> None:
        for role in ROLES:
            (folder / f"{role}.pem").write_bytes(_new_key(3072 if role == "office" else 2048))
        config = CertomancerConfig(settings, key_search_dir=str(folder), external_url_prefix=url)
        self.architecture: PKIArchitecture = config.get_pki_arch(ArchLabel("pki"))
        self.tsa_url = f"{url}/pki/tsa/tsa"
        self.office_key = (folder / "office.pem").read_bytes()

    def certificate(self, role: str) -> bytes:
        """PEM."""
        return pem.armor("CERTIFICATE", self.architecture.get_cert(CertLabel(role)).dump())


def _new_key(bits: int) -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _config(now: datetime, revoked: bool, office_name: str) -> dict[str, Any]:
    office = {"issuer": "issuing", "profiles": ["digsig-commitment"]}
    if revoked:
        office["revocation"] = {
            "revoked-since": (now - timedelta(days=1)).isoformat(),
            "reason": "key_compromise",
        }
    ca = {"id": "simple-ca", "params": {"crl-repo": "root"}}
    certificates = {
        "root": {"issuer": "root", "profiles": [ca]},
        "issuing": {
            "issuer": "root",
            "profiles": [{"id": "simple-ca", "params": {"crl-repo": "issuing", "ocsp-service": "ocsp"}}],
        },
        "office": office,
        "tsa": {"issuer": "root", "extensions": _stamping()},
        "ocsp": {"issuer": "issuing", "profiles": ["ocsp-responder"]},
    }
    validity = {
        "valid-from": (now - timedelta(days=30)).isoformat(),
        "valid-to": (now + timedelta(days=300)).isoformat(),
    }
    for role, entry in certificates.items():
        entry |= {
            "subject": role,
            "subject-key": role,
            "authority-key": entry["issuer"],
            "validity": validity,
        }
    return {
        "keysets": {"keys": {"keys": {role: {"path": f"{role}.pem"} for role in ROLES}}},
        "pki-architectures": {
            "pki": {
                "keyset": "keys",
                "entity-defaults": {"country-name": "CN", "organization-name": "测试"},
                "entities": {role: {"common-name": role} for role in ROLES}
                | {"office": {"common-name": "office", "organization-name": office_name}},
                "certs": certificates,
                "services": _services(),
            }
        },
    }


def _stamping() -> list[dict[str, Any]]:
    return [
        {
            "id": "key_usage",
            "critical": True,
            "smart-value": {"schema": "key-usage", "params": ["digital_signature"]},
        },
        {"id": "extended_key_usage", "critical": True, "value": ["time_stamping"]},
    ]


def _services() -> dict[str, Any]:
    daily = "P1D"
    return {
        "crl-repo": {
            role: {"for-issuer": role, "signing-key": role, "simulated-update-schedule": daily}
            for role in ("root", "issuing")
        },
        "ocsp": {"ocsp": {"for-issuer": "issuing", "responder-cert": "ocsp", "signing-key": "ocsp"}},
        "time-stamping": {"tsa": {"signing-key": "tsa", "signing-cert": "tsa"}},
    }
