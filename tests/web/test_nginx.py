"""The nginx configuration of docs/operating.md, as it stands there: Debian's nginx before the running service."""

from __future__ import annotations

import re
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from pathlib import Path
from urllib.parse import urlencode

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from home import Home, read_results
from needs import require

DOCUMENT = Path(__file__).parents[2] / "docs" / "operating.md"
NAME = "zm.example.gov.cn"


@dataclass(frozen=True)
class Front:
    """nginx at work: its ports, its folder, and the certificate to trust."""

    plain: int
    secure: int
    folder: Path

    def ask(
        self, method: str, path: str, sender: str = "127.0.0.1", body: bytes = b"", **headers: str
    ) -> tuple[HTTPResponse, bytes]:
        """Over HTTPS, from an address of this machine, by a connection of its own."""
        trusted = ssl.create_default_context(cafile=self.folder / "fullchain.pem")
        line = HTTPSConnection(NAME, self.secure, timeout=20, context=trusted)
        bare = socket.create_connection(("127.0.0.1", self.secure), 20, source_address=(sender, 0))
        line.sock = trusted.wrap_socket(bare, server_hostname=NAME)
        with closing(line):
            said = {"Host": NAME, **{name.replace("_", "-"): value for name, value in headers.items()}}
            line.request(method, path, body or None, said)
            answer = line.getresponse()
            return answer, answer.read()

    def written(self) -> str:
        return "".join(file.read_text() for file in self.folder.glob("*.log"))


@pytest.fixture(scope="module")
def front(issued: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    program = require("nginx")
    folder = tmp_path_factory.mktemp("nginx")
    plain, secure, behind = free_ports(3)
    certify(folder)
    (folder / "nginx.conf").write_text(configuration(folder, plain, secure, behind), "utf-8")
    settings = {"SIGNSVC_PROXIES": "1", "SIGNSVC_LIMIT_CLIENT": "8/day"}
    command = (program, "-p", str(folder), "-c", str(folder / "nginx.conf"))
    subprocess.run([*command, "-t", "-q"], check=True, timeout=20)
    with open(folder / "service.log", "wb") as log:
        service = subprocess.Popen(
            (sys.executable, "-m", "signsvc", "serve", "--port", str(behind), "--workers", "1"),
            cwd=issued.folder,
            env=Home(issued.folder, settings).environment,
            stderr=log,
        )
    nginx = subprocess.Popen(command)
    try:
        wait_for(behind)
        wait_for(secure)
        yield Front(plain, secure, folder)
    finally:
        for process in (nginx, service):
            process.terminate()
            process.wait(20)


def configuration(folder: Path, plain: int, secure: int, behind: int) -> str:
    """The block of the document in a whole configuration; only addresses, ports and folders are others."""
    (block,) = re.findall(r"^```nginx\n(.*?)^```$", DOCUMENT.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    block = re.sub(r"^ *listen \[::\].*\n", "", block, flags=re.MULTILINE)
    for given, own in (
        ("listen 80;", f"listen 127.0.0.1:{plain};"),
        ("listen 443 ", f"listen 127.0.0.1:{secure} "),
        ("server 127.0.0.1:8000;", f"server 127.0.0.1:{behind};"),
        ("/etc/ssl/signsvc/", f"{folder}/"),
        ("/var/log/nginx/", f"{folder}/"),
        ("/var/cache/nginx/signsvc", f"{folder}/cache"),
    ):
        assert given in block
        block = block.replace(given, own)
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return (
        f"daemon off;\nmaster_process off;\npid {folder}/pid;\nerror_log {folder}/start.log crit;\n"
        f"events {{}}\nhttp {{\n{temporary}{block}}}\n"
    )


def certify(folder: Path) -> None:
    """A certificate of our own making for the name in the document."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "fullchain.pem").write_bytes(certificate.public_bytes(pem))
    plain = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "privkey.pem").write_bytes(plain)


def free_ports(count: int) -> list[int]:
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def wait_for(port: int) -> None:
    for _ in range(150):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.2)
    pytest.fail("it did not start")


def test_the_page_comes_by_https_and_insists_on_it(front: Front) -> None:
    answer, body = front.ask("GET", "/verify")
    assert answer.status == 200
    assert "查验证明" in body.decode()
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=")
    assert answer.headers["Server"] == "nginx"
    line = HTTPConnection("127.0.0.1", front.plain, timeout=10)
    with closing(line):
        line.request("GET", "/v/ABC?lang=en", headers={"Host": NAME})
        moved = line.getresponse()
    assert (moved.status, moved.headers["Location"]) == (308, f"https://{NAME}/v/ABC?lang=en")


def test_a_form_of_our_own_is_heard_and_anothers_is_not(issued: Home, front: Front) -> None:
    row = read_results(issued.folder / "out")[0]
    form = urlencode({"number": row["number"], "code": row["code"]}).encode()
    kind = "application/x-www-form-urlencoded"
    for origin, status in ((f"https://{NAME}", 200), (f"http://{NAME}", 403), ("https://evil.example", 403)):
        answer, body = front.ask("POST", "/verify", "127.0.0.8", form, Content_Type=kind, Origin=origin)
        assert answer.status == status
        assert (row["number"] in body.decode()) == (status == 200)


def test_every_visitor_has_his_own_limit_and_cannot_choose_it(front: Front) -> None:
    path = f"/v/{'0' * 16}"
    asked = [
        front.ask("GET", path, "127.0.0.2", X_Forwarded_For=f"198.51.100.{number}")[0] for number in range(9)
    ]
    assert [answer.status for answer in asked] == [200] * 8 + [429]
    assert asked[-1].headers["Retry-After"]
    assert front.ask("GET", path, "127.0.0.3")[0].status == 200
    assert front.ask("GET", "/static/style.css", "127.0.0.2")[0].status == 200


def test_what_is_too_large_ends_at_the_door(front: Front) -> None:
    answer, _ = front.ask(
        "POST",
        "/api/v1/verify/file",
        body=bytes(11 * 1024 * 1024 + 1),
        Content_Type="multipart/form-data; boundary=x",
    )
    assert answer.status == 413


def test_what_is_for_the_machine_itself_is_not_for_the_public(front: Front) -> None:
    for path in ("/metrics", "/readyz", "//metrics", "/%6detrics", "/a/../metrics"):
        answer, body = front.ask("GET", path)
        assert answer.status == 404, path
        assert b"signsvc_" not in body
    assert front.ask("GET", "/healthz")[0].status == 200


def test_answers_that_repeat_what_was_typed_are_not_compressed(front: Front) -> None:
    packed = {"Accept_Encoding": "gzip"}
    assert front.ask("GET", "/verify", **packed)[0].headers["Content-Encoding"] is None
    assert front.ask("GET", "/static/style.css", **packed)[0].headers["Content-Encoding"] == "gzip"


def test_no_log_tells_what_was_asked(issued: Home, front: Front) -> None:
    row = read_results(issued.folder / "out")[0]
    path = f"/v/{row['code']}"
    assert (
        front.ask("GET", path, "127.0.0.9", Referer=f"https://{NAME}{path}", User_Agent=row["code"])[0].status
        == 200
    )
    front.ask("GET", f"/verify?code={row['code']}&name=x")
    front.ask("GET", f"/{row['code']}", body=bytes(12 * 1024 * 1024))
    written = front.written()
    assert " 200 GET HTTP/1.1 " in written
    assert "/v/<code>" in written
    assert row["code"] not in written
    assert "127.0.0.9" not in written
