"""A witness's folder: its key, the logs it trusts, what it has seen of each, and evidence of what it refused.

    witness.key       PKCS#8 PEM, mode 0600; not encrypted: whoever starts the witness needs it unattended
    witness.vkey      its public half, for those who rely on its cosignatures
    logs/<id>/        one folder for each log; <id> is the beginning of the SHA-256 of its name
      vkey, url       whom to believe, and where its checkpoint and tiles are
      checkpoint      the checkpoint cosigned last: signed by the log and cosigned here, and by nobody else
    evidence/         one folder for each pair of checkpoints that do not go together; see `keep_evidence`

Crash story. The checkpoint is replaced as a whole and fsynced, under a lock, before its cosignature is handed out: a
witness that was killed may have cosigned what nobody received, and never forgets what somebody did.
"""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from signsvc import durable
from signsvc.cosignatures import Witness, cosign, only_by, with_cosignatures, witness_of
from signsvc.errors import KeysError, reason
from signsvc.keys.files import make_folder, read_private, write_new
from signsvc.notes import Checkpoint, NoteError, Verifier, open_checkpoint, split_note
from signsvc.witness.fetching import check_address

KEY, VKEY, LOGS, EVIDENCE = "witness.key", "witness.vkey", "logs", "evidence"


@dataclass(frozen=True)
class Log:
    """A log that is trusted: whose signature, where it is published, and the folder of what was seen of it."""

    verifier: Verifier
    address: str
    folder: Path

    @property
    def checkpoint(self) -> Path:
        return self.folder / "checkpoint"


@dataclass(frozen=True)
class State:
    """An open witness. Several processes may share its folder."""

    folder: Path
    witness: Witness
    key: Ed25519PrivateKey
    clock: Callable[[], datetime]

    def places(self) -> list[Path]:
        """The folder of every log that is trusted."""
        return sorted((self.folder / LOGS).glob("[0-9a-f]*"))

    def log(self, origin: str) -> Log | None:
        """The log of this name, if it is trusted."""
        folder = self._place(origin)
        return read_log(folder) if folder.is_dir() else None

    def trust(self, verifier: Verifier, address: str) -> Log:
        """Trust a log from now on; KeysError if its name is trusted under another key. A new address replaces the
        old one."""
        address = check_address(address)
        folder = self._place(verifier.name)
        make_folder(folder)
        key = folder / "vkey"
        if not key.exists():
            write_new(key, f"{verifier}\n".encode(), private=False)
        if key.read_text("utf-8").strip() != str(verifier):
            raise KeysError(
                f"已信任的日志 {verifier.name} 是另一把公钥，不会更换：请先查明原因", "log_key_changed"
            )
        _replace(folder / "url", f"{address}\n")
        return read_log(folder)

    @contextmanager
    def locked(self, log: Log) -> Iterator[Checkpoint | None]:
        """What was cosigned last of this log, nobody else changing it meanwhile; None if nothing was yet."""
        with open(log.folder / "lock", "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield self.seen(log)

    def seen(self, log: Log) -> Checkpoint | None:
        """The checkpoint cosigned last; KeysError if the file holds anything else."""
        try:
            return open_checkpoint(log.checkpoint.read_bytes(), log.verifier)
        except FileNotFoundError:
            return None
        except NoteError as error:
            # Starting over would mean to believe whatever the log says now.
            raise KeysError(f"见证记录 {log.checkpoint} 被改动，请恢复备份", "state_damaged") from error

    def cosign(self, log: Log, note: str) -> str:
        """Remember the checkpoint in `note`, then give the cosignature line. Only while it is `locked`.

        KeysError if it cannot be remembered: then nobody hears of a cosignature.
        """
        text, _ = split_note(note)
        line = cosign(text, self.witness.name, self.key, self.clock())
        _replace(log.checkpoint, with_cosignatures(only_by(note, log.verifier), line, [self.witness]))
        return line

    def keep_evidence(self, log: Log, note: str, more: Mapping[str, str] | None = None) -> Path:
        """Keep the checkpoint `seen` beside the one that is `shown` now, and what `more` files say of the two; the same
        pair is kept once. Only after one was seen."""
        before, now = log.checkpoint.read_text("utf-8"), only_by(note, log.verifier)
        pair = f"{split_note(before)[0]}\n{split_note(now)[0]}"
        folder = self.folder / EVIDENCE / sha256(pair.encode()).hexdigest()[:16]
        make_folder(folder)
        for file, text in {"seen": before, "shown": now, **(more or {})}.items():
            _replace(folder / file, text)
        return folder

    def _place(self, origin: str) -> Path:
        return self.folder / LOGS / sha256(origin.encode()).hexdigest()[:16]


def make(folder: Path, name: str) -> Witness:
    """A new witness in `folder`; KeysError if there is one already, or the name holds a space or a plus."""
    key = Ed25519PrivateKey.generate()
    try:
        witness = witness_of(name, key)
    except NoteError as error:
        raise KeysError(
            "见证人名称不能为空，也不能含空格或加号；建议用自己的网址，如 example.org/witness"
        ) from error
    make_folder(folder)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_new(folder / KEY, pem, private=True)
    write_new(folder / VKEY, f"{witness}\n".encode(), private=False)
    for part in (LOGS, EVIDENCE):
        make_folder(folder / part)
    return witness


def open_state(folder: Path, clock: Callable[[], datetime]) -> State:
    """The witness in `folder`; KeysError if there is none, or its key is not its own."""
    if not (folder / VKEY).exists():
        raise KeysError(f"{folder} 中没有见证人：请先运行 signsvc witness init")
    try:
        witness = Witness.parse((folder / VKEY).read_text("utf-8").strip())
        key = load_pem_private_key(read_private(folder / KEY), None)
    except (NoteError, ValueError, TypeError) as error:
        raise KeysError("见证人的密钥文件无法读取，请恢复备份") from error
    if not isinstance(key, Ed25519PrivateKey) or witness_of(witness.name, key) != witness:
        raise KeysError("见证人的密钥与公钥不是一对，请恢复备份")
    return State(folder, witness, key, clock)


def read_log(folder: Path) -> Log:
    """The log in one of the `places`; KeysError if that is not whole."""
    try:
        verifier = Verifier.parse((folder / "vkey").read_text("utf-8").strip())
        return Log(verifier, (folder / "url").read_text("utf-8").strip(), folder)
    except (OSError, ValueError) as error:
        raise KeysError(f"见证记录 {folder} 不完整，请恢复备份", "state_damaged") from error


def _replace(file: Path, text: str) -> None:
    """Let `file` hold `text`, durably; KeysError if it cannot be written."""
    try:
        durable.replace_file(file, text.encode())
    except OSError as error:
        raise KeysError(f"见证记录 {file} 无法写入：{reason(error)}") from error
