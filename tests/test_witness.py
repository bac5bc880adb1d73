"""The witness cosigns what continues what it saw, and catches a log that was put back; over HTTP, as in the field."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http import HTTPStatus
from itertools import chain, count, repeat
from pathlib import Path
from typing import Any

import pytest
from breaking import Break, at_every_step
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from growing import ORIGIN, Grown, served
from home import Home, a_row, read_results
from proofbundle.tlogproof import verify_tlog_proof

from signsvc import cli
from signsvc.cosignatures import Witness, cosign, cosigned_by, witness_of
from signsvc.errors import InputError, KeysError
from signsvc.merkle import EMPTY_ROOT, check_consistency
from signsvc.notes import (
    MAX_NOTE_BYTES,
    NoteError,
    Verifier,
    decode,
    open_checkpoint,
    signature_line,
    split_note,
)
from signsvc.proofs import canonical, leaf_data
from signsvc.statuses import Event
from signsvc.web import create_app
from signsvc.web.server import opened
from signsvc.wiring.home import now
from signsvc.wiring.recording import change_status, retained_copy
from signsvc.witness.decision import Request, decide
from signsvc.witness.fetching import ask
from signsvc.witness.looking import LogRewritten, LogShrunk, look
from signsvc.witness.serving import add_checkpoint, application
from signsvc.witness.state import Log, State, make, open_state, read_log

NAME = "witness.example/w1"
LEAVES = [b"%d" % n for n in range(700)]


@pytest.fixture(scope="module")
def log() -> Grown:
    return Grown.of(*LEAVES)


@pytest.fixture
def state(tmp_path: Path) -> State:
    make(tmp_path / "w", NAME)
    return open_state(tmp_path / "w", now)


def trusted(state: State, log: Grown, address: str = "http://127.0.0.1:1") -> Log:
    return state.trust(log.verifier, address)


Told = Callable[..., tuple[int, str, str]]


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Told:
    """A command, run in this process because starting another takes longer: its exit code, stdout and stderr."""

    def run(home: Home, *words: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(os, "environ", home.environment)
        monkeypatch.chdir(home.folder)
        with pytest.raises(SystemExit) as ended:
            cli.main([str(word) for word in words])
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


# What is decided


def test_what_continues_is_cosigned_from_any_size_to_any(log: Grown) -> None:
    for old, new in ((1, 2), (3, 7), (7, 700), (256, 257), (255, 512), (699, 700), (700, 700)):
        proof = tuple(log.proof(old, new)) if old < new else ()
        answer = decide(log.verifier, log.checkpoint(old), Request(old, proof, log.note(new)))
        assert (answer.status, answer.checkpoint) == (HTTPStatus.OK, log.checkpoint(new))


FORKED = Grown.of(*LEAVES[:3], b"another", *LEAVES[4:8])


@pytest.mark.parametrize(
    ("seen", "request_of", "status"),
    [
        (None, lambda log: Request(0, (), log.note(5)), HTTPStatus.OK),
        (None, lambda log: Request(0, (), log.note(0)), HTTPStatus.OK),
        (None, lambda log: Request(0, (EMPTY_ROOT,), log.note(5)), HTTPStatus.UNPROCESSABLE_ENTITY),
        (None, lambda log: Request(0, (EMPTY_ROOT,), log.note(0)), HTTPStatus.UNPROCESSABLE_ENTITY),
        (None, lambda log: Request(3, tuple(log.proof(3, 5)), log.note(5)), HTTPStatus.CONFLICT),
        (0, lambda log: Request(0, (), log.note(5)), HTTPStatus.OK),
        (5, lambda log: Request(0, (), log.note(7)), HTTPStatus.CONFLICT),
        (5, lambda log: Request(7, (), log.note(6)), HTTPStatus.BAD_REQUEST),
        (5, lambda log: Request(3, (), log.note(3)), HTTPStatus.CONFLICT),
        (5, lambda log: Request(5, (), log.note(7)), HTTPStatus.UNPROCESSABLE_ENTITY),
        (5, lambda log: Request(5, tuple(log.proof(4, 7)), log.note(7)), HTTPStatus.UNPROCESSABLE_ENTITY),
        (5, lambda log: Request(5, (EMPTY_ROOT,), log.note(5)), HTTPStatus.UNPROCESSABLE_ENTITY),
        (5, lambda log: Request(5, (), FORKED.note(5)), HTTPStatus.CONFLICT),
        (
            5,
            lambda log: Request(5, tuple(FORKED.proof(5, 8)), FORKED.note(8)),
            HTTPStatus.UNPROCESSABLE_ENTITY,
        ),
        (5, lambda log: Request(5, (), log.note(7).replace("\n7\n", "\n8\n")), HTTPStatus.FORBIDDEN),
    ],
)
def test_what_the_specification_says_of_each_request(
    log: Grown, seen: int | None, request_of: Callable[[Grown], Request], status: HTTPStatus
) -> None:
    known = None if seen is None else log.checkpoint(seen)
    answer = decide(log.verifier, known, request_of(log))
    assert answer.status is status
    assert answer.known == (seen or 0) or status is HTTPStatus.FORBIDDEN


def test_a_stranger_is_not_found(log: Grown) -> None:
    assert decide(None, None, Request(0, (), log.note(5))).status is HTTPStatus.NOT_FOUND


def test_a_request_reads_back_as_it_was_written(log: Grown) -> None:
    request = Request(5, tuple(log.proof(5, 700)), log.note())
    assert Request.parse(request.body().encode()) == request


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 5\n",
        b"old 5\n\n",
        b"old 05\n\nnote",
        b"old -1\n\nnote",
        b"old 5\r\n\nnote",
        b"size 5\n\nnote",
        b"old 5\nAAA\n\nnote",
        b"old 5\n" + b"KgEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n" * 64 + b"\nnote",
        b"\xff",
    ],
)
def test_a_malformed_request_is_refused(body: bytes) -> None:
    with pytest.raises(NoteError):
        Request.parse(body).claimed()


# What is remembered


def test_a_witness_is_made_once_and_its_key_is_nobody_elses(state: State) -> None:
    assert (state.folder / "witness.key").stat().st_mode & 0o777 == 0o600
    assert Witness.parse(str(state.witness)) == state.witness
    with pytest.raises(NoteError):
        Verifier.parse(str(state.witness))  # a cosignature is no signature of a log
    with pytest.raises(KeysError):
        make(state.folder, NAME)
    (state.folder / "witness.key").chmod(0o644)
    with pytest.raises(KeysError):
        open_state(state.folder, now)


def test_a_log_keeps_its_key(state: State, log: Grown) -> None:
    trusted(state, log)
    assert trusted(state, log, "http://127.0.0.1:2").address == "http://127.0.0.1:2"
    with pytest.raises(KeysError, match="另一把公钥"):
        state.trust(Verifier(ORIGIN, bytes(32)), "http://127.0.0.1:1")
    assert [read_log(place).verifier for place in state.places()] == [log.verifier]


@pytest.mark.parametrize(
    "address",
    [
        "ftp://log.example",
        "log.example",
        "https://",
        "https://[::1",
        "https://log.example:99999",
        "https://log.example:0",
        "https://log.example:port",
        "https://日志.example",
        "https://log.example/日志",
        "https://user@log.example",
        "https://log.example/log?size=1",
        "https://log.example/\nHost: x",
        "https://log.example/" + "a" * 500,
    ],
)
def test_a_log_is_not_trusted_at_an_address_that_cannot_be_asked(
    state: State, log: Grown, address: str
) -> None:
    with pytest.raises(InputError) as refused:
        trusted(state, log, address)
    assert refused.value.code == "bad_address"
    assert state.places() == []


def test_a_changed_memory_is_no_memory(state: State, log: Grown) -> None:
    one = trusted(state, log)
    state.cosign(one, log.note(5))
    one.checkpoint.write_text(log.note(5).replace("\n5\n", "\n4\n"))
    with pytest.raises(KeysError):
        state.seen(one)


def test_what_strangers_signed_is_not_remembered(state: State, log: Grown) -> None:
    """A note may have 100 signatures; with the witness's own it must still be one that can be read."""
    one = trusted(state, log)
    strangers = [signature_line(Witness(f"w{n}.example", bytes(32)), bytes(72)) for n in range(99)]
    with served(application(state)) as address:
        crowded = Request(0, (), log.note(5) + "".join(strangers))
        assert posted(address, crowded)[0] == 200
        assert posted(address, Request(5, tuple(log.proof(5, 7)), log.note(7)))[0] == 200
        crowded = Request(7, (), FORKED.note(7) + "".join(strangers))
        assert posted(address, crowded)[0] == 409
    with served(log) as address:
        assert look(state, trusted(state, log, address)) == log.checkpoint()
    assert [item.name for item in split_note(one.checkpoint.read_text())[1]] == [ORIGIN, NAME]
    [kept] = (state.folder / "evidence").iterdir()
    assert (kept / "shown").read_text() == FORKED.note(7)


