"""What makes a seal checkable for years (PAdES B-LT): a time stamp, and the proof that no certificate was revoked."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import aclosing
from io import BytesIO
from typing import Any

from asn1crypto import pem, x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import PdfFileWriter
from pyhanko.sign.signers import Signer
from pyhanko.sign.signers.pdf_byterange import PreparedByteRangeDigest
from pyhanko.sign.timestamps import HTTPTimeStamper, TimeStamper
from pyhanko.sign.validation import async_validate_pdf_signature
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko_certvalidator import CertificateValidator, ValidationContext

from signsvc.errors import SealFailed
from signsvc.seal.cms import DIGEST, KeySigner, SealKey

_TIMEOUT = 10  # seconds for one answer of the TSA
# A time stamp may be a little longer than the one before it (serial number, fraction of a second).
_STAMP_MARGIN = 256
Embed = Callable[[int], tuple[PreparedByteRangeDigest, BytesIO]]


class TimeStamping:
    """A time stamping authority (时间戳服务) and the roots that it and the seal chain to."""

    def __init__(self, url: str, roots: Sequence[bytes], key: SealKey) -> None:
        """`roots` are PEM certificates."""
        self._url = url
        self._roots = [pem.unarmor(item)[2] for item in roots]
        self._key = key
        self._kept = threading.local()

    def reach(self) -> None:
        """Have one stamp made, which the timestamper keeps; raises whatever the library raises if there is none."""
        asyncio.run(self._timestamper().async_dummy_response(DIGEST))

    def seal(self, writer: PdfFileWriter, embed: Embed) -> bytes:
        """The document in `writer`, sealed and stamped, and found good by what it carries itself.

        `embed` writes it out with room for so many hexadecimal digits of signature. Raises SealFailed if the stamp
        does not hold, and whatever the library raises when TSA or revocation answers cannot be had.
        """
        sealed = asyncio.run(self._seal(writer, embed))
        asyncio.run(self._check(sealed))
        return sealed

    async def _seal(self, writer: PdfFileWriter, embed: Embed) -> bytes:
        signer, timestamper = KeySigner(self._key), self._timestamper()
        await self._add_material(writer, signer, timestamper)
        draft = await signer.draft(bytes(32), timestamper)
        prepared, output = embed(2 * (len(draft.dump()) + _STAMP_MARGIN))
        digest = prepared.document_digest
        container = await signer.async_sign(digest, DIGEST, use_pades=True, timestamper=timestamper)
        prepared.fill_with_cms(output, container)
        return output.getvalue()

    async def _add_material(self, writer: PdfFileWriter, signer: Signer, timestamper: TimeStamper) -> None:
        """Certificates, OCSP answers and CRLs of seal and TSA (ISO 32000-2 12.8.4.3).

        They go into the revision that the seal will cover, without VRI: a later revision would break the seal's
        promise that nothing changes.
        """
        async with aclosing(ValidationContext(**self._policy(), allow_fetching=True)) as context:
            validator = CertificateValidator(
                signer.signing_cert, intermediate_certs=signer.cert_registry, validation_context=context
            )
            paths = [await validator.async_validate_usage({"non_repudiation"})]
            paths += [path async for path in timestamper.validation_paths(context)]
            DocumentSecurityStore.supply_dss_in_writer(
                writer, None, paths=paths, ocsps=context.ocsps, crls=context.crls, embed_roots=False
            )

    async def _check(self, sealed: bytes) -> None:
        """Seal and time stamp must hold offline."""
        reader = PdfFileReader(BytesIO(sealed))
        context = DocumentSecurityStore.read_dss(reader).as_validation_context(self._policy())
        status = await async_validate_pdf_signature(reader.embedded_signatures[0], context, context)
        stamp = status.timestamp_validity
        if not (status.valid and status.trusted and stamp is not None and stamp.valid and stamp.trusted):
            # The TSA may have changed its certificate: ask for it anew next time.
            self._kept.timestamper = None
            raise SealFailed("时间戳或证书状态未能通过核对，文件未发出；请检查时间戳服务后重试")

    def _timestamper(self) -> HTTPTimeStamper:
        """One a thread: it keeps the TSA's certificate, and what it keeps parses itself when first looked into."""
        kept: HTTPTimeStamper | None = getattr(self._kept, "timestamper", None)
        if kept is None:
            kept = self._kept.timestamper = HTTPTimeStamper(self._url, timeout=_TIMEOUT)
        return kept

    def _policy(self) -> dict[str, Any]:
        roots = [x509.Certificate.load(item) for item in self._roots]
        return {"trust_roots": roots, "revocation_mode": "require"}
