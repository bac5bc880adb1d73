"""One family of errors, each with a stable code, and the one place where codes become exits and HTTP.

A code is part of the outside interface; a message is Chinese first, for the person in front of it, and
never echoes an identity number, a name or what filled a slot.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of the command line."""

    DONE = 0
    NOT_ALL = 1
    UNUSABLE = 2


@dataclass(frozen=True)
class Ground:
    """What a refusal rests on: a sentence of a published document, and the item of its list if it hit one."""

    document: str  # 青民发〔2021〕103号
    place: str  # 二（二）
    sentence: str  # verbatim, without white space
    listed: str = ""  # 附件2《…清单（第一批）》第8项“婚姻状况证明”
    pathway: str = ""  # 办事途径, verbatim

    @property
    def quoted(self) -> str:
        """The sentence with its place, as it follows the words for a person."""
        return f"（{self.document}{self.place}：“{self.sentence}”）"


@dataclass(frozen=True)
class Fault:
    """One thing wrong with one row: `code` is `family` or `family:detail`, `column` the request key it concerns.

    What the policy refuses carries its `ground`; a mistake in the row has none.
    """

    code: str
    message: str
    column: str | None = None
    ground: Ground | None = None


class SignsvcError(Exception):
    """The root of the family. `code` is stable; `str(error)` is the message for people."""

    code = "error"
    exit = Exit.UNUSABLE
    http = 400

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code

    def __reduce__(self) -> tuple[object, ...]:
        """As it is, whatever it was made from: an error of a process that makes is raised in the one that asked."""
        return _as_it_was, (type(self), self.args, vars(self))


def _as_it_was(kind: type[SignsvcError], args: tuple[object, ...], held: dict[str, object]) -> SignsvcError:
    error = kind.__new__(kind)
    error.args = args
    vars(error).update(held)
    return error


class SettingsError(SignsvcError):
    """A setting is unknown, missing or contradicts another one."""

    code = "bad_setting"
    http = 500


class PolicyError(SignsvcError):
    """A file of offices, of a catalogue or of a policy pack cannot be used; the message names file, line and key."""

    code = "bad_policy"
    http = 500


class CatalogueChanged(SignsvcError):
    """The journal of a retained list (保留清单) is not as it was written; whatever needs the list is refused."""

    code = "catalogue_changed"
    http = 503


class ChangeRefused(SignsvcError):
    """A change of a retained list does not go this way: `step_not_allowed`, `change_outdated` or `change_invalid`."""

    code = "step_not_allowed"
    exit = Exit.NOT_ALL
    http = 409


class InputError(SignsvcError):
    """A whole input (a request file, a PDF path, a number) cannot be used."""

    code = "unusable_input"


class NotFound(SignsvcError):
    """The number or file is not in the registry."""

    code = "not_found"
    exit = Exit.NOT_ALL
    http = 404


class RegistryError(SignsvcError):
    """The registry is missing, exists already, is busy, or does not allow the change."""

    code = "registry_error"
    exit = Exit.UNUSABLE
    http = 503


class StatusNotAllowed(SignsvcError):
    """The certificate's present status does not allow the change asked for."""

    code = "status_not_allowed"
    exit = Exit.NOT_ALL
    http = 409


class KeysError(SignsvcError):
    """Key material is missing, unreadable or does not belong together."""

    code = "keys_error"
    http = 503


class Busy(SignsvcError):
    """The service has as much to do as it takes on; `retry_after` is in seconds."""

    code = "busy"
    http = 503

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TooMany(Busy):
    """Somebody asks more often than the limits allow."""

    code = "too_many_requests"
    http = 429


class RowRefused(SignsvcError):
    """The row may not be issued as it stands; carries every fault, not only the first, and what can be done instead.

    No number was used.
    """

    code = "refused"
    exit = Exit.NOT_ALL
    http = 422

    def __init__(self, faults: Sequence[Fault], ways: Sequence[str] = ()) -> None:
        super().__init__("；".join(fault.message for fault in faults), faults[0].code)
        self.faults = tuple(faults)
        self.ways = tuple(ways)


class RowFailed(SignsvcError):
    """The row might be issued, but a step of the work failed; `code` names the step (`conversion_failed` …)."""

    code = "failed"
    exit = Exit.NOT_ALL
    http = 500


class MakingEnded(SignsvcError):
    """A process that makes files ended before its work was done, or its converter works no more; what it was given may
    be given again."""

    code = "making_ended"
    http = 503


class TemplateError(RowFailed):
    """The template is unsafe, unreadable, or its fields are not the form's fields."""

    code = "template_error"


class ConversionFailed(RowFailed):
    """The converter gave no PDF, crashed, or ran out of time."""

    code = "conversion_failed"


class TextMismatch(RowFailed):
    """What the PDF shows is not what was asked for: other text, other fonts, or a .notdef glyph."""

    code = "text_mismatch"


class SealFailed(RowFailed):
    """The seal could not be made, or the sealed file did not pass its own check."""

    code = "seal_failed"


class KeyExpired(RowFailed):
    """The office's seal certificate is not valid today."""

    code = "key_expired"


class ArchiveFailed(RowFailed):
    """The office's copy could not be stored or read back."""

    code = "archive_failed"


class RegistryBusy(RowFailed):
    """Another process took the request or held the registry; running again settles it."""

    code = "registry_busy"
    http = 503


_REASONS = {
    errno.ENOENT: "没有这个文件或文件夹",
    errno.EACCES: "没有权限",
    errno.EPERM: "没有权限",
    errno.EISDIR: "这是文件夹，不是文件",
    errno.ENOTDIR: "路径中有一段不是文件夹",
    errno.EROFS: "磁盘只能读取",
    errno.ENOSPC: "磁盘已满",
    errno.EDQUOT: "超出磁盘配额",
    errno.ENAMETOOLONG: "文件名过长",
}


def reason(error: OSError) -> str:
    """Why the system did not do it; a rare cause in the system's own words."""
    return _REASONS.get(error.errno or 0) or error.strerror or "系统错误"