@at_every_step
def test_what_cannot_be_remembered_is_not_cosigned(state: State, log: Grown, broken: Break) -> None:
    one = trusted(state, log)
    state.cosign(one, log.note(4))
    with broken.happening(), pytest.raises(KeysError):
        state.cosign(one, log.note(5))
    assert state.seen(one) == log.checkpoint(5 if broken.persisted else 4)
    assert {file.name for file in one.folder.iterdir()} == {"checkpoint", "url", "vkey"}
    assert state.cosign(one, log.note(5))
    assert state.seen(one) == log.checkpoint(5)


# How it looks


def test_it_looks_again_and_again_at_a_log_that_grows(state: State) -> None:
    log = Grown.of(*LEAVES[:3])
    with served(log) as address:
        one = trusted(state, log, address)
        for size in (3, 4, 255, 256, 257, 600):
            log.add(*LEAVES[log.size : size])
            assert look(state, one) == state.seen(one) == log.checkpoint()
            assert cosigned_by(one.checkpoint.read_text(), [state.witness]) == [state.witness]


@pytest.mark.parametrize(
    ("known", "size", "raised"),
    [(4, 8, LogRewritten), (5, 8, LogRewritten), (4, 4, LogRewritten), (5, 3, LogShrunk)],
)
def test_a_log_of_another_past_is_evidence_and_not_cosigned(
    state: State, log: Grown, known: int, size: int, raised: type[Exception]
) -> None:
    one = trusted(state, log)
    state.cosign(one, log.note(known))
    before = one.checkpoint.read_text()
    shown = Grown.of(*FORKED.leaves[:size]) if size != 3 else Grown.of(*LEAVES[:3])
    with served(shown) as address:
        for _ in range(2):
            with pytest.raises(raised):
                look(state, trusted(state, log, address))
    assert one.checkpoint.read_text() == before
    [kept] = (state.folder / "evidence").iterdir()
    assert (kept / "seen").read_text() == before
    assert (kept / "shown").read_text() == shown.note()
    assert (kept / "proof").exists() == (kept / "begins").exists() == (size > known)
    if size > known:  # what is kept proves to anybody that the log signed two beginnings
        begins = decode((kept / "begins").read_text().strip())
        steps = Request.parse((kept / "proof").read_bytes()).proof
        check_consistency(known, size, steps, begins, shown.checkpoint().root)
        assert begins != log.checkpoint(known).root


