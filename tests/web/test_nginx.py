"""The nginx configuration of docs/operating.md, as it stands there: Debian's nginx before the running service."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection, RemoteDisconnected
from pathlib import Path
from urllib.parse import urlencode

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from home import Home, read_results
from needs import require
from registry.samples import issue

from signsvc.keys import Role
from signsvc.registry import Registry
from signsvc.wiring.home import database_url, load_keys, log_folder

DOCUMENT = Path(__file__).parents[2] / "docs" / "operating.md"
NAME = "zm.example.gov.cn"


@dataclass(frozen=True)
class Front:
    """nginx at work: its ports, the service's own, its process, its folder, and the certificate to trust."""

    plain: int
    secure: int
    behind: int
    process: int
    folder: Path

    def line(self, sender: str = "127.0.0.1", name: str = NAME) -> HTTPSConnection:
        """A connection to the name, over HTTPS, from an address of this machine."""
        trusted = ssl.create_default_context(cafile=self.folder / "fullchain.pem")
        line = HTTPSConnection(name, self.secure, timeout=20, context=trusted)
        bare = socket.create_connection(("127.0.0.1", self.secure), 20, source_address=(sender, 0))
        line.sock = trusted.wrap_socket(bare, server_hostname=name)
        return line

    def ask(
        self, method: str, path: str, sender: str = "127.0.0.1", body: bytes = b"", **headers: str
    ) -> tuple[HTTPResponse, bytes]:
        """By a connection of its own."""
        with closing(self.line(sender)) as line:
            said = {"Host": NAME, **{name.replace("_", "-"): value for name, value in headers.items()}}
            line.request(method, path, body or None, said)
            answer = line.getresponse()
            return answer, answer.read()

    def written(self) -> str:
        return "".join(file.read_text() for file in self.folder.glob("*.log"))

    def on_disk(self) -> list[str]:
        """What nginx keeps in files for requests under way, named or not."""
        kinds = [f"{self.folder}/{kind}/" for kind in ("client_body", "proxy")]
        links = [os.readlink(file) for file in Path(f"/proc/{self.process}/fd").iterdir()]
        return [link for link in links if link.startswith(tuple(kinds))]

    def tiles_served(self) -> float:
        """How often the service itself was asked for a piece of the log."""
        line = HTTPConnection("127.0.0.1", self.behind, timeout=10)
        with closing(line):
            line.request("GET", "/metrics")
            text = line.getresponse().read().decode()
        mark = 'signsvc_requests_total{method="GET",route="/log/tile/<level>/<path:place>",status="200"} '
        return sum(float(found.removeprefix(mark)) for found in text.splitlines() if found.startswith(mark))


