"""What the answers mean and what to do about each: verdicts and codes of problems, said once for document and page."""

from __future__ import annotations

from signsvc.report import Verdict

# Per verdict: what it means, and what whoever relies on certificates should do.
VERDICTS = {
    Verdict.UNREADABLE: ("文件无法读取", "不予采信；请对方重新提供出具时的原文件"),
    Verdict.NOT_SEALED: ("文件没有电子签章", "不予采信；如为打印件或截图，请改按编号和查验码查验"),
    Verdict.UNTRUSTED: ("签章不是登记的出具单位所加盖", "不予采信；请联系出具单位核实"),
    Verdict.ALTERED: ("文件与出具时不一致", "不予采信；请对方提供未经改动的原文件"),
    Verdict.NOT_FOUND: (
        "没有这一条登记，或编号与查验码不符，或该项未能查验（见 reasons）",
        "不予采信；先核对录入，再联系出具单位",
    ),
    Verdict.REVOKED: ("已撤销", "不予采信；请对方重新开具"),
    Verdict.SUPERSEDED: ("已换发，本件不再有效", "请对方提供换发后的证明，编号见 superseded_by"),
    Verdict.SUSPENDED: ("暂停使用", "暂不采信；请联系出具单位，恢复后再查"),
    Verdict.NOT_YET_VALID: ("尚未生效：所问日期早于出具日期", "核对 as_of；到期后再查"),
    Verdict.EXPIRED: ("已过有效期", "不予采信；请对方重新开具"),
    Verdict.VALID: (
        "登记有效，在有效期内；按文件或摘要查验时，文件也未被改动",
        "仅在 rely 为 true 时由系统直接采信，否则按 reasons 由人判断",
    ),
    Verdict.SEALED_ONLY: ("签章完好，未核对登记（只在离线查验时出现）", "联网再查"),
}

# Per code of a problem: its HTTP status, and what it means.
PROBLEMS = {
    "malformed_json": (400, "不是 UTF-8 编码的 JSON"),
    "malformed_request": (400, "字段缺少、多余、类型不对或太长；detail 写明是哪一个，多余的只写明在哪里"),
    "malformed_number": (400, "编号无法识别"),
    "malformed_code": (400, "查验码长度、字符或校验位不对"),
    "malformed_sha256": (400, "不是 64 位十六进制的 SHA-256"),
    "malformed_as_of": (400, "不是 YYYY-MM-DD 的日期"),
    "bad_request": (400, "请求无法识别"),
    "unknown_api_key": (401, "密钥不存在或已停用；不带密钥也可查验"),
    "cross_site": (403, "由别的网站的页面发来；请由程序直接调用"),
    "not_found": (404, "没有这个地址或这份存证"),
    "method_not_allowed": (405, "这个地址不接受这种方法，见 Allow"),
    "content_too_large": (413, "提交的内容太大"),
    "unsupported_media_type": (415, "Content-Type 不对"),
    "too_many_requests": (429, "查得太频繁，请在 Retry-After 秒后再试"),
    "busy": (503, "正在核对的文件太多，请在 Retry-After 秒后再试"),
    "registry_busy": (503, "登记库正忙，请稍后再试"),
    "registry_error": (503, "登记库暂时不可用，请稍后再试"),
    "registry_damaged": (503, "登记库的内容与日志不符，已停止回答；请联系运营方"),
    "registry_outdated": (503, "登记库正在升级，请稍后再试"),
    "bad_checkpoint": (503, "日志的检查点不可用；请联系运营方"),
    "not_published": (503, "日志的检查点尚未公布，请稍后再试"),
    "keys_error": (503, "密钥暂时不可用；请联系运营方"),
    "sandbox_failed": (503, "检查程序暂时不可用，请稍后再试"),
    "pki_unreadable": (503, "吊销列表无法读取"),
    "internal_error": (500, "服务内部出错，请稍后再试"),
}

# Per HTTP status of a problem: what happened.
STATUSES = {
    400: "提交的内容有误，改正后再试",
    401: "密钥不存在或已停用",
    403: "由别的网站的页面发来",
    404: "没有找到",
    413: "提交的内容太大",
    415: "Content-Type 不对",
    429: "查得太频繁",
    503: "暂时不可用",
}

ABOUT = (
    "任何人都可以查验基层群众性自治组织证明，不必登记，也可带密钥。每个回答都是签过名的回执，可离线核验。"
    "只看 rely 一个字段即可由系统决定能否直接采信。"
)
LIMITS = (
    "JSON 请求不超过 64 KB，成批查验不超过 1 MB、1000 项，文件不超过 10 MB。",
    "查得太频繁得 429，Retry-After 写明过多少秒再试；成批查验按项数计；核对姓名和证件号码另按每份证明限次。",
    "回答不得缓存：证明随时可能被撤销。请以 as_of 和 checked_at 为准，留存回执。",
)
RECEIPTS = (
    "receipt 是 JWS（RFC 7515，compact 形式，EdDSA），其内容就是同一回答中 receipt 以外的全部内容；"
    "以回执为准，不以转述为准。",
    "公钥在 /.well-known/jwks.json，按 kid 取用；头部的 typ 应为 signsvc-receipt+jws，alg 应为 EdDSA，其余一律拒绝。",
    "换钥之后旧公钥继续公布，旧回执仍可核验；长期留存的，请把公钥与回执一并留存。",
)