@pytest.mark.parametrize("known", [4, 5, 256])
def test_tiles_that_do_not_lead_to_the_checkpoint_prove_nothing(state: State, log: Grown, known: int) -> None:
    """A mirror that is broken, or behind: no alarm, and no cosignature."""
    one = trusted(state, log)
    state.cosign(one, log.note(known))

    def mixed(environ: dict[str, Any], start: Callable[..., Any]) -> Any:
        return (log if environ["PATH_INFO"] == "/checkpoint" else wrong)(environ, start)

    wrong = Grown.of(b"another", *LEAVES[1:])
    with served(mixed) as address, pytest.raises(InputError) as said:
        look(state, trusted(state, log, address))
    assert said.value.code == "bad_tile"
    assert list((state.folder / "evidence").iterdir()) == []
    assert state.seen(one) == log.checkpoint(known)


def test_what_cannot_be_reached_or_believed_is_no_rewriting(state: State, log: Grown) -> None:
    one = trusted(state, log)
    with pytest.raises(InputError) as silent:
        look(state, one)
    assert silent.value.code == "unreachable"

    def lying(environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
        start("200 OK", [])
        return [b"x" * (MAX_NOTE_BYTES + 1) if environ["QUERY_STRING"] else b"not a note"]

    with served(lying) as address:
        with pytest.raises(InputError) as lied:
            look(state, trusted(state, log, address))
        assert lied.value.code == "bad_checkpoint"
        with pytest.raises(InputError):
            ask(f"{address}/checkpoint?long", MAX_NOTE_BYTES)
    assert state.seen(one) is None
    assert list((state.folder / "evidence").iterdir()) == []


@contextmanager
def dripping(piece: bytes) -> Iterator[str]:
    """Whoever asks here is answered a piece at a time, for ever."""
    over = threading.Event()

    def drip(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            while not over.wait(0.05):
                connection.sendall(piece)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip, args=(listener,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            over.set()
            thread.join()


@pytest.mark.parametrize("piece", [b"X-Slow: 1\r\n", b"X", b"HTTP/1.1 100 Continue\r\n\r\n", b"\r\n\r\nx"])
def test_a_log_that_drips_is_out_of_reach(state: State, log: Grown, piece: bytes) -> None:
    with dripping(piece) as address, pytest.raises(InputError) as slow:
        look(state, trusted(state, log, address), 0.3)
    assert slow.value.code == "unreachable"


def test_nobody_is_asked_whom_the_log_names() -> None:
    def elsewhere(environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
        start("302 Found", [("Location", "file:///etc/passwd")])
        return [b""]

    with served(elsewhere) as address:
        assert ask(f"{address}/checkpoint", 10)[0] == 302


# How it is asked


def posted(address: str, request: Request) -> tuple[int, str, bytes]:
    return ask(f"{address}/add-checkpoint", MAX_NOTE_BYTES, request.body().encode())


def test_the_answers_over_http(state: State, log: Grown) -> None:
    trusted(state, log)
    with served(application(state)) as address:
        status, _, line = posted(address, Request(0, (), log.note(5)))
        assert status == 200
        assert cosigned_by(log.note(5) + line.decode(), [state.witness]) == [state.witness]
        assert posted(address, Request(0, (), log.note(7))) == (409, "text/x.tlog.size", b"5\n")
        assert posted(address, Request(5, (), log.note(7)))[0] == 422
        assert posted(address, Request(7, (), log.note(5)))[0] == 400
        assert posted(address, Request(5, tuple(log.proof(5, 7)), log.note(7)))[0] == 200
        assert posted(address, Request(7, (), log.note(7)))[0] == 200  # again
        stranger = log.note(9).replace(ORIGIN, "log.example/other")
        assert posted(address, Request(0, (), stranger))[0] == 404
        assert posted(address, Request(7, (), log.note(9).replace("\n9\n", "\n8\n")))[0] == 403
        assert ask(f"{address}/add-checkpoint", 100, b"old 1\n")[0] == 400
        assert ask(f"{address}/add-checkpoint", 100)[0] == 405
        assert ask(f"{address}/add", 100, b"")[0] == 404
        assert ask(f"{address}/add-checkpoint", 100, b"x" * 200_000)[0] == 413
    assert state.seen(trusted(state, log)) == log.checkpoint(7)


def test_two_trees_of_one_size_are_evidence(state: State, log: Grown) -> None:
    one = trusted(state, log)
    state.cosign(one, log.note(5))
    with served(application(state)) as address:
        for _ in range(2):
            assert posted(address, Request(5, (), FORKED.note(5))) == (409, "text/x.tlog.size", b"5\n")
    assert len(list((state.folder / "evidence").iterdir())) == 1
    assert state.seen(one) == log.checkpoint(5)


def test_of_many_at_once_none_takes_the_memory_back(state: State, log: Grown) -> None:
    one = trusted(state, log)
    state.cosign(one, log.note(1))
    requests = [Request(1, tuple(log.proof(1, size)), log.note(size)) for size in range(2, 18)]
    with served(application(state)) as address, ThreadPoolExecutor(8) as many:
        answers = list(many.map(lambda request: posted(address, request), requests))
    assert sorted(status for status, _, _ in answers) == [200] + [409] * 15
    [won] = [size for size, answer in zip(range(2, 18), answers, strict=True) if answer[0] == 200]
    assert state.seen(one) == log.checkpoint(won)


def test_a_log_out_of_reach_keeps_no_other_from_being_looked_at(
    state: State, log: Grown, typed: Told
) -> None:
    away = [
        state.trust(Verifier(f"log.example/{name}", bytes(32)), "http://127.0.0.1:1") for name in "abcdefgh"
    ]
    for place, content in enumerate((b"http://[::1\n", "http://日志/\n".encode(), b"\xff")):
        (away[place].folder / "url").write_bytes(content)
    (away[3].folder / "vkey").unlink()
    (away[4].folder / "checkpoint").mkdir()
    with served(log) as address:
        one = trusted(state, log, address)
        code, out, err = typed(Home(state.folder), "witness", "look", state.folder)
    told = Counter(line.split(": ")[1] for line in err.splitlines())
    assert told == {"unreachable": 5, "state_damaged": 2, "system_error": 1}
    assert (code, out.count(ORIGIN)) == (2, 1)
    assert state.seen(one) == log.checkpoint()


def test_the_command_serves(state: State, log: Grown) -> None:
    trusted(state, log)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    serving = Home(state.folder).start("witness", "serve", state.folder, "--port", str(port))
    try:
        for _ in range(100):
            with suppress(InputError):
                assert posted(f"http://127.0.0.1:{port}", Request(0, (), log.note(5)))[0] == 200
                break
            time.sleep(0.1)
        assert state.seen(trusted(state, log)) == log.checkpoint(5)
    finally:
        serving.terminate()
        assert serving.wait(15) == 0


def test_many_who_send_slowly_do_not_hold_it(state: State, log: Grown) -> None:
    trusted(state, log)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    short = f"""
from signsvc.cli import witnessing
from signsvc.web import deadline
deadline.SECONDS, deadline._LOOK = 0.5, 0.1
witnessing.witness(["serve", {str(state.folder)!r}, "--port", "{port}"])
"""
    serving = subprocess.Popen([sys.executable, "-c", short], stderr=subprocess.PIPE)
    half = b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: 1000\r\n"
    try:
        wait_for(port)
        with dripped(port, 6, half), dripped(port, 6, half + b"\r\n"):  # more than it has threads
            assert posted(f"http://127.0.0.1:{port}", Request(0, (), log.note(5)))[0] == 200
    finally:
        serving.terminate()
        assert serving.wait(15) == 0
    assert b"Traceback" not in serving.communicate()[1]


@contextmanager
def dripped(port: int, count: int, begin: bytes) -> Iterator[None]:
    """So many connections on which a request begins, and goes on a byte at a time."""
    over = threading.Event()
    held = [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]

    def drip() -> None:
        for piece in chain([begin], repeat(b"x")):
            for one in held:
                with suppress(OSError):
                    one.sendall(piece)
            if over.wait(0.1):
                break

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        for one in held:
            one.close()


def wait_for(port: int) -> None:
    for _ in range(100):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.1)


# The whole: a home, its web service, a witness elsewhere


@pytest.fixture
def own(issued: Home, tmp_path: Path) -> Home:
    return Home(Path(shutil.copytree(issued.folder, tmp_path / "own")))


@contextmanager
def published(home: Home) -> Iterator[tuple[str, str]]:
    """The log's key and address while it is served."""
    with opened(home.settings) as site, served(create_app(site)) as address:
        yield str(site.registry.verifier), f"{address}/log"


def put_back(home: Home, backup: Path) -> None:
    shutil.rmtree(home.var)
    shutil.copytree(backup, home.var)


def test_a_log_restored_from_yesterday_is_caught(own: Home, tmp_path: Path, typed: Told) -> None:
    elsewhere = tmp_path / "witness"
    number = read_results(own.folder / "out")[0]["number"]
    code, vkey, _ = typed(own, "witness", "init", elsewhere, "--name", NAME)
    assert code == 0

    def looked() -> tuple[int, str]:
        with published(own) as (key, address):
            assert typed(own, "witness", "trust", elsewhere, key, "--url", address)[0] == 0
            code, _, err = typed(own, "witness", "look", elsewhere)
        return code, err

    assert looked() == (0, "")
    shutil.copytree(own.var, tmp_path / "yesterday")
    change_status(own.settings, number, Event.REVOKE, "issued_in_error", None, None)
    assert looked() == (0, "")
    [memory] = elsewhere.glob("logs/*/checkpoint")
    remembered = memory.read_text()

    put_back(own, tmp_path / "yesterday")  # and with it the revocation is gone
    assert typed(own, "log", "verify")[0] == 0  # the registry itself cannot know
    code, err = looked()
    assert (code, err.count("\n"), err.startswith("error: log_shrunk: ")) == (1, 1, True)

    own.sign(own.write_rows("today.csv", [a_row(901), a_row(902)]), "today")
    code, err = looked()
    assert (code, err.startswith("error: log_rewritten: ")) == (1, True)
    assert memory.read_text() == remembered  # nothing was cosigned
    kept = sorted((elsewhere / "evidence").iterdir())
    assert [(one / "seen").read_text() for one in kept] == [remembered] * 2
    sizes = {int((one / "shown").read_text().splitlines()[1]) for one in kept}
    size = int(remembered.splitlines()[1])
    assert min(sizes) < size < max(sizes)
    with served(application(open_state(elsewhere, now))) as address:
        own.extra["SIGNSVC_WITNESSES"] = vkey.strip()
        code, _, err = typed(own, "log", "cosign", address)
    assert (code, err.startswith("error: log_rewritten: ")) == (1, True)


def test_cosignatures_come_home_and_into_every_proof(own: Home, tmp_path: Path, typed: Told) -> None:
    row = read_results(own.folder / "out")[0]
    elsewhere = tmp_path / "witness"
    vkey = typed(own, "witness", "init", elsewhere, "--name", NAME)[1].strip()
    own.extra["SIGNSVC_WITNESSES"] = vkey
    with opened(own.settings) as site:
        key = str(site.registry.verifier)
    typed(own, "witness", "trust", elsewhere, key, "--url", "http://127.0.0.1:1")
    with served(application(open_state(elsewhere, now))) as address:
        assert typed(own, "log", "cosign", address)[0] == 0
        retained_copy(own.settings, row["number"], "补领")
        with opened(own.settings) as site:
            client = create_app(site).test_client()
            assert NAME not in client.get("/log/checkpoint").text  # the newest has none yet
            assert_witnessed(client.post("/log/proof", json=asked(row)).data, key, vkey)
        code, out, _ = typed(own, "log", "cosign", address)
        assert (code, NAME in out) == (0, True)
    with opened(own.settings) as site:
        client = create_app(site).test_client()
        checkpoint = client.get("/log/checkpoint").data
        assert cosigned_by(checkpoint, [Witness.parse(vkey)]) == [Witness.parse(vkey)]
        assert open_checkpoint(checkpoint, Verifier.parse(key)).size > 0
        assert_witnessed(client.post("/log/proof", json=asked(row)).data, key, vkey)
        assert NAME in client.get("/log").text


def test_a_log_that_grows_while_a_witness_is_asked_is_not_rewritten(
    own: Home, tmp_path: Path, typed: Told
) -> None:
    """Another process publishes and has it cosigned, when ours has already read the checkpoint before."""
    row = read_results(own.folder / "out")[0]
    own.extra["SIGNSVC_WITNESSES"] = typed(own, "witness", "init", tmp_path / "w", "--name", NAME)[1].strip()
    state = open_state(tmp_path / "w", now)
    with opened(own.settings) as site:
        state.trust(site.registry.verifier, "http://127.0.0.1:1")
    requests = count()

    def meanwhile(environ: dict[str, Any], start: Callable[..., Any]) -> Any:
        if next(requests) == 0:
            retained_copy(own.settings, row["number"], "补领")
            newest = Request(0, (), (own.var / "log" / "checkpoint").read_text())
            assert add_checkpoint(state, newest.body().encode())[1]
        return application(state)(environ, start)

    with served(meanwhile) as address:
        code, out, _ = typed(own, "log", "cosign", address)
    assert (code, NAME in out) == (0, True)


def test_whom_nobody_pinned_is_not_shown_as_a_witness(own: Home) -> None:
    row = read_results(own.folder / "out")[0]
    key = Ed25519PrivateKey.generate()
    shown = own.var / "log" / "checkpoint"
    line = cosign(split_note(shown.read_text())[0], "stranger.example", key, now())
    (own.var / "log" / "witnessed").write_text(shown.read_text() + line)
    for pinned, seen in (
        ("", False),
        (str(witness_of(NAME, key)), False),
        (str(witness_of("stranger.example", key)), True),
    ):
        own.extra["SIGNSVC_WITNESSES"] = pinned
        with opened(own.settings) as site:
            client = create_app(site).test_client()
            pages = [
                client.get("/log/checkpoint"),
                client.get("/log"),
                client.post("/log/proof", json=asked(row)),
            ]
        assert ["stranger.example" in page.text for page in pages] == [seen] * 3


def asked(row: dict[str, str]) -> dict[str, str]:
    return {"number": row["number"], "code": row["code"]}


def assert_witnessed(bundle: bytes, key: str, vkey: str) -> None:
    """A judge of another make finds the log's signature and the witness's, and misses a second witness."""
    content = json.loads(bundle)
    leaf = leaf_data(bytes.fromhex(content["salt"]), canonical(content["record"]))
    assert verify_tlog_proof(content["proof"], leaf, key, [vkey], threshold=1)["ok"]
    assert not verify_tlog_proof(content["proof"], leaf, key, [vkey], threshold=2)["ok"]
    assert not verify_tlog_proof(content["proof"], leaf[:-1] + b"x", key, [vkey], threshold=1)["ok"]
