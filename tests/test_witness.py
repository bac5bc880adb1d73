"""The witness cosigns what continues what it saw, and catches a log that was put back; over HTTP, as in the field."""

from __future__ import annotations

import json
import os
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from growing import ORIGIN, Grown, served
from home import Home, a_row, read_results
from proofbundle.tlogproof import verify_tlog_proof

from signsvc import cli
from signsvc.cosignatures import Witness, cosigned_by
from signsvc.errors import InputError, KeysError
from signsvc.merkle import EMPTY_ROOT
from signsvc.notes import MAX_NOTE_BYTES, NoteError, Verifier, open_checkpoint
from signsvc.proofs import canonical, leaf_data
from signsvc.statuses import Event
from signsvc.web import create_app
from signsvc.web.server import opened
from signsvc.wiring.home import now
from signsvc.wiring.recording import change_status, retained_copy
from signsvc.witness.decision import Request, decide
from signsvc.witness.fetching import ask
from signsvc.witness.looking import LogRewritten, look
from signsvc.witness.serving import application
from signsvc.witness.state import Log, State, make, open_state

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
    assert [item.verifier for item in state.logs()] == [log.verifier]


def test_a_changed_memory_is_no_memory(state: State, log: Grown) -> None:
    one = trusted(state, log)
    state.cosign(one, log.note(5))
    one.checkpoint.write_text(log.note(5).replace("\n5\n", "\n4\n"))
    with pytest.raises(KeysError):
        state.seen(one)


def test_what_cannot_be_remembered_is_not_cosigned(
    state: State, log: Grown, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = trusted(state, log)
    state.cosign(one, log.note(4))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr("signsvc.witness.state.os.fsync", full)
        with pytest.raises(OSError, match="space"):
            state.cosign(one, log.note(5))
    assert state.seen(one) == log.checkpoint(4)


# How it looks


def test_it_looks_again_and_again_at_a_log_that_grows(state: State) -> None:
    log = Grown.of(*LEAVES[:3])
    with served(log) as address:
        one = trusted(state, log, address)
        for size in (3, 4, 255, 256, 257, 600):
            log.add(*LEAVES[log.size : size])
            assert look(state, one) == state.seen(one) == log.checkpoint()
            assert cosigned_by(one.checkpoint.read_text(), [state.witness]) == [state.witness]


@pytest.mark.parametrize("size", [8, 4, 3])
def test_a_log_of_another_past_is_evidence_and_not_cosigned(state: State, log: Grown, size: int) -> None:
    one = trusted(state, log)
    state.cosign(one, log.note(4))
    before = one.checkpoint.read_text()
    shown = Grown.of(*FORKED.leaves[:size]) if size != 3 else Grown.of(*LEAVES[:3])
    with served(shown) as address, pytest.raises(LogRewritten):
        look(state, trusted(state, log, address))
    assert one.checkpoint.read_text() == before
    [kept] = (state.folder / "evidence").iterdir()
    assert (kept / "seen").read_text() == before
    assert (kept / "shown").read_text() == shown.note()


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
    state.trust(Verifier("log.example/away", bytes(32)), "http://127.0.0.1:1")
    with served(log) as address:
        one = trusted(state, log, address)
        code, out, err = typed(Home(state.folder), "witness", "look", state.folder)
    assert (code, err.count("error: unreachable: "), out.count(ORIGIN)) == (2, 1, 1)
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
    assert (code, err.count("\n"), err.startswith("error: log_rewritten: ")) == (1, 1, True)

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


def asked(row: dict[str, str]) -> dict[str, str]:
    return {"number": row["number"], "code": row["code"]}


def assert_witnessed(bundle: bytes, key: str, vkey: str) -> None:
    """A judge of another make finds the log's signature and the witness's, and misses a second witness."""
    content = json.loads(bundle)
    leaf = leaf_data(bytes.fromhex(content["salt"]), canonical(content["record"]))
    assert verify_tlog_proof(content["proof"], leaf, key, [vkey], threshold=1)["ok"]
    assert not verify_tlog_proof(content["proof"], leaf, key, [vkey], threshold=2)["ok"]
    assert not verify_tlog_proof(content["proof"], leaf[:-1] + b"x", key, [vkey], threshold=1)["ok"]
