"""The offices' seals: which office may seal now, with which key and picture."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from signsvc.config import Settings
from signsvc.errors import SealFailed, SettingsError
from signsvc.fonts import FontBook
from signsvc.keys import KeyRing, SealKey
from signsvc.make import Sealed
from signsvc.models import Office, OfficeId, PdfBytes, SealPlace, Standing
from signsvc.seal import art
from signsvc.seal.sign import Sealer
from signsvc.wiring.home import now, read_file


class Seals:
    """The offices' seals: keys loaded, pictures drawn once and only for the offices that seal."""

    def __init__(
        self, settings: Settings, ring: KeyRing, offices: Mapping[OfficeId, Office], fonts: FontBook
    ):
        self._settings = settings
        self._ring = ring
        self._offices = offices
        self._fonts = fonts
        self._sealers: dict[OfficeId, Sealer] = {}

    def check(self, office: OfficeId, at: datetime) -> None:
        """KeyExpired or SealFailed when this office cannot seal now; SettingsError when its QR would lead nowhere."""
        self.check_own(office, at)
        self._sealer(office).check_stamping()

    def check_own(self, office: OfficeId, at: datetime) -> None:
        """The same of what is the office's own: key, certificate, picture, address. Nobody else is asked."""
        key = self._key(office)
        if key.standing is not Standing.DEMO and self._settings.loopback:
            raise SettingsError("SIGNSVC_BASE_URL 是本机或明文地址：正式印章须设为公众可访问的 https 网址")
        self._sealer(office).check_validity(at)

    def seal(self, office: OfficeId, pdf: PdfBytes, place: SealPlace, title: str) -> Sealed:
        key = self._key(office)
        sealed = self._sealer(office).seal(pdf, place, title)
        return Sealed(
            sealed.pdf, sealed.signed_sha256, sealed.sealed_at, (key.certificate, *key.chain), key.standing
        )

    def _key(self, office: OfficeId) -> SealKey:
        if office not in self._ring.seals:
            raise SealFailed(f"组织 {office} 没有印章：请放入 seal-{office}.pem 和 seal-{office}.key")
        key = self._ring.seals[office]
        # Sealed in another office's name, a certificate would be that office's word.
        if key.holder != self._offices[office].name:
            raise SealFailed(
                f"组织 {office} 的印章证书 seal-{office}.pem 不属于该组织：证书的 O 须与名单中的全称逐字相同"
            )
        return key

    def _sealer(self, office: OfficeId) -> Sealer:
        if office not in self._sealers:
            key = self._key(office)
            self._sealers[office] = Sealer(
                key,
                self._art(self._offices[office], key.standing),
                now,
                self._settings.tsa_url,
                self._settings.seal_diameter_mm,
                (*self._ring.roots, *self._ring.tsa_roots),
            )
        return self._sealers[office]

    def _art(self, office: Office, standing: Standing) -> bytes:
        """The office's own picture, or one drawn from its name; 演示 stands in it for demonstration keys."""
        demo = standing is Standing.DEMO
        diameter = self._settings.seal_diameter_mm
        face = self._fonts.title.file
        if office.seal_image:
            file = self._settings.home / office.seal_image
            picture = read_file(file, f"组织 {office.id} 的印章图片")
            kind = file.suffix.removeprefix(".")
            return art.from_image(picture, kind, diameter, demo, face.path, face.index)
        return art.draw(office.name, face.path, face.index, diameter, office.seal_serial, demo)
