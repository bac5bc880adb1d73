"""The only place where parts are joined: settings in, ready stories out."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit

from signsvc import fill, keys, policy
from signsvc.archive import Archive
from signsvc.config import Settings
from signsvc.convert import choose_converter, read_back
from signsvc.errors import (
    Fault,
    InputError,
    KeysError,
    NotFound,
    RegistryError,
    RowRefused,
    SealFailed,
    SettingsError,
)
from signsvc.fonts import FontBook, code_point
from signsvc.identity import normalise_code
from signsvc.issue import Issuer, Sealed
from signsvc.keys import KeyRing, Role, SealKey
from signsvc.models import (
    Draft,
    Issue,
    Number,
    Office,
    OfficeId,
    PdfBytes,
    Refuse,
    Request,
    SealPlace,
    Standing,
)
from signsvc.notes import NoteError, log_name
from signsvc.policy import Catalogue, Pack
from signsvc.proofs import MAX_BUNDLE_BYTES, BundleError, log_chain, open_bundle
from signsvc.registry import Registry
from signsvc.report import BEIJING
from signsvc.seal import art
from signsvc.seal.findings import Trust
from signsvc.seal.sandbox import Sandbox
from signsvc.seal.sign import Sealer
from signsvc.statuses import Event
from signsvc.verify import Bundle, Verifier
from signsvc.workspace import workspace

OFFICES, CATALOGUE = "offices.toml", "catalogue.toml"
POINTS_PER_MM = 72 / 25.4
TEMPLATE = Path(__file__).parent.parent / "templates_docx" / "annex4.docx"
# Which keys a process is given; the public verification holds none that could make anything.
ISSUING = (Role.SEAL, Role.LOG, Role.ARCHIVE, Role.MATCH)
RECORDING = (Role.LOG, Role.ARCHIVE, Role.MATCH)
READING = (Role.MATCH,)


def now() -> datetime:
    """The clock: Beijing time."""
    return datetime.now(BEIJING)


def database_url(settings: Settings) -> str:
    return settings.database_url or f"sqlite:///{settings.home / 'registry.sqlite3'}"


def log_folder(settings: Settings) -> Path:
    return settings.home / "log"


def archive_folder(settings: Settings) -> Path:
    """Where the copies are kept; they are moved there from the home's `tmp`, so it must be the same file system."""
    if settings.archive_url is None:
        return settings.home / "archive"
    parts = urlsplit(settings.archive_url)
    if parts.scheme != "file" or parts.netloc or not parts.path:
        raise SettingsError("SIGNSVC_ARCHIVE_URL 目前只支持 file:///文件夹")
    return Path(unquote(parts.path))


def load_keys(settings: Settings, roles: Collection[Role]) -> KeyRing:
    """The keys of these roles, and everything public."""
    file = settings.passphrase_file or settings.keys / keys.PASSPHRASE_FILE
    recognised = [pem.read_bytes() for pem in settings.recognised_issuers]
    return keys.load(settings.keys, keys.read_passphrase(file), roles, recognised)