@pytest.fixture(scope="module")
def front(issued: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """Before a service whose log has a full tile."""
    program = require("nginx")
    folder = tmp_path_factory.mktemp("nginx")
    grown = Home(Path(shutil.copytree(issued.folder, folder / "home")))
    ring = load_keys(grown.settings, (Role.MATCH, Role.LOG))
    url, log = database_url(grown.settings), log_folder(grown.settings)
    with closing(Registry.open(url, log, ring.match, ring.log)) as registry:
        issue(registry, *(f"tile-{number}" for number in range(256)))
    plain, secure, behind = free_ports(3)
    certify(folder)
    (folder / "nginx.conf").write_text(configuration(folder, plain, secure, behind), "utf-8")
    settings = {"SIGNSVC_PROXIES": "1", "SIGNSVC_LIMIT_CLIENT": "8/day"}
    command = (program, "-p", str(folder), "-c", str(folder / "nginx.conf"))
    subprocess.run([*command, "-t", "-q"], check=True, timeout=20)
    with open(folder / "service.log", "wb") as log:
        service = subprocess.Popen(
            (sys.executable, "-m", "signsvc", "serve", "--port", str(behind), "--workers", "1"),
            cwd=grown.folder,
            env=Home(grown.folder, settings).environment,
            stderr=log,
        )
    nginx = subprocess.Popen(command)
    try:
        wait_for(behind)
        wait_for(secure)
        yield Front(plain, secure, behind, nginx.pid, folder)
    finally:
        for process in (nginx, service):
            process.terminate()
            process.wait(20)


def configuration(folder: Path, plain: int, secure: int, behind: int) -> str:
    """The block of the document in a whole configuration; only addresses, ports and folders are others."""
    (block,) = re.findall(r"^```nginx\n(.*?)^```$", DOCUMENT.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    block = re.sub(r"^ *listen \[::\].*\n", "", block, flags=re.MULTILINE)
    for given, own in (
        ("listen 80", f"listen 127.0.0.1:{plain}"),
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


def test_another_name_than_ours_gets_no_answer(front: Front) -> None:
    with closing(HTTPConnection("127.0.0.1", front.plain, timeout=10)) as line:
        line.request("GET", "/verify", headers={"Host": "evil.example"})
        with pytest.raises(RemoteDisconnected):
            line.getresponse()
    with pytest.raises(RemoteDisconnected):
        front.ask("GET", "/verify", Host="evil.example")  # by a connection to our name
    with pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"):
        front.line(name="evil.example")


def test_the_service_hears_of_no_name_but_ours(front: Front) -> None:
    """A port is not looked at when nginx looks for the name: a redirect would lead there."""
    answer, _ = front.ask("GET", "/v//ABC", Host=f"{NAME}:8443", X_Forwarded_Host="evil.example")
    assert (answer.status, answer.headers["Location"]) == (308, f"https://{NAME}/v/ABC")


def test_an_upload_is_never_on_disk(issued: Home, front: Front) -> None:
    """Looked at when all but its end is with nginx, which asks for more."""
    pdf = (issued.folder / "out" / read_results(issued.folder / "out")[0]["pdf"]).read_bytes()
    form = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n%s\r\n--x--\r\n'
    body = form % pdf.ljust(9_000_000, b"\n")
    with closing(begun(front, len(body))) as line:
        line.send(body[:-10])
        assert arrived(line.sock)
        assert front.on_disk() == []
        line.send(body[-10:])
        answer = line.getresponse()
        assert (answer.status, json.loads(answer.read())["verdict"]) == (200, "altered")


def test_one_address_does_not_hold_all_the_room_for_uploads(front: Front) -> None:
    with ExitStack() as lines:
        for _ in range(8):
            lines.enter_context(closing(begun(front, 9_000_000)))
        time.sleep(0.2)  # until nginx has read the heads
        ninth = lines.enter_context(closing(begun(front, 9_000_000)))
        assert ninth.getresponse().status == 429
        assert front.ask("GET", "/verify", "127.0.0.7")[0].status == 200


def begun(front: Front, length: int) -> HTTPSConnection:
    """The head of an upload, sent."""
    line = front.line("127.0.0.7")
    line.putrequest("POST", "/api/v1/verify/file")
    line.putheader("Content-Type", "multipart/form-data; boundary=x")
    line.putheader("Content-Length", str(length))
    line.endheaders()
    return line


def test_full_tiles_are_kept_and_nothing_else_of_the_log(front: Front) -> None:
    size = int(front.ask("GET", "/log/checkpoint")[1].splitlines()[1])
    assert size > 256
    for path, asked in (("/log/tile/0/000", 1), (f"/log/tile/0/001.p/{size - 256}", 2)):
        before = front.tiles_served()
        first, second = (front.ask("GET", path)[1] for _ in range(2))
        assert first == second
        assert len(first) % 32 == 0
        assert front.tiles_served() - before == asked
    assert len(list((front.folder / "cache").rglob("*"))) > 0


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


def arrived(line: socket.socket) -> bool:
    """Whether the other end has taken everything that was sent (Linux: the send queue is empty)."""
    for _ in range(100):
        (waiting,) = struct.unpack("i", fcntl.ioctl(line.fileno(), termios.TIOCOUTQ, bytes(4)))
        if waiting == 0:
            time.sleep(0.2)  # from the queue of its socket into its memory
            return True
        time.sleep(0.05)
    return False
