"""A pack's file that is wrong: refused, with the file, the line and the key to look at."""

from __future__ import annotations

import time

import pytest

from signsvc.errors import PolicyError
from signsvc.policy import load_pack, parse_layer, shipped
from signsvc.policy.toml.strict import LONGEST, MOST_TABLES, read

FILE = "packs/nation/elsewhere/pack.toml"
SMALL = """\
# 每行的行号在下面的测试中
jurisdiction = "elsewhere"
name = "某省"
channels = [
  "网站",
  "公众号",
]

[document]
number = "某民发〔2022〕1号"
title = "实施意见"
issuers = ["某省民政厅"]
valid_from = 2022-01-01
valid_to = 2022-12-31

[[document.successors]]
number = "某民发〔2023〕1号"
title = "延期通知"
valid_from = 2023-01-01

[[rules]]
id = "outside"
place = "二"
text = "清单以外不得出具。"
codes = ["unknown_matter"]

[[rules]]
id = "end"
place = "末"
text = \"\"\"
有效期至2022年12月31日。
\"\"\"
codes = ["policy_expired"]

[[deadlines]]
name = "年度报告"
place = "三"
text = "每年12月25日前"
yearly = "12-25"

[[steps]]
id = "proposed"
name = "提出"
by = "部门"

[[steps]]
id = "decided"
name = "审定"
by = "政府"
after = ["proposed"]

[form]
label = "附件3"
title = "{holder}清单"
columns = [
  { heading = "序号", field = "serial" },
  { heading = "证明名称", field = "name" },
]

[[lists]]
id = "first"
title = "清单"
annex = "附件1"

[[lists.items]]
number = 1
title = "婚姻状况证明（分居证明）"
name = "婚姻状况证明"
aliases = ["分居证明"]
pathway = "由民政部门核对（收养情况除外）"
exemptions = [
  { phrase = "收养情况", words = ["收养"] },
]

[[lists.items]]
number = 2
title = "健在证明"
name = "健在证明"
pathway = "信息共享"

[[lists]]
id = "second"
title = "第二批"
annex = "附件2"

[[lists.items]]
number = 1
title = "居住证明"
name = "居住证明"
pathway = "由公安部门核对（国家另有规定的除外）"
issued_by = ["公安部门"]

[[lists.items.exemptions]]
phrase = "国家另有规定的"
words = ["国家规定"]
""".replace('"""\n有效期至2022年12月31日。\n"""', '"有效期至2022年12月31日。"')


def test_what_is_right_is_read() -> None:
    layer = parse_layer(SMALL, FILE, "elsewhere")
    assert [(item.listing.id, item.number) for item in layer.items] == [
        ("first", 1),
        ("first", 2),
        ("second", 1),
    ]
    assert layer.items[2].exemptions[0].words == ("国家规定",)
    assert layer.document.successors[0].number == "某民发〔2023〕1号"
    assert layer.form is not None
    assert layer.form.columns == (("序号", "serial"), ("证明名称", "name"))


