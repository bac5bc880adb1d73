"""What may be asked, field by field. Here only shapes and lengths; what a number or a code is, verification knows.

A field that is not listed is refused: a mistyped `claim` would otherwise be left unanswered in silence.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SkipValidation, TypeAdapter

MAX_ITEMS = 1000
AS_OF = "按这一天判断，YYYY-MM-DD；早于今天按当天的状态，晚于今天按现在的状态；省略为今天（北京时间）"
Day = Annotated[str, Field(max_length=40, json_schema_extra={"format": "date"}, examples=["2026-11-21"])]
ClaimedDay = Annotated[str, Field(max_length=40, examples=["2036-12-31"])]


class Body(BaseModel):
    """A JSON object with exactly these fields. What was sent never shows in an error."""

    model_config = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True)


class Claims(Body):
    """What the asker was told, to be answered with match or no match.

    A field is left out, or it is text. One that is null is refused: it would stay unanswered in silence, and the answer
    be relied on although nobody's name was compared.
    """

    model_config = ConfigDict(title="待核对内容")

    name: str = Field(default_factory=str, max_length=200, description="姓名", examples=["欧阳文"])
    id_number: str = Field(
        default_factory=str, max_length=100, description="证件号码", examples=["63990119840229001X"]
    )
    valid_until: ClaimedDay = Field(
        default_factory=str, description="有效期至，如 2036-12-31、2036/12/31、2036年12月31日"
    )
    statement: str = Field(
        default_factory=str,
        max_length=2000,
        description="证明事项的全文，照证明上印的填写；标点可用半角，末尾的句号和换行不限",
        examples=["其属于本社区居民，长期居住于本辖区"],
    )


class NumberItem(Body):
    """One certificate by what is printed on it."""

    model_config = ConfigDict(title="编号和查验码")

    number: str = Field(
        max_length=500,
        description="编号：照证明上印的填写，或 {组织代码}-{编号}，也可连同“证明第…号”一起粘贴",
        examples=["2026-000001"],
    )
    code: str = Field(
        max_length=100,
        description="查验码，16 位；大小写、全角、空格和连字符不限",
        examples=["0000-0000-0000-0000"],
    )


class HashItem(Body):
    """One file by its digest: it never leaves the asker."""

    model_config = ConfigDict(title="文件摘要")

    sha256: str = Field(
        max_length=200, description="文件全部字节的 SHA-256，64 位十六进制", examples=["0" * 63 + "1"]
    )


class NumberQuestion(NumberItem):
    """POST /api/v1/verify."""

    model_config = ConfigDict(title="按编号查验")

    as_of: Day | None = Field(None, description=AS_OF)
    claims: Claims | None = Field(None, description="要核对的内容，只答相符或不符")


class HashQuestion(HashItem):
    """POST /api/v1/verify/hash."""

    model_config = ConfigDict(title="按文件摘要查验")

    as_of: Day | None = Field(None, description=AS_OF)


class BatchQuestion(Body):
    """POST /api/v1/verify/batch. Items are looked at one by one: one that is malformed spoils no other."""

    model_config = ConfigDict(title="成批查验")

    items: list[SkipValidation[NumberItem | HashItem]] = Field(
        min_length=1, max_length=MAX_ITEMS, description="要查验的证明，按编号或按摘要"
    )
    as_of: Day | None = Field(None, description=AS_OF)


ITEM: TypeAdapter[NumberItem | HashItem] = TypeAdapter(NumberItem | HashItem)
