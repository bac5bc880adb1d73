"""Where things are, which keys a process is given, and how a home comes to be."""

from __future__ import annotations

import stat
from collections.abc import Collection
from datetime import date, datetime
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit

from signsvc import boxes, keys, policy
from signsvc.archive import Archive
from signsvc.config import Settings
from signsvc.cosignatures import Witness
from signsvc.errors import RegistryError, SettingsError
from signsvc.keys import KeyRing, Role
from signsvc.notes import log_name
from signsvc.policy.lists.events import Adopted
from signsvc.registry import Boxes, Registry
from signsvc.report import BEIJING
from signsvc.wiring.lists import record

OFFICES = "offices.toml"
CATALOGUES, PACKS = "catalogue", "packs"  # folders
DEMO_DOCUMENT, DEMO_BODY, DEMO_SINCE = "演示清单（无任何效力）", "演示审定机关", date(2024, 1, 1)
# The public verification is given no key that could make anything.
SEALING = (Role.SEAL,)
ISSUING = (Role.SEAL, Role.LOG, Role.ARCHIVE, Role.MATCH)
RECORDING = (Role.LOG, Role.ARCHIVE, Role.MATCH)
READING = (Role.MATCH,)
SERVING = (Role.MATCH, Role.RECEIPT)


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
    recognised = [read_file(pem, "认可的签发机构证书") for pem in settings.recognised_issuers]
    return keys.load(settings.keys, keys.read_passphrase(file), roles, recognised)


def read_file(file: Path, what: str) -> bytes:
    """A file that the settings name; SettingsError says what it was to be."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise SettingsError(f"读不到{what} {file}：{error.strerror}") from error


def make_home(settings: Settings, demo: bool) -> None:
    """Registry and keys, from nothing; refuses whatever exists (it would fork the log and use numbers again)."""
    standing = any((settings.home / name).exists() for name in ("registry.sqlite3", "log", "archive"))
    if standing or is_made(settings):
        raise RegistryError("这里已有登记库，不再新建；如要重做演示，请先移走 var 和 keys 中的内容")
    # A home that cannot be written must not cost a set of keys.
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings.home.chmod(0o700)
    _make_keys(settings, demo)
    if demo:
        _lay_down_demo(settings.home)
    for folder in (archive_folder(settings), log_folder(settings), settings.home / "tmp"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    ring = load_keys(settings, RECORDING)
    name = log_name(settings.base_url)
    Registry.create(database_url(settings), log_folder(settings), name, ring.match, ring.log).close()


def _lay_down_demo(home: Path) -> None:
    """The demonstration's offices, and a retained list for each of its two places."""
    text = policy.demo_text("offices")
    (home / OFFICES).touch(mode=0o600)
    (home / OFFICES).write_text(text, "utf-8")
    offices = policy.load_offices(text, OFFICES)
    for province in ("qinghai", "guangdong"):
        listed = policy.demo_text(f"catalogue-{province}")
        first = Adopted(listed, DEMO_DOCUMENT, DEMO_BODY, DEMO_SINCE)
        record(home / CATALOGUES, f"demo-{province}", first, policy.load_pack, offices, now())


def _make_keys(settings: Settings, demo: bool) -> None:
    offices = policy.load_offices(policy.demo_text("offices"), OFFICES) if demo else {}
    given = settings.passphrase_file
    passphrase = keys.read_passphrase(given) if given else None
    keys.make(settings.keys, list(offices.values()), settings.base_url, now(), passphrase, demo)


def is_made(settings: Settings) -> bool:
    """Whether there is a registry here."""
    return Registry.exists(database_url(settings))


def require_registry(settings: Settings) -> None:
    """RegistryError where `init` has not been."""
    if not is_made(settings):
        raise RegistryError("没有登记库：请先运行 signsvc init，或检查 SIGNSVC_HOME")


def open_home(settings: Settings, roles: Collection[Role]) -> tuple[KeyRing, Registry]:
    """Keys of these roles, and the registry: to be written to by whoever holds the log key."""
    ring = open_keys(settings, roles)
    return ring, open_registry(settings, ring)


def open_keys(settings: Settings, roles: Collection[Role]) -> KeyRing:
    """Keys of these roles, where there is a registry, and nobody else can write to it."""
    require_registry(settings)
    if settings.home.exists() and settings.home.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise SettingsError("SIGNSVC_HOME 可被其他用户写入，拒绝使用；请执行 chmod 700")
    return load_keys(settings, roles)


def open_registry(settings: Settings, ring: KeyRing) -> Registry:
    """The registry under these keys: after forking, for its connections must not cross into a child."""
    url, folder = database_url(settings), log_folder(settings)
    pinned = [Witness.parse(item) for item in settings.witnesses]
    if ring.log_private is None:
        return Registry.open(url, folder, ring.match, witnesses=pinned)
    archive = Archive(archive_folder(settings), settings.home / "tmp", ring.archive)
    locking = Boxes(partial(boxes.opens, archive), partial(boxes.empty, archive))
    return Registry.open(url, folder, ring.match, ring.log, locking, pinned)
