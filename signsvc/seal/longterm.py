"""What makes a seal checkable for years (PAdES B-LT): a time stamp, and the proof that no certificate was revoked."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from io import BytesIO
from typing import Any

from asn1crypto import pem, x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import PdfFileWriter
from pyhanko.sign.signers import Signer
from pyhanko.sign.timestamps import HTTPTimeStamper
from pyhanko.sign.validation import async_validate_pdf_signature
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko_certvalidator import CertificateValidator, ValidationContext

from signsvc.errors import SealFailed

_TIMEOUT = 10  # seconds for one answer of the TSA


class TimeStamping:
    """A time stamping authority (时间戳服务) and the roots that it and the seal chain to."""

    def __init__(self, url: str, roots: Sequence[bytes], signer: Signer) -> None:
        """`roots` are PEM certificates."""
        self._url = url
        self._roots = [x509.Certificate.load(pem.unarmor(item)[2]) for item in roots]
        self._signer = signer
        self.timestamper = HTTPTimeStamper(url, timeout=_TIMEOUT)

    async def add_material(self, writer: PdfFileWriter) -> None:
        """Put certificates, OCSP answers and CRLs of seal and TSA into `writer` (ISO 32000-2 12.8.4.3).

        They go into the revision that the seal will cover, without VRI: a later revision would break the seal's
        promise that nothing changes.
        """
        async with aclosing(ValidationContext(**self._policy(), allow_fetching=True)) as context:
            validator = CertificateValidator(
                self._signer.signing_cert,
                intermediate_certs=self._signer.cert_registry,
                validation_context=context,
            )
            paths = [await validator.async_validate_usage({"non_repudiation"})]
            paths += [path async for path in self.timestamper.validation_paths(context)]
            DocumentSecurityStore.supply_dss_in_writer(
                writer, None, paths=paths, ocsps=context.ocsps, crls=context.crls, embed_roots=False
            )

    def check(self, sealed: bytes) -> None:
        """Raise SealFailed unless seal and time stamp of `sealed` hold offline, by what the file itself carries."""
        reader = PdfFileReader(BytesIO(sealed))
        context = DocumentSecurityStore.read_dss(reader).as_validation_context(self._policy())
        status = asyncio.run(async_validate_pdf_signature(reader.embedded_signatures[0], context, context))
        stamp = status.timestamp_validity
        if not (status.valid and status.trusted and stamp is not None and stamp.valid and stamp.trusted):
            # The TSA may have changed its certificate: ask for it anew next time.
            self.timestamper = HTTPTimeStamper(self._url, timeout=_TIMEOUT)
            raise SealFailed("时间戳或证书状态未能通过核对，文件未发出；请检查时间戳服务后重试")

    def _policy(self) -> dict[str, Any]:
        return {"trust_roots": self._roots, "revocation_mode": "require"}
