"""Hostile templates are refused before anything opens them."""

from __future__ import annotations

import contextlib
import io
import re
import time
import zipfile

import pytest
from fill_cases import ANNEX4, changed, entries, packed, with_body
from hypothesis import given, settings
from hypothesis import strategies as st

from signsvc.errors import TemplateError
from signsvc.fill import Form, inspect, qr_png, safety

RELS = "word/_rels/document.xml.rels"
OFFICE_REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"


def with_relation(kind: str, target: str, mode: str = "External") -> bytes:
    relation = f'<Relationship Id="x1" Type="{OFFICE_REL}{kind}" Target="{target}" TargetMode="{mode}"/>'
    return changed(RELS, "</Relationships>", relation + "</Relationships>")


def with_part(name: str, content_type: str, data: bytes = b"x") -> bytes:
    override = f'<Override PartName="/{name}" ContentType="{content_type}"/></Types>'
    parts = entries(changed("[Content_Types].xml", "</Types>", override))
    return packed({**parts, name: data})


def with_doctype(doctype: str, text: str = "") -> bytes:
    parts = entries(with_body(f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"))
    head, _, rest = parts["word/document.xml"].partition(b"?>")
    return packed({**parts, "word/document.xml": head + b"?>" + doctype.encode() + rest})


WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
COMPATIBILITY = "http://schemas.openxmlformats.org/markup-compatibility/2006"
END, CODE = '<w:fldChar w:fldCharType="end"/>', "<w:instrText>PAGE</w:instrText>"
CHOICE = '<mc:Choice Requires="q">%s</mc:Choice>'
UNKNOWN = f'<mc:AlternateContent xmlns:mc="{COMPATIBILITY}">{CHOICE}</mc:AlternateContent>'
# Ends and codes that one program believes and another passes over.
DECOYS = {
    "an end of another namespace": '<w:r><x:fldChar xmlns:x="urn:x" w:fldCharType="end"/></w:r>',
    "an end by an attribute of none": '<w:r><w:fldChar fldCharType="end"/></w:r>',
    "an end of no known kind": '<w:r><w:fldChar w:fldCharType="over"/></w:r>',
    "an end by two attributes": '<w:r><w:fldChar xmlns:x="urn:x" x:fldCharType="end" w:fldCharType="begin"/></w:r>',
    "an end outside a run": END,
    "an end among the formats": f"<w:r><w:rPr>{END}</w:rPr></w:r>",
    "an end in a format's run": f"<w:r><w:rPr><w:r>{END}</w:r></w:rPr></w:r>",
    "an end that is not chosen": UNKNOWN % f"<w:r>{END}</w:r>",
    "an end that is not chosen in a run": f"<w:r>{UNKNOWN % END}</w:r>",
    "an end in the unknown": f'<x:a xmlns:x="urn:x"><w:r>{END}</w:r></x:a>',
    "a field in the unknown": f'<x:a xmlns:x="urn:x"><w:r>{CODE}{END}</w:r></x:a>',
    "a code of another namespace": '<w:r><x:instrText xmlns:x="urn:x">PAGE </x:instrText></w:r>',
    "a code that is not chosen": f"<w:r>{UNKNOWN % CODE}</w:r>",
    "a code that was taken out": "<w:r><w:delInstrText>PAGE </w:delInstrText></w:r>",
    "a code in a code": "<w:r><w:instrText>PAGE <w:x>PAGE</w:x></w:instrText></w:r>",
}  # fmt: skip


def field(*codes: str) -> str:
    instructions = "".join(f"<w:r><w:instrText>{code}</w:instrText></w:r>" for code in codes)
    begin, end = (f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>' for kind in ("begin", "end"))
    return f"<w:p>{begin}{instructions}{end}</w:p>"


WORD_FIELDS = {
    "in pieces": field(" PAGE ", " \\* MERGEFORMAT "),
    "with its formats and marks": field(" PAGE ").replace(
        "<w:instrText>", '<w:rPr><w:b/></w:rPr><w:lastRenderedPageBreak/></w:r><w:proofErr w:type="spellStart"/>'
        '<w:bookmarkStart w:id="1" w:name="a"/><w:r><w:rPr/><w:instrText xml:space="preserve">',
    ),
    "in one run": '<w:p><w:r><w:fldChar w:fldCharType="begin"/><w:instrText>PAGE</w:instrText>'
    '<w:fldChar w:fldCharType="separate"/><w:t>1</w:t><w:fldChar w:fldCharType="end"/></w:r></w:p>',
    "in both readings of a text box": f'<w:p><w:r><mc:AlternateContent xmlns:mc="{COMPATIBILITY}">'
    f'<mc:Choice Requires="wps"><w:txbxContent>{field("PAGE")}</w:txbxContent></mc:Choice>'
    f'<mc:Fallback><w:pict><w:txbxContent>{field("PAGE")}</w:txbxContent></w:pict></mc:Fallback>'
    "</mc:AlternateContent></w:r></w:p>",
    "over several paragraphs": field('HYPERLINK "https://example.com"').replace(
        '<w:fldChar w:fldCharType="end"/>',
        '<w:fldChar w:fldCharType="separate"/></w:r></w:p><w:p><w:r><w:t>DDE</w:t><w:fldChar w:fldCharType="end"/>',
    ),
    "taken out": "<w:p><w:del>" + field("PAGE")[5:-6].replace("instrText", "delInstrText") + "</w:del></w:p>",
}  # fmt: skip


def begun(*between: str) -> str:
    """A field whose code is harmful, behind `between`."""
    code = '<w:r><w:t>DDE x</w:t></w:r><w:r><w:fldChar w:fldCharType="separate"/></w:r>'
    end = '<w:r><w:t>1</w:t></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r>'
    return (
        "<w:p>" + '<w:r><w:fldChar w:fldCharType="begin"/></w:r>' + "".join(between) + code + end + "</w:p>"
    )


def settings_part(xml: str) -> bytes:
    return f'<w:settings xmlns:w="{WORD}">{xml}</w:settings>'.encode()


def with_namespaces(count: int) -> bytes:
    """The form with one element in which that many namespaces are in force, the form's own among them."""
    of_the_form = entries(ANNEX4.read_bytes())["word/document.xml"].partition(b"<w:body>")[0].count(b"xmlns:")
    names = range(count - of_the_form)
    return with_body("".join(f'<w:p xmlns:a{n}="urn:{n}">' for n in names) + "</w:p>" * len(names))


def zip_bomb() -> bytes:
    return packed({**entries(ANNEX4.read_bytes()), "word/media/zeros.png": bytes(15 * 2**20)})


def lying_zip_bomb() -> bytes:
    """Its directory says that the big part is small."""
    data = bytearray(packed({**entries(ANNEX4.read_bytes()), "word/big.xml": b" " * (5 * 2**20)}))
    at = data.rfind(b"PK\x01\x02", 0, data.rfind(b"word/big.xml"))
    data[at + 24 : at + 28] = (100).to_bytes(4, "little")
    return bytes(data)


def encrypted_entry() -> bytes:
    data = bytearray(ANNEX4.read_bytes())
    at = data.find(b"PK\x01\x02")
    data[at + 8] |= 1
    return bytes(data)


def duplicate_entry() -> bytes:
    stream = io.BytesIO(ANNEX4.read_bytes())
    with zipfile.ZipFile(stream, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("word/document.xml", b"<x/>")
    return stream.getvalue()


ACTIVE_X = "application/vnd.ms-office.activeX+xml"
MACRO = "application/vnd.ms-word.document.macroEnabled.main+xml"
MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
TEMPLATE_MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml.template.main+xml"
LAUGHS = (
    "<!DOCTYPE w [<!ENTITY a 'haha'>"
    + "".join(
        f"<!ENTITY {name} '{('&' + before + ';') * 10}'>"
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + "]>"
)
PICTURE = "<w:p><w:r><w:pict><v:shape><v:imagedata %s/></v:shape></w:pict></w:r></w:p>"

PNG = qr_png("x")


def with_picture(data: bytes, content_type: str = "image/png") -> bytes:
    """The form with a picture that the document shows."""
    parts = entries(with_part("word/media/p.png", content_type, data))
    relation = f'<Relationship Id="x1" Type="{OFFICE_REL}image" Target="media/p.png"/></Relationships>'
    return packed({**parts, RELS: parts[RELS].replace(b"</Relationships>", relation.encode())})


STRICT = "http://purl.oclc.org/ooxml/wordprocessingml/main"
FOREIGN_FIELD = '<x:fldSimple xmlns:x="%s" x:instr="DDEAUTO c a"/>'
TEXT_AS_CODE = field("x").replace("w:instrText", "w:t").replace(">x<", ">DDE x<")
HOSTILE = {
    "zip bomb": (zip_bomb, "过大"),
    "zip bomb with a false directory": (lying_zip_bomb, "损坏"),
    "many entries": (lambda: packed({**entries(ANNEX4.read_bytes()), **{f"x{n}": b"" for n in range(300)}}), "超过"),
    "encrypted entry": (encrypted_entry, "加密"),
    "encrypted package": (lambda: bytes.fromhex("d0cf11e0a1b11ae1") + bytes(512), "加密"),
    "same entry twice": (duplicate_entry, "文件名"),
    "path out of the package": (lambda: packed({**entries(ANNEX4.read_bytes()), "../x.xml": b"<x/>"}), "文件名"),
    "not a zip": (lambda: b"%PDF-1.7", "不是"),
    "cut off": (lambda: ANNEX4.read_bytes()[:-40], "不是"),
    "broken XML": (lambda: changed("word/document.xml", "<w:body>", "<w:body"), "XML"),
    "external entity": (lambda: with_doctype('<!DOCTYPE w [<!ENTITY x SYSTEM "file:///etc/passwd">]>', "&x;"), "实体"),
    "billion laughs": (lambda: with_doctype(LAUGHS, "&i;"), "实体"),
    "entities behind another encoding": (
        lambda: packed(
            {
                **entries(ANNEX4.read_bytes()),
                "word/settings.xml": '<?xml version="1.0"?><!DOCTYPE x []><x/>'.encode("utf-16"),
            }
        ),
        "XML",
    ),
    "entities behind UTF-7": (
        lambda: packed(
            {**entries(ANNEX4.read_bytes()), "word/settings.xml": b'<?xml version="1.0" encoding="utf-7"?>+ADw-x/>'}
        ),
        "XML",
    ),
    "linked picture": (lambda: with_relation("image", "http://example.com/a.png"), "外部"),
    "linked local file": (lambda: with_relation("image", "file:///etc/passwd"), "外部"),
    "local file called internal": (lambda: with_relation("image", "file:///etc/passwd", "Internal"), "不存在"),
    "link to a local file": (lambda: with_relation("hyperlink", "file:///etc/passwd"), "外部"),
    "attached template": (lambda: with_relation("attachedTemplate", "http://example.com/a.dotm"), "attachedTemplate"),
    "sub-document": (lambda: with_relation("subDocument", "a.docx"), "subDocument"),
    "frame": (lambda: with_relation("frame", "http://example.com/"), "frame"),
    "other content": (lambda: with_relation("aFChunk", "a.html"), "aFChunk"),
    "macros": (lambda: with_part("word/vbaProject.bin", "application/vnd.ms-office.vbaProject"), "宏"),
    ".docm": (lambda: changed("[Content_Types].xml", MAIN, MACRO), "宏"),
    ".dotx": (lambda: changed("[Content_Types].xml", MAIN, TEMPLATE_MAIN), "不是 .docx"),
    "OLE object": (
        lambda: with_part("word/embeddings/a.bin", "application/vnd.openxmlformats-officedocument.oleObject"),
        "a.bin",
    ),
    "ActiveX": (lambda: with_part("word/activeX/activeX1.xml", ACTIVE_X, b"<x/>"), "activeX1"),
    "embedded font": (lambda: with_part("word/fonts/f.odttf", "application/x-fontdata"), "f.odttf"),
    "SVG": (lambda: with_part("word/media/a.svg", "image/svg+xml", b"<svg/>"), "a.svg"),
    "DDE field": (lambda: with_body(field("DDEAUTO c:\\\\cmd.exe &quot;/k calc&quot;")), "域"),
    "DDE field in pieces": (lambda: with_body(field("DD", "E", " excel a b")), "域"),
    "DDE inside a field": (lambda: with_body(field(" PAGE ").replace("</w:p>", "") + field("DDE x")[5:]), "域"),
    "included file": (
        lambda: with_body('<w:p><w:fldSimple w:instr=" INCLUDETEXT &quot;/etc/passwd&quot; "/></w:p>'),
        "域",
    ),
    "macro button": (lambda: with_body(field("MACROBUTTON Run here")), "域"),
    "code outside a field": (lambda: with_body("<w:p><w:r><w:instrText>LINK a</w:instrText></w:r></w:p>"), "域"),
    "object": (lambda: with_body("<w:p><w:r><w:object/></w:r></w:p>"), "object"),
    "alternative chunk": (lambda: with_body('<w:altChunk r:id="x"/>'), "altChunk"),
    "data binding": (lambda: with_body("<w:sdt><w:sdtPr><w:dataBinding/></w:sdtPr></w:sdt>"), "dataBinding"),
    "VML picture by address": (lambda: with_body(PICTURE % 'src="http://example.com/a.png"'), "外部"),
    "SVG called PNG": (lambda: with_picture(b'<svg xmlns="http://www.w3.org/2000/svg"/>'), "图片"),
    "PostScript called PNG": (lambda: with_picture(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"), "图片"),
    "SVG called XML": (lambda: with_picture(b'<svg xmlns="http://www.w3.org/2000/svg"/>', "application/xml"), "svg"),
    "XML as a picture": (lambda: with_picture(b"<x/>", "application/xml"), "图片"),
    "PostScript in no relation": (lambda: with_part("word/media/a.png", "image/png", b"%!PS-Adobe-3.0"), "图片"),
    "PNG with a tail": (lambda: with_picture(PNG + b"<svg/>"), "图片"),
    "linked by a link's relation": (
        lambda: with_body('<w:p><w:r><w:drawing><a:blip xmlns:a="urn:a" r:link="rId1"/></w:drawing></w:r></w:p>'),
        "外部",
    ),
    "strict namespace": (lambda: with_body(f'<w:p><x:t xmlns:x="{STRICT}"/></w:p>'), "严格"),
    "strict relation": (
        lambda: changed(
            RELS,
            "</Relationships>",
            '<Relationship Id="x1" Target="styles.xml"'
            ' Type="http://purl.oclc.org/ooxml/officeDocument/relationships/styles"/></Relationships>',
        ),
        "严格",
    ),
    "DDE field in another namespace": (lambda: with_body("<w:p>" + FOREIGN_FIELD % "urn:x" + "</w:p>"), "域"),
    "DDE field behind a comment": (lambda: with_body(field("<!-- -->DDE x")), "域"),
    "DDE field in ordinary text": (lambda: with_body(TEXT_AS_CODE), "域"),
    "included picture behind a decoy": (
        lambda: with_body('<w:p><w:fldSimple xmlns:x="urn:x" x:instr="PAGE" w:instr="INCLUDEPICTURE a"/></w:p>'),
        "域",
    ),
    "included picture behind a decoy's place": (
        lambda: with_body('<w:p><w:fldSimple xmlns:x="urn:x" w:instr="PAGE" x:instr="INCLUDEPICTURE a"/></w:p>'),
        "域",
    ),
    **{name: (lambda decoy=decoy: with_body(begun(decoy)), "域") for name, decoy in DECOYS.items()},
    "relation of another namespace": (
        lambda: changed(
            RELS,
            "</Relationships>",
            f'<x:Relationship xmlns:x="urn:x" Id="x1" Target="a.docx" Type="{OFFICE_REL}subDocument"/></Relationships>',
        ),
        "subDocument",
    ),
    "namespaces without end": (lambda: with_namespaces(safety.MAX_NAMESPACES + 1), "XML"),
    "VML link": (lambda: with_body(PICTURE % 'o:href="file:///etc/passwd"'), "外部"),
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_template_is_refused_and_named(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make, word = HOSTILE[kind]
    template = make()
    monkeypatch.setattr("signsvc.fill.compile.Document", lambda _: pytest.fail("opened"))
    with pytest.raises(TemplateError, match=word):
        Form.load(template)
    report = inspect(template)
    assert report.unsafe
    assert not report.usable


def test_the_form_itself_is_safe() -> None:
    assert safety.unsafe_reasons(ANNEX4.read_bytes()) == ()


@pytest.mark.parametrize("code", [" PAGE ", "page \\* MERGEFORMAT", 'HYPERLINK "https://example.com"'])
def test_page_numbers_and_links_are_harmless(code: str) -> None:
    assert safety.unsafe_reasons(with_body(field(code.replace('"', "&quot;")))) == ()


@pytest.mark.parametrize("kind", WORD_FIELDS)
def test_fields_as_word_writes_them_are_harmless(kind: str) -> None:
    assert safety.unsafe_reasons(with_body(WORD_FIELDS[kind])) == ()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(list(DECOYS)), min_size=1, max_size=4))
def test_no_decoys_together_hide_a_code(decoys: list[str]) -> None:
    assert safety.unsafe_reasons(with_body(begun(*(DECOYS[decoy] for decoy in decoys))))


def test_namespaces_up_to_the_limit_are_harmless() -> None:
    assert safety.unsafe_reasons(with_namespaces(safety.MAX_NAMESPACES)) == ()


def test_a_code_in_many_pieces_costs_no_more_than_its_length() -> None:
    code = "".join(f"<w:instrText>{number:08}</w:instrText>" for number in range(100_000))
    one_run = field("HYPERLINK ").replace("</w:instrText>", "</w:instrText>" + code)
    template = packed({**entries(ANNEX4.read_bytes()), "word/settings.xml": settings_part(one_run)})
    began = time.process_time()
    assert safety.unsafe_reasons(template) == ()
    assert time.process_time() - began < 2


def test_web_link_is_harmless() -> None:
    assert safety.unsafe_reasons(with_relation("hyperlink", "https://example.com/")) == ()


def test_pictures_are_harmless() -> None:
    assert safety.unsafe_reasons(with_picture(PNG)) == ()
    assert safety.unsafe_reasons(with_picture(PNG, "image/jpeg")) == ()  # its bytes decide


def test_text_of_a_field_behind_its_code_is_no_code() -> None:
    separate = '<w:r><w:fldChar w:fldCharType="separate"/></w:r><w:r><w:t>3</w:t></w:r>'
    page = field(" PAGE ").replace(
        '<w:r><w:fldChar w:fldCharType="end"/>', separate + '<w:r><w:fldChar w:fldCharType="end"/>'
    )
    assert safety.unsafe_reasons(with_body(page)) == ()


def test_too_large_a_file_is_refused_unread() -> None:
    assert "MB" in safety.unsafe_reasons(bytes(safety.MAX_FILE + 1))[0]


XML_PARTS = sorted(name for name in entries(ANNEX4.read_bytes()) if name.endswith((".xml", ".rels")))
DAMAGE = rb'<[^>]*>|\s[\w:]+="[^"]*"|<(?:w:\w+|Relationship|Override) [^>]*/>'


@pytest.mark.filterwarnings("ignore:Duplicate name")
@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_damaged_template_is_taken_or_refused_but_never_crashes(data: st.DataObject) -> None:
    parts = entries(ANNEX4.read_bytes())
    name = data.draw(st.sampled_from(XML_PARTS))
    cut = data.draw(st.sampled_from(list(re.finditer(DAMAGE, parts[name]))))
    damaged = packed({**parts, name: parts[name][: cut.start()] + parts[name][cut.end() :]})
    usable = inspect(damaged).usable
    with contextlib.suppress(TemplateError):
        Form.load(damaged)
        assert usable