FAULTS = [
    # the file
    ('name = "某省"', 'name = "某省', "不是正确的 TOML：.*line 3"),
    ('name = "某省"', "", "第1行 name：缺少"),
    ('name = "某省"', 'name = "某省"\nmore = 1', "第4行 more：未知的键"),
    (
        'jurisdiction = "elsewhere"',
        'jurisdiction = "other"',
        "第2行 jurisdiction：与所在文件夹不一致，应为 elsewhere",
    ),
    ('"公众号",', '"网站",', "第4行 channels：不能为空，也不能重复"),
    ('"公众号",', '"",', "第4行 channels：应为由文字组成的列表"),
    # the document
    ("[document]", "[documents]", "第1行 document.number：缺少"),
    ('title = "实施意见"\n', "", "第9行 document.title：缺少"),
    ('issuers = ["某省民政厅"]', 'issuers = "某省民政厅"', "第12行 document.issuers：应为由文字组成的列表"),
    ("valid_to = 2022-12-31", "valid_to = 2021-12-31", "第14行 document.valid_to：早于"),
    ("valid_to = 2022-12-31", 'valid_to = "2022-12-31"', "第14行 document.valid_to：应为日期"),
    ("valid_from = 2023-01-01\n", "", "第16行 document.successors.valid_from：接续的文件须写明施行日"),
    ('title = "延期通知"', "", "第16行 document.successors.title：缺少"),
    # passages
    ('text = "清单以外不得出具。"', "", "第21行 rules.text：缺少"),
    ('text = "清单以外不得出具。"', 'text = "清单以外 不得出具。"', "第24行 rules.text：原文不含空格"),
    ('place = "二"', "place = 2", "第23行 rules.place：应为非空文字"),
    (
        'codes = ["unknown_matter"]',
        'codes = ["unknown_mater"]',
        "第25行 rules.codes：没有这样的代码：unknown_mater",
    ),
    ('id = "end"', 'id = "outside"', "第21行 rules：同一 id"),
    ('codes = ["policy_expired"]', 'codes = ["unknown_matter"]', "第21行 rules：同一 id"),
    ('codes = ["policy_expired"]', "", "第21行 rules：文件有失效日期，须有一条"),
    # deadlines and steps
    ('yearly = "12-25"', 'yearly = "02-29"', "第37行 deadlines.yearly：应为每年都有的月-日"),
    ('yearly = "12-25"', 'yearly = "12-32"', "第37行 deadlines.yearly"),
    ('yearly = "12-25"', 'yearly = "W01-1"', "第37行 deadlines.yearly"),
    ('yearly = "12-25"', 'yearly = "12-25"\non = 2022-12-25', "第38行 deadlines.on：.*只写一个"),
    ('text = "每年12月25日前"', "", "第33行 deadlines.text：缺少"),
    ('after = ["proposed"]', "", "第44行 steps.after：第一步没有前置步骤"),
    ('after = ["proposed"]', 'after = ["published"]', "第48行 steps.after"),
    ('id = "decided"', 'id = "proposed"', "第48行 steps.after：.*不能重复"),
    # the form
    ('title = "{holder}清单"', 'title = "{holder}清单{holder}"', "第52行 form.title：花括号"),
    ('field = "serial"', 'field = "number"', "第54行 form.columns.field：应为 addressee"),
    ('field = "name"', 'field = "serial"', "第53行 form.columns：每列的 heading 和 field 不能重复"),
    ('heading = "证明名称", ', "", "第55行 form.columns.heading：缺少"),
    ('field = "name" }', 'field = "name", width = 3 }', "第55行 form.columns.width：未知的键"),
    # lists
    ('annex = "附件1"', "", "第58行 lists.annex：缺少"),
    ('id = "second"', 'id = "first"', "第58行 lists：两个清单的 id 相同"),
    ("number = 2", "number = 3", "第63行 lists.items：序号应连续"),
    ("number = 2", "number = true", "第74行 lists.items.number：应为正整数"),
    ('name = "健在证明"', 'name = "在世证明"', "第76行 lists.items.name：在清单原文中找不到"),
    ('name = "健在证明"', 'name = "证明"', "第76行 lists.items.name：.*至少三个汉字"),
    (
        'name = "健在证明"',
        'name = "健在证明"\nsynonyms = ["分居证明"]',
        "第63行 lists.items：同一名称出现了两次：分居证明",
    ),
    ('aliases = ["分居证明"]', 'aliases = ["离婚证明"]', "第67行 lists.items.aliases：在清单原文中找不到"),
    ('pathway = "信息共享"', "", "第73行 lists.items.pathway：缺少"),
    ('pathway = "信息共享"', 'pathway = "信息共享"\nremark = "x"', "第78行 lists.items.remark：未知的键"),
    (
        'issued_by = ["公安部门"]',
        'issued_by = ["民政部门"]',
        "第89行 lists.items.issued_by：在清单原文中找不到",
    ),
    ('title = "居住证明"', "", "第84行 lists.items.title：缺少"),
    # what is added for recognising
    (
        'pathway = "信息共享"',
        'pathway = "信息共享"\nfacts = ["健在", "系…子"]',
        "第78行 lists.items.facts：.*最后一段至少两个汉字",
    ),
    ('pathway = "信息共享"', 'pathway = "信息共享"\nfacts = ["健在/"]', "第78行 lists.items.facts"),
    (
        'pathway = "信息共享"',
        'pathway = "信息共享"\neveryday = ["健"]',
        "第78行 lists.items.everyday：至少两个汉字",
    ),
    (
        'pathway = "信息共享"',
        'pathway = "信息共享"\nhints = ["x在"]',
        "第78行 lists.items.hints：至少两个汉字",
    ),
    (
        'pathway = "信息共享"',
        'pathway = "信息共享"\nunissued = ["生存证明"]',
        "第78行 lists.items.unissued：应为本项的名称",
    ),
    (
        'pathway = "信息共享"',
        'pathway = "信息共享"\nonly_with = [{ name = "生存证明" }]',
        "第78行 lists.items.only_with：应为本项的名称",
    ),
    (
        'pathway = "信息共享"',
        'pathway = "信息共享"\nonly_with = [{ name = "健在证明", word = ["x"] }]',
        "第78行 lists.items.only_with.word：未知的键",
    ),
    # lists.items.exemptions, inline and under a header
    ('phrase = "收养情况"', 'phrase = "公证情况"', "第69行 lists.items.exemptions：在清单原文中找不到"),
    ('words = ["收养"]', "words = []", "第70行 lists.items.exemptions.words：不能为空"),
    (', words = ["收养"]', "", "第70行 lists.items.exemptions.words：应为由文字组成的列表"),
    (
        'words = ["收养"]',
        'words = ["收养"], closed_by = 0',
        "第70行 lists.items.exemptions.closed_by：应为正整数",
    ),
    ('words = ["收养"]', 'words = ["收养"], closed_by = 7', "第63行 lists.items：closed_by 指向"),
    ('words = ["收养"]', 'words = ["收养"], note = "{"', "第70行 lists.items.exemptions.note：未知的键"),
    ('words = ["国家规定"]', "words = [1]", "第93行 lists.items.exemptions.words：应为由文字组成的列表"),
    ('phrase = "国家另有规定的"', "", "第91行 lists.items.exemptions.phrase：缺少"),
]


