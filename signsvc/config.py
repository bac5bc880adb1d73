"""Settings, frozen and built once at the edge. Only the shells import this.

Precedence: `SIGNSVC_*` variables, then `signsvc.toml` in the working folder, then the defaults here. An unknown
key, an unreadable value or a secret that is named but missing is refused.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

from signsvc.cosignatures import Witness
from signsvc.errors import SettingsError

PREFIX = "SIGNSVC_"
SEAL_MM = (20, 60)  # smallest and largest diameter
LIMIT = re.compile(r"[1-9][0-9]{0,6}/(second|minute|hour|day)")
Converter = Literal["auto", "libreoffice", "embedded"]


@dataclass(frozen=True)
class Settings:
    """Where things are and how the service behaves. Paths are absolute once loaded."""

    home: Path = Path("var")
    keys: Path = Path("keys")
    passphrase_file: Path | None = None  # default: the file that `init` writes into `keys`
    database_url: str | None = None  # default: SQLite in the home
    archive_url: str | None = None  # default: files in the home
    converter: Converter = "auto"
    base_url: str = "http://127.0.0.1:8000"
    tsa_url: str | None = None
    strict_policy: bool = False
    backdating_days: int = 0  # how far back 出具日期 may lie
    template: Path | None = None  # default: templates_docx/annex4.docx
    conversion_timeout: float = 120.0  # seconds for one call of the converter
    makers: int = 0  # processes that make files at the same time; 0: one for each processor
    font_body: str = "Noto Serif CJK SC"  # stands for 仿宋
    font_title: str = "Noto Serif CJK SC:bold"  # stands for 小标宋
    font_fallback: tuple[str, ...] = ("BabelStone Han",)
    font_files: tuple[Path, ...] = ()  # an office's own licensed fonts
    seal_diameter_mm: float = 42.0
    recognised_issuers: tuple[Path, ...] = field(
        default=()
    )  # PEM files; only seals under them are `recognised`
    # How often the public may ask (`120/minute`; second, minute, hour, day), each over all workers of the machine.
    limit_client: str = "300/minute"  # an address (of IPv6 a /64): whatever asks the registry
    limit_batch: str = "3000/minute"  # an address: certificates asked about by batch
    limit_upload: str = "30/minute"  # an address: files to examine
    limit_code: str = "60/minute"  # a code, whoever asks
    limit_claims: str = "30/hour"  # a certificate: tries to match names or numbers
    limit_misses: str = "20/day"  # a certificate: tries that did not match
    checks: int = 2  # files examined at the same time, on this machine
    proxies: int = (
        0  # how many trusted proxies stand before the service; their X-Forwarded-* headers are believed
    )

    witnesses: tuple[str, ...] = ()  # verifier keys whose cosignatures are kept

    @property
    def loopback(self) -> bool:
        """Whether the address printed in the QR can be reached only on this machine, or without TLS."""
        parts = urlsplit(self.base_url)
        return parts.scheme != "https" or _is_local(parts.hostname or "")


def _is_local(host: str) -> bool:
    if host.rstrip(".") == "localhost" or host.rstrip(".").endswith(".localhost"):
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified or address.is_link_local


def load(environ: Mapping[str, str], folder: Path) -> Settings:
    """Settings from the environment and `folder/signsvc.toml`; raises SettingsError naming the key."""
    given: dict[str, Any] = {}
    file = folder / "signsvc.toml"
    if file.is_file():
        try:
            given.update(tomllib.loads(file.read_text("utf-8")))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SettingsError(f"{file.name} 无法读取：{error}") from error
    given.update(
        {key[len(PREFIX) :].lower(): value for key, value in environ.items() if key.startswith(PREFIX)}
    )
    known = {item.name for item in fields(Settings)}
    if unknown := sorted(set(given) - known):
        raise SettingsError("未知的设置：" + "、".join(unknown))
    values = {key: _value(key, raw, folder) for key, raw in given.items()}
    for name in ("home", "keys"):
        values.setdefault(name, (folder / getattr(Settings, name)).absolute())
    return Settings(**values)


def _value(key: str, raw: Any, folder: Path) -> Any:
    kind = {item.name: str(item.type) for item in fields(Settings)}[key]
    try:
        value = _parse(kind, raw, folder)
        _check(key, value)
        return value
    except (ValueError, TypeError, AttributeError) as error:
        raise SettingsError(f"设置 {key} 的值无法使用：{error}") from error


def _check(key: str, value: Any) -> None:
    """What the form of a value does not say: its sense."""
    if key == "base_url":
        parts = urlsplit(value)
        plain = value.isascii() and not set(value) & set(" +") and value.isprintable()
        if (
            parts.scheme not in ("http", "https")
            or not parts.hostname
            or parts.query
            or parts.fragment
            or not plain
        ):
            raise ValueError("应为 https://… 的网址，不带参数、空格和加号")
    if key.startswith("limit_") and not LIMIT.fullmatch(value):
        raise ValueError("应为 次数/单位，如 120/minute；单位为 second、minute、hour、day")
    if key == "makers" and not 0 <= value <= 64:
        raise ValueError("0–64")
    if key == "checks" and not 1 <= value <= 64:
        raise ValueError("应在 1–64 之间")
    if key == "proxies" and value > 8:
        raise ValueError("应在 0–8 之间")
    if key == "witnesses":
        for item in value:
            Witness.parse(item)
    if key == "seal_diameter_mm" and not SEAL_MM[0] <= value <= SEAL_MM[1]:
        raise ValueError(f"应在 {SEAL_MM[0]}–{SEAL_MM[1]} 毫米之间")


def _parse(kind: str, raw: Any, folder: Path) -> Any:
    match kind:
        case "Path" | "Path | None":
            return (folder / str(raw)).absolute()
        case "tuple[Path, ...]":
            return tuple((folder / item).absolute() for item in _items(raw))
        case "tuple[str, ...]":
            return tuple(_items(raw))
        case "bool":
            return _flag(raw)
        case "float" | "int":
            return _number(raw, float if kind == "float" else int)
        case "Converter":
            if raw not in get_args(Converter):
                raise ValueError("应为 " + " | ".join(get_args(Converter)))
            return raw
        case "str" if urlsplit(str(raw)).scheme:
            return str(raw).rstrip("/")
        case _:
            return str(raw)


def _number(raw: Any, kind: type[float] | type[int]) -> float:
    try:
        number = kind(raw)
    except ValueError as error:
        raise ValueError("应为数字") from error
    if not 0 <= number < 10**6:
        raise ValueError("超出范围")
    return number


def _items(raw: Any) -> list[str]:
    """A TOML list, or a variable with its parts divided by `;`."""
    parts = raw.split(";") if isinstance(raw, str) else raw
    return [part.strip() for part in parts if part.strip()]


def _flag(raw: Any) -> bool:
    text = str(raw).lower()
    if text not in ("true", "false", "1", "0", "yes", "no"):
        raise ValueError("应为 true 或 false")
    return text in ("true", "1", "yes")