def make_home(settings: Settings, demo: bool) -> None:
    """Registry and keys, from nothing; refuses whatever exists (it would fork the log and use numbers again)."""
    standing = any((settings.home / name).exists() for name in ("registry.sqlite3", "log", "archive"))
    if standing or Registry.exists(database_url(settings)):
        raise RegistryError("这里已有登记库，不再新建；如要重做演示，请先移走 var 和 keys 中的内容")
    offices = policy.load_offices(policy.demo_text("offices"), OFFICES) if demo else {}
    given = settings.passphrase_file
    keys.make(
        settings.keys,
        list(offices.values()),
        settings.base_url,
        now(),
        passphrase=keys.read_passphrase(given) if given else None,
        demo=demo,
    )
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    if demo:
        (settings.home / OFFICES).write_text(policy.demo_text("offices"), "utf-8")
        (settings.home / CATALOGUE).write_text(policy.demo_text("catalogue"), "utf-8")
    for folder in (archive_folder(settings), settings.home / "tmp"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    ring = load_keys(settings, RECORDING)
    name = log_name(settings.base_url)
    Registry.create(database_url(settings), log_folder(settings), name, ring.match, ring.log).close()


def open_registry(settings: Settings, ring: KeyRing, writing: bool) -> Registry:
    return Registry.open(
        database_url(settings), log_folder(settings), ring.match, ring.log if writing else None
    )


@dataclass(frozen=True)
class Policy:
    """Offices, catalogue and packs of this home, loaded once."""

    offices: Mapping[OfficeId, Office]
    catalogue: Catalogue
    strict: bool
    packs: dict[str, Pack] = field(default_factory=dict)

    @classmethod
    def load(cls, settings: Settings) -> Policy:
        """From the data files of the home; SettingsError names one that is missing."""
        return cls(
            policy.load_offices(_data(settings, OFFICES), OFFICES),
            policy.load_catalogue(_data(settings, CATALOGUE), CATALOGUE),
            settings.strict_policy,
        )

    def pack(self, province: str) -> Pack:
        if province not in self.packs:
            self.packs[province] = policy.load_pack(province)
        return self.packs[province]

    def find_office(self, request: Request) -> Office:
        return policy.find_office(self.offices, request.office, None)

    def decide(self, request: Request, office: Office, day: date) -> Issue:
        """The decision; a refusal is raised with every fault."""
        decision = policy.decide(
            request, office, self.catalogue, self.pack(office.province), day, self.strict
        )
        if isinstance(decision, Refuse):
            raise RowRefused(decision.faults)
        return decision


def _data(settings: Settings, name: str) -> str:
    try:
        return (settings.home / name).read_text("utf-8")
    except FileNotFoundError as error:
        raise SettingsError(f"缺少 {name}：请在 SIGNSVC_HOME 中放入本地的组织名单和保留清单") from error


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
        return self._ring.seals[office]

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
            picture = self._settings.home / office.seal_image
            return art.from_image(
                picture.read_bytes(), picture.suffix.removeprefix("."), diameter, demo, face.path, face.index
            )
        return art.draw(office.name, face.path, face.index, diameter, office.seal_serial, demo)


@contextmanager
def issuing(settings: Settings) -> Iterator[Issuer]:
    """Everything that issuing needs, opened for as long as the batch runs."""
    ring = load_keys(settings, ISSUING)
    registry = open_registry(settings, ring, writing=True)
    local = Policy.load(settings)
    fonts = load_fonts(settings)
    form = fill.Form.load(template_bytes(settings))
    with ExitStack() as stack:
        stack.callback(registry.close)
        work = stack.enter_context(workspace(settings.home / "tmp"))
        converter = stack.enter_context(
            choose_converter(settings.converter, work, settings.conversion_timeout, font_files(fonts))
        )
        registry.publish()  # what a killed batch committed and did not show
        yield Issuer(
            office=local.find_office,
            decide=local.decide,
            letters=partial(missing_letters, fonts),
            fill=lambda draft: form.fill(fill.values(draft), fill.qr_png(draft.qr_url), fonts.choose),
            text_of=fill.text_of,
            convert=converter.convert,
            read_back=partial(_read_back, settings, fonts),
            sealing=Seals(settings, ring, local.offices, fonts),
            archive=Archive(archive_folder(settings), work, ring.archive),
            registry=registry,
            clock=now,
            choose=secrets.randbelow,
            base_url=settings.base_url,
        )


def load_fonts(settings: Settings) -> FontBook:
    return FontBook.load(settings.font_body, settings.font_title, settings.font_fallback, settings.font_files)


def font_files(fonts: FontBook) -> list[Path]:
    return list(dict.fromkeys(face.file.path for face in fonts.faces))


def template_bytes(settings: Settings) -> bytes:
    file = settings.template or TEMPLATE
    try:
        return file.read_bytes()
    except OSError as error:
        raise SettingsError(f"读不到模板 {file.name}：请检查 SIGNSVC_TEMPLATE") from error


def missing_letters(fonts: FontBook, draft: Draft) -> list[Fault]:
    """A fault for every character of a value that no configured font has, by name and code point."""
    missing = {char for text in fill.values(draft).values() for char in fonts.missing(text)}
    return [
        Fault("glyph_missing", f"没有字体能显示字符「{char}」（{code_point(char)}），请安装含该字的字体")
        for char in sorted(missing)
    ]


def _read_back(settings: Settings, fonts: FontBook, pdf: PdfBytes, text: str, draft: Draft) -> SealPlace:
    radius = settings.seal_diameter_mm / 2 * POINTS_PER_MM
    printed = fill.values(draft)
    anchor = (printed["出具日期"], f"（{printed['出具组织']}盖章）")
    return read_back(pdf, text, fonts.allowed_names, anchor, radius)


@contextmanager
def verifying(settings: Settings, root: Path | None = None) -> Iterator[Verifier]:
    """Online verification: the registry and the match key; no key that could make anything."""
    ring = load_keys(settings, READING)
    registry = open_registry(settings, ring, writing=False)
    pins = registry.seal_certificates() | {seal.sha256 for seal in ring.certificates.values()}
    trust = replace(_trust(ring, root), pins=frozenset(pins))
    with ExitStack() as stack:
        stack.callback(registry.close)
        sandbox = stack.enter_context(Sandbox())
        yield Verifier(registry, lambda data: sandbox.examine(data, trust), now)


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
        log = keys.certified_log(log_chain(text), roots, now())
        record, index, checkpoint = open_bundle(text, log)
    except (BundleError, NoteError, KeysError) as error:
        raise InputError(f"存证包不能证明任何登记：{error}", "bad_proof") from error
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
    """The roots given on the spot, or those of the key folder; none at all is refused."""
    roots = (_read(root, "根证书"),) if root else ring.roots if ring else ()
    if not roots:
        raise SettingsError("没有可信的根证书：请用 --root 指定，或放入密钥文件夹（root.pem）")
    # Without roots of its own a time stamp is left aside and the time that the seal claims counts.
    stamps = ring.tsa_roots if ring else ()
    return Trust(tuple(roots), timestamp_roots=(*roots, *stamps) if stamps else ())


def _read(file: Path, what: str) -> bytes:
    try:
        with open(file, "rb") as stream:
            return stream.read(MAX_BUNDLE_BYTES + 1)
    except OSError as error:
        raise InputError(f"读不到{what} {file}") from error


@contextmanager
def auditing(settings: Settings) -> Iterator[tuple[Registry, Archive]]:
    """The registry and the archive, for holding one against the other."""
    ring = load_keys(settings, RECORDING)
    registry = open_registry(settings, ring, writing=True)
    with ExitStack() as stack:
        stack.callback(registry.close)
        work = stack.enter_context(workspace(settings.home / "tmp"))
        yield registry, Archive(archive_folder(settings), work, ring.archive)


def change_status(
    settings: Settings, number: str, event: Event, reason: str, by: str | None, note: str | None
) -> None:
    """A status event with its note, which stays inside, encrypted."""
    whole = Number(number)
    with auditing(settings) as (registry, archive):
        box = archive.lock(json.dumps({"note": note}, ensure_ascii=False).encode(), whole.encode())
        registry.change_status(whole, event, reason, Number(by) if by else None, box, now())


def retained_copy(settings: Settings, number: str, reason: str) -> bytes:
    """The office's copy, its giving out recorded before it leaves (Q34)."""
    whole = Number(number)
    with auditing(settings) as (registry, archive):
        certificate = registry.by_number(whole)
        if certificate is None:
            raise NotFound(f"没有编号为 {whole} 的证明：请填完整编号，如 qh-demo-2026-000001")
        data = archive.get(certificate.sha256)
        box = archive.lock(json.dumps({"reason": reason}, ensure_ascii=False).encode(), whole.encode())
        registry.record_copy(whole, box, now())
        return data


def font_installed(settings: Settings) -> Callable[[str], bool]:
    """Whether a font that a template names can be printed: installed, or mapped by the settings."""
    fonts = load_fonts(settings)
    return lambda name: name in fonts.families


def published_pki(settings: Settings) -> dict[str, bytes]:
    """Certificates of the CAs and their revocation lists, DER by file name, where the seals' certificates point."""
    return {file.name: file.read_bytes() for file in sorted((settings.keys / "pki").glob("*"))}
