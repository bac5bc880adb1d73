"""What other parts of the service serve to machines, described beside the API."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from signsvc.statuslist import MEDIA_TYPE
from signsvc.web.api.bodies import NumberItem
from signsvc.web.api.operation import ASKING, Operation
from signsvc.web.api.sample import ITEM


@with_config(ConfigDict(extra="forbid", title="服务的状况"))
class Health(TypedDict):
    status: Annotated[str, Field(description="ok 或 ready")]


ELSEWHERE: Final = (
    Operation(
        "logProof",
        "post",
        "/log/proof",
        "一份证明的存证包",
        "登记内容的公开部分、它在日志中的证明和日志的证书。有了它，离线也能查验文件，不必相信本服务。",
        asks=NumberItem,
        gives=dict,
        faults=(*ASKING, 404),
        example=ITEM,
    ),
    Operation(
        "logCheckpoint",
        "get",
        "/log/checkpoint",
        "日志最新的检查点",
        "C2SP tlog-checkpoint。日志的其余部分按 C2SP tlog-tiles 在 /log/tile/ 之下。",
        gives=str,
        kind="text/plain",
    ),
    Operation(
        "logStatuses",
        "get",
        "/log/statuses",
        "被撤销、换发和暂停的证明",
        "签过名的清单（JWS，与回执用同样的公钥），每分钟更新；只有持有证明的人认得出是哪一份。",
        gives=str,
        kind=MEDIA_TYPE,
    ),
    Operation("alive", "get", "/healthz", "服务是否在运行", "只说明进程活着。", gives=Health, faults=()),
    Operation("ready", "get", "/readyz", "服务能否回答", "登记库和检查程序都可用时为 200。", gives=Health),
)