@pytest.mark.parametrize(("written", "instead", "says"), FAULTS)
def test_a_faulty_pack_is_refused_with_file_line_and_key(written: str, instead: str, says: str) -> None:
    assert written in SMALL
    with pytest.raises(PolicyError, match=f"^{FILE} {says}"):
        parse_layer(SMALL.replace(written, instead, 1), FILE, "elsewhere")


@pytest.mark.parametrize(
    "before",
    ['# [[lists.items]] name = "x"\n', 'report = """\n[[rules]]\ntext = 1 {\n"""\n', "report = '[['\n"],
)
def test_what_only_looks_like_a_table_does_not_move_the_line(before: str) -> None:
    text = SMALL.replace('name = "某省"\n', f'name = "某省"\n{before}').replace("number = 2", "number = 0")
    with pytest.raises(PolicyError, match=f"第{74 + before.count(chr(10))}行 lists.items.number"):
        parse_layer(text, FILE)


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 100_000,
        "a = " + "9" * 10_000,
        "#" + "x" * LONGEST,
        "a = " + '{"x" = ' * 5_000,
        "a." * (LONGEST // 2 - 2) + "a=1",
        '"a" . ' * (LONGEST // 6 - 2) + "a=1",
        "[" + "a." * (LONGEST // 2 - 2) + "a]",
        "x = {y = '', " + "a." * (LONGEST // 2 - 20) + "a=1}",
        'a = "' + '\\"' * (LONGEST // 2 - 4),
        "[[lists]]\n" * (MOST_TABLES + 1),
    ],
    ids=[
        *("nested", "long number", "oversized", "nested tables"),
        *(
            "deep key",
            "deep quoted key",
            "deep header",
            "deep key behind quotes",
            "open string",
            "many tables",
        ),
    ],
)
def test_a_monstrous_file_is_refused_by_name_and_soon(text: str) -> None:
    begun = time.process_time()
    with pytest.raises(PolicyError, match=f"^{FILE} "):
        parse_layer(text, FILE)
    assert time.process_time() - begun < 2


def test_a_key_may_have_eight_parts_and_texts_any_dots() -> None:
    assert read("a.b.c.d.e.f.g.h = 1", "x").has("a")
    assert read('a = "b.c.d.e.f.g.h.i.j.k"  # b.c.d.e.f.g.h.i.j.k\nb = """\n...........\n"""', "x").has("b")
    with pytest.raises(PolicyError, match=r"^x 第2行：键的层次过多$"):
        read("z = 1\na.b.c.d.e.f.g.h.i = 1", "x")


def test_a_quoted_key_does_not_move_the_line() -> None:
    text = SMALL.replace('name = "某省"', '"name" = "某省"', 1).replace("number = 2", "number = 0")
    with pytest.raises(PolicyError, match=r"第74行 lists.items.number"):
        parse_layer(text, FILE)
    with pytest.raises(PolicyError, match=r"第3行 name：应为非空文字"):
        parse_layer(SMALL.replace('name = "某省"', '"name" = ""', 1), FILE)


def test_many_tables_are_read_in_moments() -> None:
    begun = time.process_time()
    sections = list(read("[[matters]]\n[[matters.bases]]\n" * 8_000, "x").sections("matters"))
    assert [len(list(section.sections("bases"))) for section in sections] == [1] * 8_000
    assert time.process_time() - begun < 2


@pytest.mark.parametrize(
    "place",
    [
        "",
        "..",
        "../x",
        "qinghai/../guangdong",
        "/qinghai",
        "qinghai/",
        "a/b/c",
        "QINGHAI",
        "青海",
        "nation",
        "nation/x",
        "a\n",
    ],
)
def test_what_is_no_name_of_a_place_is_never_looked_for(place: str) -> None:
    def nowhere(folder: str) -> tuple[str, str] | None:
        raise AssertionError(folder)

    with pytest.raises(PolicyError, match="应写成 省 或 省/市"):
        load_pack(place, nowhere)


@pytest.mark.parametrize(
    ("place", "missing"),
    [("henan", "packs/nation/henan/pack.toml"), ("qinghai/xining", "nation/qinghai/xining")],
)
def test_an_unknown_place_is_told_what_to_add(place: str, missing: str) -> None:
    with pytest.raises(PolicyError, match=missing) as caught:
        load_pack(place)
    assert "guangdong、qinghai" in str(caught.value)
    assert "docs/policy.md" in str(caught.value)


def test_messages_name_the_packages_own_files_by_their_path() -> None:
    found = shipped("nation/qinghai")
    assert found is not None
    with pytest.raises(PolicyError, match=r"^signsvc/policy/data/packs/nation/qinghai/pack.toml 第1行 name"):
        parse_layer(found[0].replace('name = "青海省"', "", 1), found[1])


def test_a_table_that_stands_apart_from_its_own_is_found() -> None:
    text = SMALL + '\n[[document.successors]]\nnumber = "某民发〔2030〕1号"\ntitle = "再延期"\n'
    text = text.replace(
        '[[document.successors]]\nnumber = "某民发〔2023〕1号"\ntitle = "延期通知"\nvalid_from = 2023-01-01\n',
        "",
        1,
    )
    with pytest.raises(PolicyError, match=f"第{text.count(chr(10)) - 2}行 document.successors.valid_from"):
        parse_layer(text, FILE)
