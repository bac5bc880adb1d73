"""How often may be asked: the shared counters, the places for file checks, and the limits as visitors meet them."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from unittest.mock import MagicMock

import pytest
from flask.testing import FlaskClient
from home import Home, read_results
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from limits import RateLimitItemPerHour
from limits.storage import MemoryStorage
from werkzeug.test import TestResponse

from signsvc.errors import Busy
from signsvc.web import create_app
from signsvc.web.api import describing
from signsvc.web.guard import Shared, limiting, places
from signsvc.web.guard.counters import SharedCounters
from signsvc.web.guard.places import Places
from signsvc.web.server import opened
from signsvc.wiring import apikeys
from signsvc.wiring.home import now

SECONDS = {"a": 1, "b": 60, "c": 3600, "d": 86_400}  # limits of different length may share a slot


@effort(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("abcd"), st.integers(0, 5), st.integers(1, 3), st.sampled_from((0, 7, 90, 40_000))
        ),
        max_size=80,
    )
)
def test_a_count_is_never_too_low_however_few_slots_there_are(
    hits: list[tuple[str, int, int, int]],
) -> None:
    """Against the exact counters of `limits`, one for each key and window."""
    clock = [0]
    ours, exact = SharedCounters(slots=2, clock=lambda: clock[0]), MemoryStorage()
    for kind, who, amount, later in hits:
        clock[0] += later
        key, window = f"{kind}{who}", clock[0] // SECONDS[kind]
        real = exact.incr(f"{key}@{window}", 10**6, amount)
        assert ours.incr(key, SECONDS[kind], amount) >= real
        assert ours.get(key) >= real


def test_a_count_alone_is_exact_and_ends_with_its_window() -> None:
    clock = [0.0]
    counters = SharedCounters(clock=lambda: clock[0])
    assert [counters.incr("a", 60, 2) for _ in range(3)] == [2, 4, 6]
    assert counters.get("b") == 0
    clock[0] = 59.9
    assert counters.get("a") == 6
    clock[0] = 60.0
    assert (counters.get("a"), counters.incr("a", 60)) == (0, 1)
    counters.clear("a")
    assert counters.get("a") == 0
    counters.incr("a", 60)
    counters.reset()
    assert counters.get("a") == 0


def test_ten_thousand_strangers_hardly_ever_count_for_each_other() -> None:
    counters = SharedCounters(clock=lambda: 0.0)
    too_high = sum(counters.incr(f"client/{number}", 60) > 1 for number in range(10_000))
    assert too_high < 40  # about 5 are expected: see the docstring


def test_where_a_key_lies_cannot_be_known_beforehand() -> None:
    assert SharedCounters()._places("a") != SharedCounters()._places("a")


def test_no_increment_is_lost_between_processes_and_threads() -> None:
    counters = SharedCounters(clock=lambda: 0.0)
    children = [forked(lambda: in_threads(lambda: counters.incr("a", 60), 4, 500)) for _ in range(3)]
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0, 0, 0]
    assert counters.get("a") == 3 * 4 * 500


def test_a_worker_that_is_killed_while_it_counts_stops_nobody() -> None:
    counters = SharedCounters()
    held, tell = os.pipe()

    def hold() -> None:
        with counters._alone():
            os.write(tell, b"!")
            signal.pause()

    child = forked(hold)
    os.read(held, 1)
    waiting = threading.Thread(target=counters.incr, args=("a", 60))
    waiting.start()
    waiting.join(0.1)
    assert waiting.is_alive()
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    waiting.join(10)
    assert counters.get("a") == 1


def test_no_more_files_are_checked_at_once_than_there_are_places() -> None:
    places = Places(2)
    with places.taken(), places.taken():
        assert places.in_use() == 2
        with pytest.raises(Busy) as full, places.taken(wait=0.05):
            pass
        assert full.value.retry_after >= 1
    assert places.in_use() == 0
    with places.taken(wait=0):
        pass


def test_places_count_over_processes_and_come_back_from_the_dead() -> None:
    places = Places(1)
    held, tell = os.pipe()

    def hold() -> None:
        with places.taken():
            os.write(tell, b"!")
            signal.pause()

    child = forked(hold)
    os.read(held, 1)
    with pytest.raises(Busy), places.taken(wait=0.05):
        pass
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with places.taken(wait=0):
        pass


def forked(work: Callable[[], object]) -> int:
    """A child of ours that does this and ends; it must not come back into the test."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    return child


