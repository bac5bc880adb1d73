"""What stands between this machine and issuing: each point, its state, and what to do about it."""

from __future__ import annotations

import platform
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from importlib.metadata import version
from urllib.parse import urlsplit

from signsvc import keys
from signsvc.certificates import DOCUMENT_SIGNING
from signsvc.config import Settings
from signsvc.convert import choose_converter
from signsvc.errors import PolicyError, SignsvcError
from signsvc.keys import Role, SealKey
from signsvc.models import Standing
from signsvc.notes import Verifier
from signsvc.policy import Catalogue
from signsvc.policy.packs import standing
from signsvc.policy.packs.departures import departures
from signsvc.texts import chinese_date
from signsvc.wiring.documents import font_files, load_fonts, load_form
from signsvc.wiring.home import ISSUING, READING, RECORDING, load_keys, now, open_home
from signsvc.wiring.rules import Rules
from signsvc.wiring.seals import Seals
from signsvc.workspace import workspace

SOON = timedelta(days=60)
CONNECT_SECONDS = 3
PACKAGES = ("signsvc", "pyhanko", "cryptography", "python-docx", "pikepdf", "sqlalchemy", "flask")


@dataclass(frozen=True)
class Point:
    """One point: `good` or something to be done, which `text` says. What is good may still be worth a look (注意)."""

    name: str
    good: bool
    text: str
    notable: bool = False

    @property
    def label(self) -> str:
        """Its state, four columns wide."""
        return "FAIL" if not self.good else "注意" if self.notable else "ok  "


def examine(settings: Settings) -> list[Point]:
    """Every point, however many fail; nothing is changed."""
    points: list[Point] = []
    for name, look in (
        ("版本", _versions),
        ("字体", _fonts),
        ("模板", _template),
        ("转换", _converter),
        ("密钥", _keys),
        ("根证书", _roots),
        ("印章", _seals),
        ("吊销列表", _revocation),
        ("时间戳", _time_stamps),
        ("日志证书", _log_certificate),
        ("登记库", _registry),
        ("政策文件", _policy),
        ("保留清单", _lists),
        ("查验网址", _address),
    ):
        points += _guarded(name, look, settings)
    return points


def _guarded(name: str, look: Callable[[Settings], Iterator[Point]], settings: Settings) -> list[Point]:
    try:
        return list(look(settings))
    except SignsvcError as error:
        return [Point(name, False, f"{error}（{error.code}）")]


def _versions(_: Settings) -> Iterator[Point]:
    listed = "，".join(f"{package} {version(package)}" for package in PACKAGES)
    yield Point("版本", True, f"Python {platform.python_version()}，{listed}")


def _fonts(settings: Settings) -> Iterator[Point]:
    fonts = load_fonts(settings)
    names = "、".join(face.spec for face in fonts.faces)
    lost = [wanted for wanted, instead in fonts.substitutions if not instead]
    yield Point("字体", True, names)
    for wanted, instead in fonts.substitutions:
        text = f"没有 {wanted}，以 {instead} 代替" if instead else f"没有 {wanted}：含生僻字的申请会被拒绝"
        yield Point("字体", wanted not in lost, text + "；请安装 fonts-noto-cjk 和 fonts-babelstone-han")


def _template(settings: Settings) -> Iterator[Point]:
    load_form(settings, load_fonts(settings))
    yield Point("模板", True, "字段齐全，可安全使用")


def _converter(settings: Settings) -> Iterator[Point]:
    files = font_files(load_fonts(settings))
    with (
        workspace(settings.home / "tmp") as work,
        choose_converter(settings.converter, work, settings.conversion_timeout, files) as converter,
    ):
        told = converter.version()
        yield Point("转换", bool(told), told or "转换程序不能启动：连版本也不说，请检查安装")


def _keys(settings: Settings) -> Iterator[Point]:
    load_keys(settings, (*RECORDING, Role.RECEIPT))
    yield Point("密钥", True, "登记、存档、核对、回执密钥均可载入")


def _roots(settings: Settings) -> Iterator[Point]:
    count = len(load_keys(settings, ()).roots)
    missing = "没有 root.pem：盖出的章无法查验，请放入签发机构的根证书"
    yield Point("根证书", count > 0, f"密钥文件夹中有 {count} 个根证书" if count else missing)


def _seals(settings: Settings) -> Iterator[Point]:
    """Each seal as a batch would take it: key, chain, owner, dates, picture."""
    ring, offices = load_keys(settings, ISSUING), Rules.load(settings).offices
    seals = Seals(settings, ring, offices, load_fonts(settings))
    for seal in ring.seals.values():
        if seal.office not in offices:
            yield Point("印章", False, f"组织名单中没有 {seal.office}：请补上，或移走它的印章")
        else:
            yield from _guarded("印章", partial(_seal, seals, seal), settings)
    if not ring.seals:
        yield Point("印章", False, "没有任何印章：请放入 seal-组织编号.pem 和 seal-组织编号.key")


