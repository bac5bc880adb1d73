"""What is answered, as JSON, for the description of the API: exactly what `Report.as_json` and `problem` give.

Dates and times say what the strings hold.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal, NotRequired

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from signsvc.models import Medium, Standing, Status
from signsvc.report import Checked, Verdict
from signsvc.web.api.words import PROBLEMS, VERDICTS

Hex = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
_VERDICTS = {"x-enumDescriptions": {verdict.value: meaning for verdict, (meaning, _) in VERDICTS.items()}}
_CODES = {
    "enum": list(PROBLEMS),
    "x-enumDescriptions": {code: meaning for code, (_, meaning) in PROBLEMS.items()},
}


@with_config(ConfigDict(extra="forbid", title="检查"))
class Check(TypedDict):
    name: Annotated[str, Field(description="检查的内容：request、registry、log、status、dates、seal 等")]
    result: Annotated[Literal["pass", "fail", "skip"], Field(description="通过、未通过、未检查")]
    code: Annotated[str, Field(description="稳定的代码")]
    detail: Annotated[str, Field(description="给人看的说明")]


@with_config(ConfigDict(extra="forbid", title="原因"))
class Reason(TypedDict):
    code: Annotated[str, Field(description="稳定的代码")]
    message: Annotated[str, Field(description="给人看的说明")]


@with_config(ConfigDict(extra="forbid", title="出具组织"))
class Office(TypedDict):
    id: Annotated[str, Field(description="组织代码")]
    name: Annotated[str, Field(description="组织全称")]
    phone: Annotated[str, Field(description="电话，可能为空")]


@with_config(ConfigDict(extra="forbid", title="证明的登记内容"))
class Certificate(TypedDict):
    office: Annotated[Office, Field(description="出具组织")]
    number: Annotated[str, Field(description="{组织代码}-{编号}")]
    matter: Annotated[str, Field(description="证明名称")]
    statement_pattern: Annotated[str, Field(description="证明事项，空白处不显示所填内容")]
    purpose: Annotated[str, Field(description="证明用途")]
    addressee: Annotated[str, Field(description="索要单位")]
    legal_basis: Annotated[str, Field(description="法律法规依据")]
    issued_on: Annotated[date, Field(description="出具日期")]
    sealed_at: Annotated[datetime, Field(description="盖章时间")]
    valid_until: Annotated[date, Field(description="有效期至，含当日，北京时间")]
    status: Annotated[Status, Field(description="登记状态：有效、暂停、撤销、换发；过期不是状态")]
    status_since: Annotated[datetime, Field(description="状态自何时起")]
    superseded_by: Annotated[str | None, Field(description="换发后的编号")]
    holder: Annotated[str, Field(description="持有人姓名的第一个字和 **")]
    medium: Annotated[Medium, Field(description="电子或纸质")]
    policy: Annotated[str, Field(description="出具时所依政策的编号")]
    policy_sha256: Annotated[str, Field(description="该政策各文件的摘要，早期证明为空")]
    edition: Annotated[str, Field(description="保留清单的版本，早期证明为空")]
    demo: Annotated[bool, Field(description="演示数据，无法律效力")]
    sha256: Annotated[Hex, Field(description="整个文件的 SHA-256")]
    signed_sha256: Annotated[Hex, Field(description="签章所覆盖字节的 SHA-256")]


@with_config(ConfigDict(extra="forbid", title="签章"))
class Seal(TypedDict):
    standing: Annotated[Standing, Field(description="演示、自建、认可的电子印章")]
    status_at_sealing: Annotated[str, Field(description="盖章时印章证书的状况")]
    issuer: Annotated[str, Field(description="印章证书的签发者")]


@with_config(ConfigDict(extra="forbid", title="在防篡改日志中的位置"))
class LogPlace(TypedDict):
    index: Annotated[int, Field(ge=0, description="第几条，从 0 起")]
    size: Annotated[int, Field(ge=1, description="当时日志共有几条")]


@with_config(ConfigDict(extra="forbid", title="所问"))
class Asked(TypedDict):
    number: Annotated[str | None, Field(description="所问的编号")]
    sha256: Annotated[str | None, Field(description="所问文件的 SHA-256")]


@with_config(ConfigDict(extra="forbid", title="查验结果"))
class Report(TypedDict):
    verdict: Annotated[Verdict, Field(description="结论", json_schema_extra=dict(_VERDICTS))]
    rely: Annotated[
        bool,
        Field(
            description="能否采信：只有今天 valid、印章获认可、电子件、不是演示数据，且所问 claims 全部相符时为 true"
        ),
    ]
    checked: Annotated[Checked, Field(description="查的是编号、文件还是摘要")]
    asked: Annotated[Asked, Field(description="所问的编号或摘要，使回执说明问的是什么；写错的为 null")]
    checks: Annotated[list[Check], Field(description="做了哪些检查")]
    reasons: Annotated[list[Reason], Field(description="为何是这个结论，以及须同时知道的事")]
    certificate: Annotated[Certificate | None, Field(description="登记内容；没有可展示的登记时为 null")]
    seal: Annotated[Seal | None, Field(description="签章")]
    log: Annotated[LogPlace | None, Field(description="在防篡改日志中的位置")]
    as_of: Annotated[date, Field(description="按哪一天判断")]
    checked_at: Annotated[datetime, Field(description="查验时间，RFC 3339，+08:00")]
    receipt: Annotated[
        str,
        Field(
            pattern=r"^[\w-]+\.[\w-]+\.[\w-]+$",
            description="回执：对其余全部内容的签名（JWS compact，EdDSA）",
        ),
    ]


@with_config(ConfigDict(extra="forbid", title="核对结果"))
class ClaimMatches(TypedDict):
    name: NotRequired[Annotated[bool, Field(description="姓名相符")]]
    id_number: NotRequired[Annotated[bool, Field(description="证件号码相符")]]
    valid_until: NotRequired[Annotated[bool, Field(description="有效期相符")]]
    statement: NotRequired[Annotated[bool, Field(description="证明事项相符")]]


@with_config(ConfigDict(extra="forbid", title="按编号查验的结果"))
class NumberReport(Report):
    claims: NotRequired[
        Annotated[ClaimMatches, Field(description="相符或不符，从不给出登记的内容；问了才有")]
    ]


@with_config(ConfigDict(extra="forbid", title="成批查验的结果"))
class BatchAnswer(TypedDict):
    items: Annotated[list[Report], Field(description="每项一个结果，次序与所问相同，各有回执")]


@with_config(ConfigDict(extra="forbid", title="问题（RFC 9457）"))
class Problem(TypedDict):
    type: Literal["about:blank"]
    title: Annotated[str, Field(description="HTTP 状态的名称")]
    status: Annotated[int, Field(ge=400, le=599, description="HTTP 状态码")]
    code: Annotated[str, Field(description="稳定的代码", json_schema_extra=dict(_CODES))]
    detail: Annotated[str, Field(description="给人看的说明，从不重复所提交的内容")]


@with_config(ConfigDict(extra="forbid", title="公钥（RFC 7517、RFC 8037）"))
class Key(TypedDict):
    kty: Literal["OKP"]
    crv: Literal["Ed25519"]
    x: Annotated[str, Field(description="公钥，base64url")]
    kid: Annotated[str, Field(description="公钥的指纹（RFC 7638）")]
    use: Literal["sig"]
    alg: Literal["EdDSA"]


@with_config(ConfigDict(extra="forbid", title="验证回执的公钥"))
class KeySet(TypedDict):
    keys: Annotated[list[Key], Field(description="现用的公钥在前，之后是以前的")]
