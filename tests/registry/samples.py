"""Certificates to register, and a registry with one of everything: what the registry's tests stand on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from signsvc.cosignatures import Witness, cosign, witness_of
from signsvc.models import Medium, OfficeId, Sha256, Standing
from signsvc.notes import split_note
from signsvc.registry import Claim, Known, Lost, NewCertificate, NewRefusal, Registry, Reservation
from signsvc.statuses import Event

OFFICE = OfficeId("qh-demo")
FORMAT = "{year}-{serial:06d}"
ORIGIN = "example.org/signsvc/test"
MATCH_KEY = bytes(range(32))
LOG_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
WITNESS_KEY = Ed25519PrivateKey.from_private_bytes(bytes(31) + b"w")
WITNESS = witness_of("witness.example/w1", WITNESS_KEY)
NOW = datetime(2026, 11, 21, 2, 30, tzinfo=UTC)
DAY = date(2026, 11, 21)
NAME, ID_NUMBER, STATEMENT = "加仓·晋美南杰", "632801199001011234", "其属于本社区居民，现居和平路"


def _certificate(subject: str, issuer: str, serial: int) -> bytes:
    """DER of one that was in force long before and long after; the same at each call."""
    names = [x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, name)]) for name in (subject, issuer)]
    made = x509.CertificateBuilder(names[1], names[0], LOG_KEY.public_key(), serial)
    dated = made.not_valid_before(NOW - 3650 * ONE_DAY).not_valid_after(NOW + 3650 * ONE_DAY)
    return dated.sign(LOG_KEY, None).public_bytes(Encoding.DER)


ONE_DAY = timedelta(days=1)
CHAIN = (_certificate("office", "issuer", 2), _certificate("issuer", "root", 1))


def url_in(folder: Path) -> str:
    return f"sqlite:///{folder / 'registry.sqlite3'}"


def create(folder: Path) -> Registry:
    return Registry.create(url_in(folder), folder / "log", ORIGIN, MATCH_KEY, LOG_KEY)


def reopen(
    folder: Path, log_key: Ed25519PrivateKey | None = LOG_KEY, witnesses: Sequence[Witness] = ()
) -> Registry:
    return Registry.open(url_in(folder), folder / "log", MATCH_KEY, log_key, witnesses=witnesses)


def cosigned(note: str, name: str = WITNESS.name, key: Ed25519PrivateKey = WITNESS_KEY) -> str:
    return note + cosign(split_note(note)[0], name, key, NOW)


def claim(
    registry: Registry, request_id: str, office: OfficeId = OFFICE, day: date = DAY, text: str = ""
) -> Claim:
    return Claim(registry.mark(request_id, {"姓名": NAME, "证明事项": text}), office, FORMAT, day)


def reserve(registry: Registry, *request_ids: str) -> list[Reservation]:
    results = registry.reserve([claim(registry, item) for item in request_ids], NOW)
    assert not [item for item in results if isinstance(item, Lost)]
    return [item for item in results if isinstance(item, Reservation)]


def code_of(reservation: Reservation) -> str:
    return sha256(reservation.mark.request_key.encode()).hexdigest()[:16].upper()


def certificate(reservation: Reservation, note: str = "") -> NewCertificate:
    """A certificate for `reservation`; another `note` stands for other bytes of the same certificate."""
    pdf = f"%PDF-{reservation.number}{note}".encode()
    return NewCertificate(
        reservation=reservation,
        office_name="青海省示范市示范区和平街道幸福社区居民委员会",
        office_phone="0970-0000000",
        matter="诉讼当事人属于本社区（村）证明",
        statement_pattern="其属于本社区居民，{情况说明}",
        purpose="诉讼",
        addressee="示范市示范区人民法院",
        legal_basis="《中华人民共和国民事诉讼法》第六十一条",
        issued_on=DAY,
        sealed_at=NOW - timedelta(seconds=5),
        valid_until=date(2027, 5, 20),
        holder="加**",
        medium=Medium.ELECTRONIC,
        policy="青民发〔2021〕103号",
        policy_sha256="00" * 8,
        edition="",
        demo=True,
        sha256=Sha256(sha256(pdf).hexdigest()),
        sm3="00" * 32,
        signed_sha256=Sha256(sha256(b"signed " + pdf).hexdigest()),
        standing=Standing.DEMO,
        chain=CHAIN,
        code=code_of(reservation),
        name=NAME,
        id_number=ID_NUMBER,
        statement=STATEMENT,
        box=b"encrypted " + reservation.number.encode(),
    )


def known(registry: Registry, number: str) -> Known:
    """What is known of an issued certificate."""
    found = registry.by_number(number)
    assert found is not None
    return found


def issue(registry: Registry, *request_ids: str) -> list[Reservation]:
    held = reserve(registry, *request_ids)
    commit(registry, held)
    return held


def commit(registry: Registry, held: Sequence[Reservation]) -> None:
    results = registry.commit([certificate(item) for item in held], NOW)
    assert not [item for item in results if isinstance(item, Lost)]


def refusal(registry: Registry, request_id: str, note: str = "") -> NewRefusal:
    """A notice for this request; another `note` stands for other bytes of the same notice."""
    pdf = f"%PDF-refused {request_id}{note}".encode()
    return NewRefusal(
        mark=claim(registry, request_id).mark,
        office=OFFICE,
        codes=("banned_matter",),
        listed=(
            "青民发〔2021〕103号附件2《不应由基层群众性自治组织出具证明事项清单（第一批）》第10项“健在证明”",
        ),
        policy="青民发〔2021〕103号",
        policy_sha256="00" * 32,
        edition="",
        issued_on=DAY,
        sealed=False,
        sha256=Sha256(sha256(pdf).hexdigest()),
        box=b"encrypted " + request_id.encode() + note.encode(),
    )


def one_of_everything(folder: Path) -> Registry:
    """Issued, suspended, resumed, revoked, superseded, copied, refused, two voided, one openly reserved, in two
    offices."""
    registry = create(folder)
    held = issue(registry, *(f"r{n}" for n in range(1, 8)))
    spare = reserve(registry, "v1", "v2", "open")
    registry.void([(spare[0], "conversion_failed"), (spare[1], "request_invalid:invalid_name")], NOW)
    registry.record_refusals([refusal(registry, "n1")], NOW)
    village = registry.reserve([claim(registry, "g1", OfficeId("gd-demo"))], NOW)
    commit(registry, [item for item in village if isinstance(item, Reservation)])
    numbers = [item.number for item in held]
    for number, event, reason, by in (
        (numbers[1], Event.SUSPEND, "information_wrong", None),
        (numbers[2], Event.SUSPEND, "holder_request", None),
        (numbers[2], Event.RESUME, "other", None),
        (numbers[3], Event.REVOKE, "issued_in_error", None),
        (numbers[4], Event.SUPERSEDE, "superseded", numbers[5]),
    ):
        registry.change_status(number, event, reason, by, b"box", NOW + timedelta(hours=1))
    registry.record_copy(numbers[0], b"box", NOW)
    return registry
