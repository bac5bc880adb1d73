"""The only signer: PAdES (EN 319 142-1), certified, no changes allowed, one revision; B-B, or B-LT with a TSA."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import Literal

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name, pdf_string
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import PdfFileWriter
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers.cms_embedder import PdfCMSEmbedder, SigIOSetup, SigMDPSetup, SigObjSetup
from pyhanko.sign.signers.constants import ESIC_EXTENSION_1
from pyhanko.sign.signers.pdf_byterange import PreparedByteRangeDigest, SignatureObject

from signsvc.errors import KeyExpired, SealFailed
from signsvc.models import PdfBytes, SealedPdf, SealPlace, Sha256
from signsvc.seal.cms import DIGEST, Container, SealKey, public_key
from signsvc.seal.intake import rewrite
from signsvc.seal.longterm import Embed, TimeStamping
from signsvc.seal.selfcheck import check

FIELD = "Seal"
REASON = "出具基层群众性自治组织证明"
_PRODUCER = "signsvc"
_POINTS_PER_MM = 72 / 25.4
Level = Literal["B-B", "B-LT"]


@dataclass(frozen=True)
class Sealed:
    """A sealed file that has passed its own check."""

    pdf: SealedPdf
    sealed_at: datetime  # as the clock gave it; also stands in the signature's /M
    signed_sha256: Sha256  # of the bytes under the signature: survives a change of the container
    level: Level


class Sealer:
    """Seals with one office's key and picture. Made once and used for every certificate, from any thread."""

    def __init__(
        self,
        key: SealKey,
        art: bytes,
        clock: Callable[[], datetime],
        tsa_url: str | None = None,
        diameter_mm: float = 42.0,
        roots: Sequence[bytes] = (),
    ) -> None:
        """`art` is a one-page PDF; `roots` are the PEM certificates that seal and time stamp chain to (TSA only)."""
        self._key = key
        self._art = PdfFileReader(BytesIO(art))
        self._clock = clock
        self._side = round(diameter_mm * _POINTS_PER_MM)
        self._public = public_key(key.certificate)
        self._certificates = (key.certificate, *key.chain)
        self._container = Container.of(key)
        self._stamping = TimeStamping(tsa_url, roots, key) if tsa_url else None
        # Resolves every object of the picture once, after which the reader is only read.
        PdfFileWriter().import_page_as_xobject(self._art)

    def seal(self, pdf: PdfBytes, place: SealPlace, title: str) -> Sealed:
        """`pdf` with the seal centred at `place`; `title` becomes the document's title: its number.

        Raises KeyExpired if the certificate is not valid now, SealFailed if the file may not be sealed, the time
        stamp could not be had, or the result fails its own check. No half-sealed file ever leaves.
        """
        now = self._clock()
        self.check_validity(now)
        writer = rewrite(pdf)
        _describe(writer, title, now)
        try:
            sealed = self._seal(writer, lambda room: self._embed(writer, place, now, room))
        except SealFailed:
            raise
        # The TSA's answers are foreign bytes. Whatever went wrong, nothing was sealed.
        except Exception as error:
            raise SealFailed("盖章失败：电子印章或时间戳未能写入；请检查时间戳服务后重试") from error
        signed_sha256 = check(sealed, self._certificates, self._public, stamped=self._stamping is not None)
        return Sealed(SealedPdf(sealed), now, signed_sha256, "B-LT" if self._stamping else "B-B")

    def check_validity(self, now: datetime) -> None:
        """Raise KeyExpired unless the seal's certificate, and those it rests on, are valid at `now`."""
        if not self._key.not_before <= now <= self._key.not_after:
            until = self._key.not_after.astimezone(UTC).date().isoformat()
            raise KeyExpired(
                f"电子印章证书或其上级证书不在有效期内（有效期至 {until}），不能盖章；请更换印章证书"
            )

    def check_stamping(self) -> None:
        """Raise SealFailed if the time stamp could not be had: before a number is used for it."""
        if self._stamping is None:
            return
        try:
            self._stamping.reach()
        except Exception as error:  # as above: foreign bytes, or none at all
            raise SealFailed("时间戳服务没有应答，不能盖章；请检查 SIGNSVC_TSA_URL 后重试") from error

    def _seal(self, writer: PdfFileWriter, embed: Embed) -> bytes:
        if self._stamping is not None:
            return self._stamping.seal(writer, embed)
        prepared, output = embed(2 * len(self._container.template))
        prepared.fill_with_cms(output, self._container.fill(prepared.document_digest))
        return output.getvalue()

    def _embed(
        self, writer: PdfFileWriter, place: SealPlace, now: datetime, room: int
    ) -> tuple[PreparedByteRangeDigest, BytesIO]:
        """The document written out with field, picture and `room` hexadecimal digits for the container."""
        steps = PdfCMSEmbedder(self._field(place)).write_cms(FIELD, writer)
        self._dress(writer, next(steps).get_object())
        steps.send(SigObjSetup(self._placeholder(now, room), _certified()))
        prepared, output = steps.send(SigIOSetup(DIGEST))
        return prepared, output

    def _field(self, place: SealPlace) -> SigFieldSpec:
        left, bottom = round(place.x - self._side / 2), round(place.y - self._side / 2)
        return SigFieldSpec(
            FIELD,
            on_page=place.page,
            box=(left, bottom, left + self._side, bottom + self._side),
            readable_field_name=f"{self._key.holder}的电子印章",
        )

    def _dress(self, writer: PdfFileWriter, field: generic.DictionaryObject) -> None:
        picture = writer.import_page_as_xobject(self._art)
        field[pdf_name("/AP")] = generic.DictionaryObject({pdf_name("/N"): picture})
        # Screen readers go through the page in the order of its structure.
        field["/P"][pdf_name("/Tabs")] = pdf_name("/S")

    def _placeholder(self, now: datetime, room: int) -> SignatureObject:
        return SignatureObject(
            timestamp=now,
            subfilter=SigSeedSubFilter.PADES,
            name=self._key.holder,
            location=self._key.place or None,
            reason=REASON,
            bytes_reserved=room,
        )


def _certified() -> SigMDPSetup:
    return SigMDPSetup(md_algorithm=DIGEST, certify=True, docmdp_perms=MDPPerm.NO_CHANGES)


def _describe(writer: PdfFileWriter, title: str, now: datetime) -> None:
    """Metadata of our own making and no other: a template's author has no business in a certificate."""
    info = {
        "/Title": pdf_string(title),
        "/Producer": pdf_string(_PRODUCER),
        "/CreationDate": generic.pdf_date(now),
    }
    writer.set_info(generic.DictionaryObject({pdf_name(key): value for key, value in info.items()}))
    writer.register_extension(ESIC_EXTENSION_1)