def _seal(seals: Seals, seal: SealKey, _: Settings) -> Iterator[Point]:
    seals.check_own(seal.office, now())
    good = seal.not_after - now() > SOON
    text = f"{seal.office} 的印章证书有效期至 {chinese_date(seal.not_after.date())}"
    text += "（演示印章，无法律效力）" if seal.standing is Standing.DEMO else ""
    yield Point("印章", good, text if good else text + "：请尽快更换")
    if not seal.for_documents:
        text = f"{seal.office} 的印章证书未标明文档签名用途（{DOCUMENT_SIGNING.dotted_string}）"
        text += "：联网查验不受影响；只凭根证书离线查验会显示不可信"
        yield Point("印章", True, text, notable=True)


def _revocation(settings: Settings) -> Iterator[Point]:
    for name, end in keys.revocation_lists(settings.keys).items():
        good = end - now() > SOON
        text = f"{name} 有效期至 {chinese_date(end.date())}"
        yield Point("吊销列表", good, text if good else text + "：请让签发机构更新，并替换 pki 中的文件")


def _time_stamps(settings: Settings) -> Iterator[Point]:
    """Information only: whether there is a TSA, and whether anybody listens there. Nothing is sent."""
    if not settings.tsa_url:
        yield Point("时间戳", True, "未设置 SIGNSVC_TSA_URL：印章不带时间戳")
        return
    parts = urlsplit(settings.tsa_url)
    try:
        address = (parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
        socket.create_connection(address, CONNECT_SECONDS).close()
        yield Point("时间戳", True, f"{settings.tsa_url} 可以连接")
    except (OSError, ValueError):
        text = "目前连接不上：盖章会失败，请检查网络和 SIGNSVC_TSA_URL"
        yield Point("时间戳", True, f"{settings.tsa_url} {text}", notable=True)


def _log_certificate(settings: Settings) -> Iterator[Point]:
    ring, registry = open_home(settings, READING)
    name = registry.checkpoint().splitlines()[0]
    registry.close()
    if not ring.log_chain:
        text = "没有 log.pem：存证包不能只凭根证书离线核对；做法见密钥文件夹的 README.md"
        yield Point("日志证书", True, text, notable=True)
        return
    own = Verifier(name, ring.log_public.public_bytes_raw())
    good = keys.certified_log(ring.log_chain, ring.roots, now()) == own
    strange = f"log.pem 不是日志 {name} 的证书：请按密钥文件夹的 README.md 重新签发"
    yield Point("日志证书", good, f"log.pem 证明了日志 {name}" if good else strange)


def _registry(settings: Settings) -> Iterator[Point]:
    _, registry = open_home(settings, RECORDING)
    size = registry.checkpoint().splitlines()[1]
    registry.close()
    yield Point("登记库", True, f"可打开，日志共 {size} 条；全面核对请运行 signsvc log verify")


def _policy(settings: Settings) -> Iterator[Point]:
    """Each document that an office rests on; one that is over is no fault unless the settings make it one."""
    local, today = Rules.load(settings), now().date()
    packs = [
        local.pack(place) for place in sorted({office.jurisdiction for office in local.offices.values()})
    ]
    for layer in {layer.origin: layer for pack in packs for layer in pack.layers}.values():
        ends = layer.document.expired(today) or standing.ends_soon(layer.document, today)
        good = not (ends and settings.strict_policy)
        yield Point("政策文件", good, standing.validity(layer.document, today), notable=ends)
        for found in departures(layer):
            yield Point("政策文件", True, f"{layer.origin} {found.label}：{found.text}", notable=True)


def _lists(settings: Settings) -> Iterator[Point]:
    """Each office has a retained list (保留清单) that it can use, and each list's matters to be reviewed (Q25)."""
    local = Rules.load(settings)
    lists: dict[str, Catalogue] = {}
    for office in local.offices.values():
        try:
            catalogue = local.catalogue(office)
        except PolicyError as error:
            yield Point("保留清单", False, str(error))
            continue
        if catalogue.matters:
            lists[catalogue.edition] = catalogue
        else:
            yield Point("保留清单", False, f"{office.id} 没有保留清单，不能出具任何证明")
    for edition, catalogue in lists.items():
        yield Point("保留清单", True, f"{edition} 共 {len(catalogue.matters)} 项")
        yield from _to_review(edition, catalogue)


def _to_review(edition: str, catalogue: Catalogue) -> Iterator[Point]:
    """The matters of a list whose legal basis (依据) is over or soon will be."""
    today = now().date()
    for matter in catalogue.matters:
        for basis in matter.bases:
            if told := standing.lapse(basis, today):
                yield Point("保留清单", True, f"{edition} {matter.name}：{told}", notable=True)


def _address(settings: Settings) -> Iterator[Point]:
    ring = load_keys(settings, ())
    official = any(seal.standing is not Standing.DEMO for seal in ring.certificates.values())
    bad = official and settings.loopback
    yield Point(
        "查验网址", not bad, settings.base_url + ("：正式印章须用公众可访问的 https 网址" if bad else "")
    )
