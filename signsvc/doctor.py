"""What stands between this machine and issuing: each point, its state, and what to do about it."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version

from signsvc import fill
from signsvc.config import Settings
from signsvc.convert import choose_converter
from signsvc.errors import SignsvcError
from signsvc.models import Standing
from signsvc.report import chinese_date
from signsvc.wiring.home import ISSUING, RECORDING, load_keys, now, open_home
from signsvc.wiring.issuing import font_files, load_fonts, template_bytes
from signsvc.wiring.rules import Rules
from signsvc.workspace import workspace

SOON = timedelta(days=60)
PACKAGES = ("signsvc", "pyhanko", "cryptography", "python-docx", "pypdf", "sqlalchemy", "flask")


@dataclass(frozen=True)
class Point:
    """One point: `good` or something to be done, which `text` says."""

    name: str
    good: bool
    text: str


def examine(settings: Settings) -> list[Point]:
    """Every point, however many fail; nothing is changed."""
    points: list[Point] = []
    for name, look in (
        ("版本", _versions),
        ("字体", _fonts),
        ("模板", _template),
        ("转换", _converter),
        ("密钥", _keys),
        ("登记库", _registry),
        ("政策文件", _policy),
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
    fill.Form.load(template_bytes(settings))
    yield Point("模板", True, "字段齐全，可安全使用")


def _converter(settings: Settings) -> Iterator[Point]:
    files = font_files(load_fonts(settings))
    with (
        workspace(settings.home / "tmp") as work,
        choose_converter(settings.converter, work, settings.conversion_timeout, files) as converter,
    ):
        yield Point("转换", True, converter.version())


def _keys(settings: Settings) -> Iterator[Point]:
    ring = load_keys(settings, ISSUING)
    yield Point("密钥", True, "登记、存档、核对、回执密钥均可载入")
    for office, seal in ring.seals.items():
        left = seal.not_after - now()
        text = f"{office} 的印章证书有效期至 {chinese_date(seal.not_after.date())}"
        if seal.standing is Standing.DEMO:
            text += "（演示印章，无法律效力）"
        yield Point("印章", left > SOON, text if left > SOON else text + "：请尽快更换")
    if not ring.seals:
        yield Point("印章", False, "没有任何印章：请放入 seal-组织编号.pem 和 seal-组织编号.key")


def _registry(settings: Settings) -> Iterator[Point]:
    _, registry = open_home(settings, RECORDING)
    size = registry.checkpoint().splitlines()[1]
    registry.close()
    yield Point("登记库", True, f"可打开，日志共 {size} 条；全面核对请运行 signsvc log verify")


def _policy(settings: Settings) -> Iterator[Point]:
    local = Rules.load(settings)
    today = now().date()
    for province in sorted({office.province for office in local.offices.values()}):
        document = local.pack(province).document
        if document.valid_to and document.valid_to < today:
            text = f"{document.number}已于{chinese_date(document.valid_to)}期满：请确认有无新文件"
            text += "；有上位法依据的事项照常办理"
            yield Point("政策文件", not settings.strict_policy, text)
        else:
            yield Point("政策文件", True, f"{document.number}未见失效日期或在有效期内")


def _address(settings: Settings) -> Iterator[Point]:
    ring = load_keys(settings, ())
    official = any(seal.standing is not Standing.DEMO for seal in ring.certificates.values())
    bad = official and settings.loopback
    yield Point(
        "查验网址", not bad, settings.base_url + ("：正式印章须用公众可访问的 https 网址" if bad else "")
    )
