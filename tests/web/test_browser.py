"""The pages in a real browser: with and without JavaScript, in both languages, on a phone and on a desk, printed."""

from __future__ import annotations

import csv
import io
import socket
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from home import DEMO_REQUESTS, Home, read_results
from needs import require
from playwright.sync_api import Browser, Page, Request, expect, sync_playwright
from pypdf import PdfReader

from signsvc.identity.characters import fold

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 900}
OTHER_NUMBER = "110105194912310021"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=require("chromium"), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def address(issued: Home) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = issued.start("serve", "--port", str(port), "--workers", "1", "--only", "verify")
    try:
        wait_for(f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        assert server.wait(15) == 0


def wait_for(address: str) -> None:
    for _ in range(150):
        try:
            with urllib.request.urlopen(f"{address}/healthz", timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail("the service did not start")


@pytest.fixture(scope="module")
def row(issued: Home) -> dict[str, str]:
    return read_results(issued.folder / "out")[1]


@pytest.fixture(scope="module")
def holder() -> dict[str, str]:
    with open(DEMO_REQUESTS, encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))[1]


@pytest.fixture(scope="module")
def pdf(issued: Home, row: dict[str, str]) -> Path:
    return issued.folder / "out" / row["pdf"]


@pytest.fixture(scope="module")
def altered(pdf: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("altered") / pdf.name
    file.write_bytes(pdf.read_bytes() + b"\n")
    return file


@dataclass
class Desk:
    """A window, what it sent, and what its console complained about."""

    page: Page
    sent: list[Request] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("request", self.was_sent)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", lambda line: self.faults.append(line.text) if line.type == "error" else None)

    def was_sent(self, request: Request) -> None:
        self.sent.append(request)

    @property
    def uploads(self) -> list[str]:
        """Addresses to which a file was sent; the browser says so by the type of the body."""
        kinds = [(request, request.headers.get("content-type", "")) for request in self.sent]
        return [request.url for request, kind in kinds if kind.startswith("multipart/form-data")]


OpenDesk = Callable[..., Desk]


@pytest.fixture
def open_desk(browser: Browser) -> Iterator[OpenDesk]:
    opened = []

    def open_one(**options: object) -> Desk:
        context = browser.new_context(**{"viewport": DESK, **options})  # type: ignore[arg-type]
        context.set_default_timeout(10_000)
        opened.append(context)
        return Desk(context.new_page())

    yield open_one
    for context in opened:
        context.close()


def scripts(desk: Desk) -> bool:
    """Whether the page's script ran: only it shows this hint."""
    return desk.page.locator("#local-hint").is_visible()


def check_number(page: Page, row: dict[str, str], **claims: str) -> None:
    page.locator("#number").fill(row["number"])
    page.locator("#code").fill(row["code"])
    for name, value in claims.items():
        page.locator(f"#{name}").fill(value)
    page.locator("section:has(#number) button").click()


def check_file(page: Page, file: Path) -> None:
    page.locator("#file").set_input_files(file)
    page.locator("#file-form button").click()


@pytest.mark.parametrize("javascript", [True, False])
def test_scanning_typing_and_matching(
    open_desk: OpenDesk, address: str, row: dict[str, str], holder: dict[str, str], javascript: bool
) -> None:
    desk = open_desk(java_script_enabled=javascript, viewport=PHONE)
    page = desk.page
    page.goto(f"{address}/v/{row['code']}")
    expect(page.locator("h1")).to_contain_text("登记信息相符，在有效期内")
    expect(page.locator("dl")).to_contain_text(row["number"])
    page.locator("#name").fill(holder["姓名"])
    page.locator("#id_number").fill(OTHER_NUMBER)
    page.get_by_role("button", name="核对本人").click()
    expect(page.locator(".match")).to_have_text(["姓名：一致", "证件号码：不一致"])
    page.get_by_role("link", name="再查一份").click()
    check_number(page, row, name=holder["姓名"], id_number=holder["身份证号"])
    expect(page.locator(".match")).to_have_text(["姓名：一致", "证件号码：一致"])
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert desk.faults == []


def test_a_known_file_stays_in_the_browser(open_desk: OpenDesk, address: str, pdf: Path) -> None:
    desk = open_desk()
    desk.page.goto(f"{address}/verify")
    assert scripts(desk)
    check_file(desk.page, pdf)
    expect(desk.page.locator("h1")).to_contain_text("文件未被改动，在有效期内")
    expect(desk.page.locator("main")).to_contain_text("文件没有上传，只核对了指纹")
    assert desk.uploads == []
    assert desk.faults == []


def test_a_dropped_file_is_checked_at_once(open_desk: OpenDesk, address: str, pdf: Path) -> None:
    desk = open_desk()
    desk.page.goto(f"{address}/verify")
    dropped = desk.page.evaluate_handle(
        """(bytes) => {
            const moved = new DataTransfer();
            moved.items.add(new File([new Uint8Array(bytes)], "a.pdf", { type: "application/pdf" }));
            return moved;
        }""",
        list(pdf.read_bytes()),
    )
    desk.page.dispatch_event(".drop", "drop", {"dataTransfer": dropped})
    expect(desk.page.locator("h1")).to_contain_text("文件未被改动")
    assert desk.uploads == []


def test_an_unknown_file_is_sent(open_desk: OpenDesk, address: str, altered: Path) -> None:
    desk = open_desk()
    desk.page.goto(f"{address}/verify")
    check_file(desk.page, altered)
    expect(desk.page.locator("h1")).to_contain_text("文件已被改动")
    assert desk.uploads == [f"{address}/verify"]
    assert desk.faults == []


def test_a_file_is_sent_when_its_hash_cannot_be_asked(open_desk: OpenDesk, address: str, pdf: Path) -> None:
    for hindrance in (
        lambda page: page.add_init_script("delete Crypto.prototype.subtle"),  # as over plain http
        lambda page: page.route("**/api/v1/verify/hash", lambda route: route.abort()),
        lambda page: page.route("**/api/v1/verify/hash", lambda route: route.fulfill(status=429)),
    ):
        desk = open_desk()
        hindrance(desk.page)
        desk.page.goto(f"{address}/verify")
        check_file(desk.page, pdf)
        expect(desk.page.locator("h1")).to_contain_text("文件未被改动，在有效期内")
        assert desk.uploads == [f"{address}/verify"]


def test_without_script_a_file_is_sent(open_desk: OpenDesk, address: str, altered: Path) -> None:
    desk = open_desk(java_script_enabled=False)
    desk.page.goto(f"{address}/verify")
    assert not scripts(desk)
    check_file(desk.page, altered)
    expect(desk.page.locator("h1")).to_contain_text("文件已被改动")
    assert desk.uploads == [f"{address}/verify"]


def test_a_huge_file_is_refused_here_and_there(open_desk: OpenDesk, address: str, tmp_path: Path) -> None:
    huge = tmp_path / "huge.pdf"
    huge.write_bytes(b"%PDF-1.7" + bytes(12 * 1024 * 1024))
    desk = open_desk()
    desk.page.goto(f"{address}/verify")
    check_file(desk.page, huge)
    expect(desk.page.locator("#file-status")).to_contain_text("文件超过 10 MB")
    assert not any(request.method == "POST" for request in desk.sent)
    plain = open_desk(java_script_enabled=False)
    plain.page.goto(f"{address}/verify")
    check_file(plain.page, huge)
    expect(plain.page.locator("h1")).to_contain_text("不得超过 10 MB")


def test_the_language_turns_and_the_answer_stays(
    open_desk: OpenDesk, address: str, row: dict[str, str], holder: dict[str, str], altered: Path
) -> None:
    desk = open_desk(java_script_enabled=False)
    page = desk.page
    page.goto(f"{address}/v/{row['code']}")
    page.get_by_role("link", name="English").click()
    expect(page.locator("h1")).to_contain_text("Registered, and in date")
    page.get_by_role("link", name="Check another").click()
    check_number(page, row, name=holder["姓名"], id_number=OTHER_NUMBER)
    english = ["Name: matches", "Identity document number: does not match"]
    expect(page.locator(".match")).to_have_text(english)
    page.get_by_role("button", name="中文").click()
    expect(page.locator(".match")).to_have_text(["姓名：一致", "证件号码：不一致"])
    page.get_by_role("button", name="English").click()
    expect(page.locator(".match")).to_have_text(english)
    page.get_by_role("link", name="Check another").click()
    check_file(page, altered)
    page.get_by_role("button", name="中文").click()
    expect(page.locator("h1")).to_contain_text("文件已被改动")
    assert len(desk.uploads) == 1


def test_the_result_prints_on_one_page(open_desk: OpenDesk, address: str, row: dict[str, str]) -> None:
    page = open_desk().page
    page.goto(f"{address}/verify")
    check_number(page, row, name="某人")
    receipt_number = page.locator(".keep .code").nth(1).inner_text()
    printed = PdfReader(io.BytesIO(page.pdf(format="A4")))
    text = fold("".join("".join(sheet.extract_text() for sheet in printed.pages).split()))
    assert len(printed.pages) == 1
    for wanted in (
        "无法律效力",
        row["number"],
        "2036年12月31日",
        "姓名：不一致",
        "不要接受",
        "所查",
        "查验时间",
        receipt_number,
    ):
        assert wanted in text
    for unwanted in ("再查一份", "核对本人", "English", "能开什么证明", "防篡改日志", "JWS"):
        assert unwanted not in text
    page.emulate_media(media="print")
    assert (
        page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
        == "rgb(255, 255, 255)"
    )


def test_the_receipt_and_the_bundle_are_saved(open_desk: OpenDesk, address: str, row: dict[str, str]) -> None:
    desk = open_desk(java_script_enabled=False)
    desk.page.goto(f"{address}/v/{row['code']}")
    for button, piece in (("保存签名回执", "."), ("保存存证包", row["number"])):
        with desk.page.expect_download() as saved:
            desk.page.get_by_text(button, exact=True).click()
        assert piece in Path(saved.value.path()).read_text("utf-8")
    assert saved.value.suggested_filename.endswith(".json")


@pytest.mark.parametrize(
    ("size", "lang"), [(PHONE, "lang=en"), (DESK, "lang=zh-CN")], ids=["phone-en", "desk-zh"]
)
def test_axe_finds_nothing_and_nothing_is_too_wide(
    open_desk: OpenDesk, address: str, row: dict[str, str], altered: Path, size: dict[str, int], lang: str
) -> None:
    desk = open_desk(viewport=size)
    page, axe = desk.page, Axe()

    def is_sound() -> None:
        expect(page.locator("#main")).to_be_visible()
        page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
        found = axe.run(page)
        assert found.violations_count == 0, f"{page.url}: {found.generate_report()}"
        for other in (DESK, PHONE, size):
            page.set_viewport_size(other)
            assert page.evaluate("document.documentElement.scrollWidth") <= other["width"], (page.url, other)

    for path in ("/verify?", "/matters?q=亲属关系证明&", "/log?", "/api/v1/docs?"):
        page.goto(f"{address}{path}{lang}")
        is_sound()
    page.goto(f"{address}/verify?{lang}")
    check_number(page, row, name="某人")
    is_sound()
    page.goto(f"{address}/verify?{lang}")
    check_number(page, {**row, "number": row["number"] + "9"})  # not found: the answer, and the form again
    expect(page.locator("#number")).to_have_value(row["number"] + "9")
    is_sound()
    page.goto(f"{address}/verify?{lang}")
    check_file(page, altered)
    expect(page.locator(".verdict")).to_be_visible()
    is_sound()
    assert desk.faults == []
    page.goto(f"{address}/verify?{lang}")
    check_number(page, {"number": row["number"], "code": "0"})  # malformed: the form again
    is_sound()
    page.goto(f"{address}/nowhere?{lang}")
    is_sound()