def in_threads(work: Callable[[], object], count: int, times: int) -> None:
    threads = [threading.Thread(target=lambda: [work() for _ in range(times)]) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


# As visitors meet them.

CODE = "0" * 16  # well formed, and nobody's


@contextmanager
def asking(home: Home, **settings: str | int) -> Iterator[FlaskClient]:
    """A client of the application under these settings."""
    with opened(replace(home.settings, **settings)) as site:
        yield create_app(site).test_client()


def ask(client: FlaskClient, code: str = CODE, sender: str = "192.0.2.1", **headers: str) -> TestResponse:
    """By the API, from an address."""
    body = {"number": "gd-demo-2026-000001", "code": code}
    return client.post(
        "/api/v1/verify",
        json=body,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        environ_overrides={"REMOTE_ADDR": sender},
    )


def test_an_address_that_asks_too_often_is_told_when_to_come_back(issued: Home) -> None:
    with asking(issued, limit_client="3/hour") as client:
        answers = [ask(client) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert answers[3].mimetype == "application/problem+json"
        assert answers[3].json is not None
        assert answers[3].json["code"] == "too_many_requests"
        assert 1 <= int(answers[3].headers["Retry-After"]) <= 3600
        page = client.get(f"/v/{CODE}", environ_overrides={"REMOTE_ADDR": "192.0.2.1"})
        assert (page.status_code, page.mimetype) == (429, "text/html")
        assert page.headers["Retry-After"]
        assert ask(client, sender="192.0.2.2").status_code == 200


def test_whoever_is_locked_out_still_gets_the_page_its_style_and_the_log(issued: Home) -> None:
    with asking(issued, limit_client="1/hour") as client:
        ask(client, sender="127.0.0.1")
        assert ask(client, sender="127.0.0.1").status_code == 429
        for path in ("/verify", "/static/style.css", "/healthz", "/readyz", "/pki/issuing.crl", "/matters"):
            assert client.get(path).status_code == 200, path


def test_a_bundle_of_entries_counts_as_a_question_and_a_tile_does_not(issued: Home) -> None:
    with asking(issued, limit_client="1/hour") as client:
        paths = (
            "/log/tile/0/000.p/1",
            "/log/tile/entries/000.p/1",
            "/log/tile/entries/000.p/1",
            "/log/tile/0/000.p/1",
        )
        assert [client.get(path).status_code for path in paths] == [200, 200, 429, 200]


def test_the_guide_too_tells_when_to_come_back(issued: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limiting, "LIGHT", RateLimitItemPerHour(1))
    with asking(issued) as client:
        first, page, data = (client.get(path) for path in ("/matters", "/matters", "/matters.json"))
    assert [answer.status_code for answer in (first, page, data)] == [200, 429, 429]
    assert [answer.mimetype for answer in (page, data)] == ["text/html", "application/problem+json"]
    for answer in (page, data):
        assert 1 <= int(answer.headers["Retry-After"]) <= 3600
        assert "查询过于频繁" in answer.text


def test_a_home_network_of_the_new_protocol_is_one_address(issued: Home) -> None:
    with asking(issued, limit_client="1/hour") as client:
        assert ask(client, sender="2001:db8:1:2::1").status_code == 200
        assert ask(client, sender="2001:db8:1:2:ffff::9").status_code == 429
        assert ask(client, sender="2001:db8:1:3::1").status_code == 200
        assert ask(client, sender="192.0.2.1").status_code == 200
        assert ask(client, sender="::ffff:192.0.2.1").status_code == 429


def test_a_code_has_its_own_limit_whoever_asks_and_however_it_is_typed(issued: Home) -> None:
    with asking(issued, limit_code="2/hour") as client:
        assert ask(client, sender="192.0.2.1").status_code == 200
        assert ask(client, "0000-0000-0000-oooo", sender="192.0.2.2").status_code == 200
        assert ask(client, sender="192.0.2.3").status_code == 429
        assert client.get(f"/v/{CODE}").status_code == 429


def test_names_cannot_be_tried_out_against_a_certificate(issued: Home) -> None:
    row = read_results(issued.folder / "out")[1]
    with asking(issued, limit_claims="2/hour") as client:
        for number, sender, status in (
            ("2026-000002", 1, 200),
            (row["number"], 2, 200),
            (row["number"], 3, 429),
        ):
            body = {"number": number, "code": row["code"], "claims": {"name": f"甲{sender}"}}
            overrides = {"REMOTE_ADDR": f"192.0.2.{sender}"}
            assert client.post("/api/v1/verify", json=body, environ_overrides=overrides).status_code == status
        assert (
            client.post("/api/v1/verify", json={"number": row["number"], "code": row["code"]}).status_code
            == 200
        )


def test_an_identity_number_cannot_be_guessed_in_a_day(issued: Home) -> None:
    """Misses count and hits do not; when they are used up nothing more is answered, be it right."""
    row = read_results(issued.folder / "out")[1]
    asked = {"number": row["number"], "code": row["code"]}

    def claim(client: FlaskClient, valid_until: str) -> TestResponse:
        return client.post("/api/v1/verify", json={**asked, "claims": {"valid_until": valid_until}})

    with asking(issued, limit_claims="1000/hour", limit_misses="3/day") as client:
        known = client.post("/api/v1/verify", json=asked).json
        assert known
        right, wrong = known["certificate"]["valid_until"], "2099-01-01"
        days = (right,) * 4 + (wrong, right, wrong)
        assert [claim(client, day).json["claims"]["valid_until"] for day in days] == [  # type: ignore[index]
            day == right for day in days
        ]
        page = client.post("/verify", data={**asked, "name": "甲"})
        assert "不一致" in page.get_data(as_text=True)
        refused = claim(client, right)
        assert refused.status_code == 429
        assert 1 <= int(refused.headers["Retry-After"]) <= 86_400
        assert client.post("/api/v1/verify", json=asked).status_code == 200
        told = client.get("/metrics").get_data(as_text=True)
        assert 'signsvc_refused_total{reason="misses"} 1.0' in told


def test_a_batch_costs_as_much_as_it_asks(issued: Home) -> None:
    batch = {"items": [{"number": "gd-demo-2026-000001", "code": CODE}] * 4}
    with asking(issued, limit_batch="10/hour", limit_code="1000/hour") as client:
        asked = [client.post("/api/v1/verify/batch", json=batch).status_code for _ in range(3)]
        assert asked == [200, 200, 429]
    with asking(issued, limit_batch="3/hour") as client:
        answer = client.post("/api/v1/verify/batch", json=batch)
        assert answer.status_code == 429
        assert "3份" in answer.get_data(as_text=True)


def test_files_are_limited_more_tightly_and_refused_before_they_are_read(issued: Home) -> None:
    def upload(client: FlaskClient, size: int) -> int:
        form = {"file": (BytesIO(b"%PDF" + bytes(size)), "a.pdf")}
        return client.post("/api/v1/verify/file", data=form).status_code

    with asking(issued, limit_upload="1/hour") as client:
        assert upload(client, 10) == 200
        assert upload(client, 10) == 429
        read = MagicMock(side_effect=AssertionError("the body was read"))
        body = {"CONTENT_LENGTH": "9000000", "wsgi.input": MagicMock(read=read, readinto=read)}
        chunked = {**body, "CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked"}
        for sent in (body, chunked):
            large = client.post(
                "/api/v1/verify/file", environ_overrides=sent, content_type="multipart/form-data"
            )
            assert large.status_code == 429
        assert ask(client, sender="127.0.0.1").status_code == 200


def test_the_description_of_the_api_is_made_once_a_language(
    issued: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is added to its address: it has the limit of what is cheap."""
    made = MagicMock(wraps=describing.render_template)
    monkeypatch.setattr(describing, "render_template", made)
    with asking(issued) as client:
        queries = ("", "lang=en", "x=1", "lang=en&x=2")
        chinese, english, *others = (client.get(f"/api/v1/docs?{query}").data for query in queries)
    assert others == [chinese, english]
    assert chinese != english
    assert made.call_count == 2


def test_when_every_place_is_taken_a_file_is_put_off(issued: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "WAIT", 0.01)
    settings = replace(issued.settings, checks=1)
    shared = Shared.made(settings)
    with opened(settings, shared) as site, shared.places.taken():
        client = create_app(site).test_client()
        answer = client.post("/api/v1/verify/file", data={"file": (BytesIO(b"%PDF"), "a.pdf")})
        assert answer.status_code == 503
        assert answer.json is not None
        assert answer.json["code"] == "busy"
        assert int(answer.headers["Retry-After"]) >= 1


def test_a_forwarded_address_is_believed_only_of_a_trusted_proxy(issued: Home) -> None:
    with asking(issued, limit_client="1/hour") as client:
        assert ask(client, X_Forwarded_For="198.51.100.1").status_code == 200
        assert ask(client, X_Forwarded_For="198.51.100.2").status_code == 429
    with asking(issued, limit_client="1/hour", proxies=1) as client:
        assert ask(client, X_Forwarded_For="198.51.100.1").status_code == 200
        assert ask(client, X_Forwarded_For="198.51.100.2").status_code == 200
        assert ask(client, X_Forwarded_For="203.0.113.9, 198.51.100.2").status_code == 429


def test_an_api_key_has_a_limit_of_its_own_wherever_it_asks_from(home: Home) -> None:
    token = apikeys.add(home.settings, "某银行", 4, now().date())
    with asking(home, limit_client="1/hour") as client:
        bearer = {"Authorization": f"Bearer {token}"}
        asked = [ask(client, sender=f"192.0.2.{number}", **bearer).status_code for number in range(5)]
        assert asked == [200, 200, 200, 200, 429]
        assert ask(client, sender="192.0.2.0").status_code == 200


def test_keys_are_not_guessed_faster_than_anything_else(home: Home) -> None:
    with asking(home, limit_client="2/hour") as client:
        wrong = {"Authorization": "Bearer sk_000000000000_wrong"}
        assert [ask(client, **wrong).status_code for _ in range(3)] == [401, 401, 429]
