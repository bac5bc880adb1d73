"""Key files on disk: written whole or not at all, never over another, never readable by others."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from signsvc.durable import sync_folder
from signsvc.errors import KeysError

LOG_CHAIN = "log.pem"  # the log's certificate and its issuers, where there is one
PASSPHRASE_FILE = "passphrase"  # noqa: S105 - a file name
# A PKCS#8 file is stretched by only 2048 rounds of PBKDF2: the passphrase itself has to be beyond guessing.
MIN_PASSPHRASE = 20
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def new_passphrase() -> str:
    """256 random bits in printable form."""
    return secrets.token_urlsafe(32)


def make_folder(folder: Path) -> None:
    """Create `folder` with mode 0700, or narrow an existing one to it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)


def write_new(file: Path, data: bytes, *, private: bool) -> None:
    """Write a file that must not exist yet: fsynced beside its place, linked to its name, the folder fsynced.

    `private` gives mode 0600, otherwise 0644. Raises KeysError if the name is taken, and leaves that file.
    """
    draft = file.with_name(f".{file.name}.{secrets.token_hex(6)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if private else 0o644)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.link(draft, file)
    except FileExistsError as error:
        raise KeysError(f"密钥文件 {file.name} 已存在，不会覆盖；如需重做，请先移走") from error
    finally:
        draft.unlink(missing_ok=True)
    sync_folder(file.parent)


def read_private(file: Path) -> bytes:
    """The bytes of a key file; raises KeysError if it is missing or its mode lets others read it."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise KeysError(f"缺少密钥文件 {file.name}；请先运行 signsvc init，或恢复备份") from error
    except OSError as error:
        raise KeysError(f"密钥文件 {file.name} 无法读取：{error.strerror}") from error
    with os.fdopen(descriptor, "rb") as stream:
        # The mode of the file that was opened, so that nothing can be exchanged in between.
        if os.fstat(stream.fileno()).st_mode & _OTHERS:
            raise KeysError(
                f"密钥文件 {file.name} 可被其他用户读取，拒绝使用；请执行 chmod 600 后重试，并考虑更换密钥"
            )
        return stream.read()


def read_public(file: Path) -> bytes:
    """The bytes of a certificate or public key; raises KeysError if it is missing."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise KeysError(f"缺少或无法读取 {file.name}：{error.strerror}") from error


def read_passphrase(file: Path) -> str:
    """The passphrase in `file`, its first line; raises KeysError if missing, too open or too short."""
    lines = read_private(file).decode("utf-8", "replace").splitlines()
    return check_passphrase(lines[0] if lines else "")


def check_passphrase(passphrase: str) -> str:
    """The passphrase itself; raises KeysError if it is shorter than 20 characters."""
    if len(passphrase) < MIN_PASSPHRASE:
        raise KeysError(f"密钥口令太短：至少 {MIN_PASSPHRASE} 个字符，建议使用随机口令")
    return passphrase
