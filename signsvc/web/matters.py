"""The guide (办事指引): which certificates the offices issue, asked by name; a page, and the same as JSON (Q14)."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, render_template, request

from signsvc.errors import Busy, NotFound, SignsvcError
from signsvc.identity.characters import fold, is_forbidden
from signsvc.models import OfficeId
from signsvc.policy.answer import Kind
from signsvc.policy.asking import Place, Question
from signsvc.web import telling
from signsvc.web.faults import own_error, told
from signsvc.web.replies import answer
from signsvc.wiring.guiding import Guidance, Guide

MAX_CHARACTERS = 100
TONES = {Kind.MAY_ISSUE: "good", Kind.DEPARTMENT_ISSUES: "info", Kind.UNLISTED: "warn"}
_CLOSED = "办事指引正在维护，请稍后再试或向社区（村）询问；查验证明不受影响"


@dataclass(frozen=True)
class Typed:
    """What the visitor typed and chose, made fit to be shown again."""

    question: Question
    office: OfficeId | None
    cut: bool  # more than MAX_CHARACTERS were typed


def matters(guide: Guide) -> Blueprint:
    """Routes of the guide; while the rules cannot be read, these alone answer 503."""
    blueprint = Blueprint("matters", __name__)

    @blueprint.get("/matters")
    def page() -> tuple[str, int]:
        typed, guidance = _typed(), guide.current()
        try:
            found, status, fault = _found(typed, guidance), HTTPStatus.OK, None
        except NotFound as error:
            found, status, fault = {}, HTTPStatus.NOT_FOUND, str(error)
        return _page(typed, guidance, found, fault), status

    @blueprint.get("/matters.json")
    def data() -> Response:
        return answer(_found(_typed(), guide.current()))

    @blueprint.errorhandler(SignsvcError)
    def closed(error: SignsvcError) -> Response:
        if isinstance(error, (NotFound, Busy)):
            return own_error(error)
        # What is wrong with a file is for the operator, whose log has it.
        return told(error.code, _CLOSED, HTTPStatus.SERVICE_UNAVAILABLE)

    return blueprint


def _typed() -> Typed:
    name, purpose = _line(request.args.get("q", "")), _line(request.args.get("purpose", ""))
    question = Question(name[:MAX_CHARACTERS].strip(), purpose[:MAX_CHARACTERS].strip())
    office = request.args.get("office", "").strip()
    return Typed(question, OfficeId(office) or None, max(len(name), len(purpose)) > MAX_CHARACTERS)


def _line(text: str) -> str:
    """One line of printable text: what breaks lines is a space, what cannot be seen is dropped."""
    spaced = " ".join(fold(text).split())
    return "".join(char for char in spaced if not is_forbidden(char)).strip()


def _found(typed: Typed, guidance: Guidance) -> dict[str, Any]:
    """The body of the JSON; NotFound if there is no such office."""
    places = _places(typed, guidance)
    asked = {"query": typed.question.name, "purpose": typed.question.purpose, "cut": typed.cut}
    if not typed.question.name:
        return {**asked, "answers": [], "lists": telling.lists(guidance, places)}
    return {**asked, "answers": telling.answers(guidance, typed.question, places)}


def _places(typed: Typed, guidance: Guidance) -> tuple[Place, ...]:
    places = guidance.places(typed.office)
    if not places:
        raise NotFound("没有这个组织，请在页面上重新选择社区（村）", "unknown_office")
    return places


def _page(typed: Typed, guidance: Guidance, found: dict[str, Any], fault: str | None) -> str:
    return render_template(
        "matters.html",
        told=found,
        question=typed.question,
        chosen=typed.office or "",
        cut=typed.cut,
        limit=MAX_CHARACTERS,
        fault=fault,
        groups={guidance.place_name(place): offices for place, offices in guidance.offices.items()},
        tone=_tone,
    )


def _tone(answer: dict[str, Any]) -> str:
    """Colour of an answer; green only what may be issued as asked, and as with verification no demonstration."""
    tone = TONES.get(Kind(answer["answer"]), "bad")
    reserved = answer["demo"] or "purpose_not_allowed" in answer["codes"]
    return "warn" if reserved and tone == "good" else tone
