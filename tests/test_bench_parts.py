"""What the benchmark rests on: its measures, its way to fill a registry, and what it compares with."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from bench import growth, kills, million, page, pipeline, processes, single, timing
from bench.ordinary import Ordinary
from bench.programs import Programs, Run, line, ordinary_form
from bench.timing import auc, margin, measure
from home import Home

from signsvc import fill
from signsvc.batch import CHUNK
from signsvc.identity import normalise_code
from signsvc.models import DocxBytes
from signsvc.report import Verdict
from signsvc.verify import verify_number
from signsvc.wiring.documents import load_fonts, load_form
from signsvc.wiring.verifying import asking


def by_pairs(left: list[int], right: list[int]) -> float:
    """The definition, pair by pair."""
    wins = sum((one > other) + (one == other) / 2 for one in left for other in right)
    return wins / (len(left) * len(right))


def test_auc_is_the_share_of_pairs_won_with_ties_counted_half() -> None:
    chance = random.Random(7)
    for _ in range(50):
        left = [chance.randrange(9) for _ in range(chance.randrange(1, 30))]
        right = [chance.randrange(9) for _ in range(chance.randrange(1, 30))]
        assert auc(left, right) == pytest.approx(by_pairs(left, right))
    assert auc([2, 3], [0, 1]) == 1.0
    assert auc([0, 1], [2, 3]) == 0.0


def test_the_interval_holds_what_chance_makes() -> None:
    """Of 200 measurements of nothing 95 % lie inside, give or take four standard deviations of that count."""
    chance = random.Random(7)
    inside = 0
    for _ in range(200):
        samples = [[chance.gauss(0, 1) for _ in range(100)] for _ in range(2)]
        inside += abs(auc(*samples) - 0.5) <= margin(100, 100)
    assert 178 <= inside <= 200


def test_a_difference_that_is_planted_shows() -> None:
    """By 2 ms on what takes nothing, which no machine is too slow or too busy to show."""
    filled = million.Filled(2026, 100)
    asked = timing.questions(filled, 60)
    assert sum(question.known for question in asked) == 30
    assert len({question.code for question in asked}) == 60
    assert measure(lambda _: None, asked, planted=2000).auc > 0.9
    assert measure(lambda question: time.sleep(0 if question.known else 0.002), asked).auc < 0.1


def test_a_registry_that_the_benchmark_fills_is_whole_and_answers(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(million, "CHUNK", 128)
    filled = million.fill(home.settings, 300)
    with asking(home.settings, None, signed=False) as (verifier, _):
        assert verifier.registry is not None
        assert verifier.registry.audit() == []
        for serial in (1, 128, 129, 300):
            number, code = filled.number(serial), million.code_of(serial)
            report = verify_number(verifier, number, code)
            assert (report.verdict, report.log) == (Verdict.VALID, (serial - 1, 300))
            wrong = million.code_of(serial, "wrong")
            assert normalise_code(wrong) == wrong
            assert verify_number(verifier, number, wrong).verdict is Verdict.NOT_FOUND
        assert verify_number(verifier, filled.number(301), million.code_of(301)).verdict is Verdict.NOT_FOUND


def test_the_benchmark_fills_no_registry_twice(home: Home) -> None:
    million.fill(home.settings, 2)
    with pytest.raises(RuntimeError, match="not fresh"):
        million.fill(home.settings, 2)


def test_growth_is_measured_on_what_is_there(home: Home) -> None:
    filled = million.fill(home.settings, 60)
    with million.writing(home.settings) as registry:
        grown = growth.Grown(registry, filled, million.seal_chain(home.settings))
        assert [grown.certificate(at) for at in range(2)] == [CHUNK] * 2
        assert [grown.proof(at) for at in range(2)] == [growth.ASKED] * 2
        assert registry.publish().size == 60 + 2 * CHUNK


def test_processes_are_counted_with_their_children() -> None:
    """A shell's child holds 80 MB and has worked for half a second."""
    work = "x = b'x' * 80_000_000\nimport time\nwhile time.process_time() < 0.5: pass\nprint(flush=True); input()"
    words = ["sh", "-c", f'"{sys.executable}" -c "$0"; true', work]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as shell:
        assert shell.stdout is not None
        early = iter([True])
        with processes.watched(shell.pid, lambda: next(early, False), every=0.01) as seen:
            shell.stdout.readline()
            held = processes.memory(shell.pid)
            time.sleep(0.5)  # it looks again meanwhile
        used = processes.cpu(shell.pid)
        shell.communicate(b"\n")
    assert len(processes.tree(shell.pid)) == 0
    assert 80e6 < held < 200e6
    assert 0.4 <= used < 5
    assert seen.before < 80e6 < seen.after == seen.peak


def test_the_ordinary_pipeline_prints_what_signsvc_prints(home: Home, tmp_path: Path) -> None:
    template = tmp_path / "form.docx"
    template.write_bytes(ordinary_form())
    fonts = load_fonts(home.settings)
    form = load_form(home.settings, fonts)
    for draft in Programs(home).drafts(3):
        document = tmp_path / "filled.docx"
        Ordinary(tmp_path, tmp_path, template, tmp_path).fill(json.loads(line(draft)), document)
        ours = form.fill(fill.values(draft), fill.qr_png(draft.qr_url), fonts.choose)
        assert fill.text_of(DocxBytes(document.read_bytes())) == fill.text_of(ours)


def test_a_goal_that_is_missed_is_told() -> None:
    def told(rate: float, size: int = 50_000, after: int = 10, name: str = pipeline.GOAL[0]) -> int:
        rows = pipeline.GOAL[1]
        held = processes.Memory(10, after)
        return len(list(pipeline.wrong(Run(name, rows, rows / rate, 1.0, [size] * rows, held), ordinary=1.0)))

    assert [told(100), told(99), told(100, size=61_000), told(100, after=2_000_000_000)] == [0, 1, 1, 1]
    assert told(1, name="ordinary") == 0


def test_the_page_keeps_what_was_not_measured_again(tmp_path: Path) -> None:
    order = ["first", "second", "third"]
    page.write(tmp_path, order, {"third": "old\n", "first": "one\n\ntwo"})
    page.write(tmp_path, order, {"third": "new", "second": "between"})
    text = (tmp_path / page.FILE).read_text("utf-8")
    assert [item.partition("\n")[0] for item in text.split("\n## ")[1:]] == order
    assert "```text\none\n\ntwo\n```" in text
    assert ("new" in text, "old" in text, text.count(page.HEAD)) == (True, False, 1)


def test_a_libreoffice_that_is_replaced_too_slowly_is_told() -> None:
    quick = dict.fromkeys(single.LIMITS, 0.1)
    assert single.too_slow(quick) == []
    for words, limit in single.LIMITS.items():
        [told] = single.too_slow(quick | {words: limit + 0.1})
        assert words in told


def test_a_kill_that_met_no_batch_at_work_does_not_count() -> None:
    met, starting = kills.Killed("filling", True, True, 0), kills.Killed("started", True, False, 0)
    assert kills.too_few([met, starting, met], 2) == []
    assert kills.too_few([met, starting], 2)
