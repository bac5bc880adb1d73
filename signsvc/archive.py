"""The office's own copy of each sealed file (存档): encrypted, one file each, named by the SHA-256 of the PDF.

Every copy has a data key of its own, wrapped by the archive key, so that one can be forgotten without touching the
rest. Crash story: a copy is written in `tmp`, fsynced, renamed into the folder, and the folder fsynced, before the
registry commits; what a crash leaves in `tmp` is encrypted, and a copy without its entry is an orphan that harms
nobody. Nothing but copies is ever in the folder.

An envelope is `SSA1` ‖ wrapped data key (40 bytes, RFC 3394) ‖ nonce (12) ‖ AES-256-GCM ciphertext and tag, with the
magic and a context (what it is the envelope of) as associated data.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SM3, Hash
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from signsvc.durable import sync_folder
from signsvc.errors import ArchiveFailed
from signsvc.models import Sha256

KEY_BYTES, NONCE_BYTES, WRAPPED_BYTES = 32, 12, 40
MAGIC = b"SSA1"
_NAME = re.compile(r"[0-9a-f]{64}")


def sm3(data: bytes) -> str:
    """Lower-case hexadecimal SM3 (GB/T 32905) of `data`."""
    digest = Hash(SM3())
    digest.update(data)
    return digest.finalize().hex()


@dataclass(frozen=True)
class Archive:
    """Copies in `folder`, made in `tmp` (same file system), under `key` (32 bytes). Safe for many processes at once."""

    folder: Path
    tmp: Path
    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.key) != KEY_BYTES:
            raise ArchiveFailed("存档密钥应为 32 字节")

    def put(self, pdf: bytes) -> Sha256:
        """Keep a sealed file durably and return its hash; keeping it again changes nothing. Raises ArchiveFailed."""
        return self.put_many([pdf])[0]

    def put_many(self, pdfs: Sequence[bytes]) -> list[Sha256]:
        """Keep several, with one fsync of the folder for all."""
        names = [Sha256(sha256(pdf).hexdigest()) for pdf in pdfs]
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.tmp.mkdir(mode=0o700, parents=True, exist_ok=True)
            for name, pdf in zip(names, pdfs, strict=True):
                if not self._kept(name):
                    self._write(name, self.lock(pdf, name.encode()))
            sync_folder(self.folder)
        except OSError as error:
            raise ArchiveFailed("存档无法写入：请检查磁盘空间和文件权限") from error
        return names

    def get(self, name: Sha256) -> bytes:
        """The file whose SHA-256 is `name`, checked by it. Raises ArchiveFailed if it is missing or changed."""
        if not _NAME.fullmatch(name):
            raise ArchiveFailed("存档文件名应为 SHA-256")
        try:
            envelope = (self.folder / name).read_bytes()
        except FileNotFoundError as error:
            raise ArchiveFailed(f"存档缺失：{name}") from error
        except OSError as error:
            raise ArchiveFailed(f"存档无法读取：{name}") from error
        pdf = self.unlock(envelope, name.encode())
        if sha256(pdf).hexdigest() != name:
            raise ArchiveFailed(f"存档内容与其文件名不符：{name}")
        return pdf

    def names(self) -> Iterator[str]:
        """The name of everything in the folder, in no order; nothing is opened."""
        try:
            with os.scandir(self.folder) as found:
                yield from (entry.name for entry in found)
        except FileNotFoundError:
            return
        except OSError as error:
            raise ArchiveFailed("存档目录无法读取") from error

    def lock(self, plain: bytes, context: bytes) -> bytes:
        """`plain` in an envelope that opens only with the archive key and for the same `context`."""
        data_key, nonce = secrets.token_bytes(KEY_BYTES), secrets.token_bytes(NONCE_BYTES)
        sealed = AESGCM(data_key).encrypt(nonce, plain, MAGIC + context)
        return MAGIC + aes_key_wrap(self.key, data_key) + nonce + sealed

    def unlock(self, envelope: bytes, context: bytes) -> bytes:
        """What `lock` was given. Raises ArchiveFailed for another key or context, or a changed envelope."""
        wrapped, rest = envelope[4 : 4 + WRAPPED_BYTES], envelope[4 + WRAPPED_BYTES :]
        if envelope[:4] != MAGIC or len(rest) < NONCE_BYTES + 16:
            raise ArchiveFailed("存档内容残缺，无法打开")
        try:
            data_key = aes_key_unwrap(self.key, wrapped)
            return AESGCM(data_key).decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], MAGIC + context)
        except (InvalidUnwrap, InvalidTag) as error:
            raise ArchiveFailed("存档内容被改动，或存档密钥不符") from error

    def _kept(self, name: Sha256) -> bool:
        """Whether a whole copy is there; a damaged one is written anew."""
        if not (self.folder / name).exists():
            return False
        try:
            self.get(name)
        except ArchiveFailed:
            return False
        return True

    def _write(self, name: Sha256, envelope: bytes) -> None:
        fresh = self.tmp / f"{name}.{secrets.token_hex(8)}"
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(handle, "wb") as file:
            file.write(envelope)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, self.folder / name)
