"""The two languages of the service: Chinese as it stands in the code, English from `translations/en.po` (GNU gettext).

The Chinese words are the keys, of templates and code alike; what has no English stays Chinese. The language is part of
the address (`?lang=en`), never of a cookie: a link shows everyone the same page. Machines say it by Accept-Language
(RFC 9110 12.5.4).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from functools import cache, lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from babel.dates import format_date
from babel.messages.pofile import read_po
from flask import Flask, g, request
from jinja2 import pass_context
from jinja2.runtime import Context
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from signsvc.texts import chinese_date, said
from signsvc.web.replies import for_machine

CHINESE, ENGLISH = "zh-CN", "en"
LANGUAGES = {CHINESE: "中文", ENGLISH: "English"}
_BY_TAG = {"zh": CHINESE, "en": ENGLISH}  # primary language subtags (RFC 5646)
FILE = Path(__file__).parent.parent / "translations" / "en.po"
# Pages whose addresses carry the language on.
_CARRYING = frozenset(("pages.form", "pages.answer", "matters.page", "log.page", "log.proof", "api.docs"))


def language() -> str:
    """The language of this request's answer: `zh-CN` or `en`."""
    if "language" not in g:
        g.language = _asked_for()
    return str(g.language)


def _asked_for() -> str:
    if request.query_string and (chosen := request.args.get("lang", "")) in LANGUAGES:
        return chosen
    if for_machine():
        return _preferred(request.headers.get("Accept-Language", ""))
    return CHINESE


@lru_cache(maxsize=256)
def _preferred(header: str) -> str:
    """What a machine would rather have; Chinese of two alike. Region and script (`zh-TW`, `zh-Hant`) make no difference
    to us: whoever reads any Chinese reads ours."""
    accepted = parse_accept_header(header, LanguageAccept)
    primary = LanguageAccept((re.split("[-_]", tag)[0], quality) for tag, quality in accepted)
    return _BY_TAG[primary.best_match(_BY_TAG, "zh")]


def say(text: str) -> str:
    """`text` in the language of this request; a `Text` with its values, whose words are looked up apart."""
    return said(text, _words, day)


def day(when: date) -> str:
    """2027年5月20日, or 20 May 2027."""
    return chinese_date(when) if language() == CHINESE else format_date(when, "d MMMM y", ENGLISH)


def turned(refused: object = None) -> str:
    """This address in the other language, relative to itself: nobody's path becomes part of a link, and nothing of a
    question that was refused."""
    asked = () if refused else request.args.items(multi=True)
    rest = [(key, value) for key, value in asked if key != "lang"]
    return "?" + urlencode([*rest, ("lang", ENGLISH)] if language() == CHINESE else rest)


def speak(app: Flask) -> None:
    """Give the templates `_`, {% trans %}, the filters `say` and `day`, and addresses that carry the language."""
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(_words, _plural, newstyle=True)  # type: ignore[attr-defined]
    app.jinja_env.filters.update(say=_say, day=day)
    app.jinja_env.globals.update(language=language, languages=LANGUAGES, turned=turned)
    app.url_defaults(_carry)


@cache
def english() -> Mapping[str, str]:
    """English by Chinese words."""
    with open(FILE, "rb") as stream:
        return {str(entry.id): str(entry.string) for entry in read_po(stream) if entry.id and entry.string}


@pass_context
def _say(_: Context, text: str) -> str:
    """The filter. Without the context Jinja would say a constant once, when it compiles, and so in one language."""
    return say(text)


def _words(text: str) -> str:
    return text if language() == CHINESE else english().get(text, text)


def _plural(one: str, many: str, count: int) -> str:
    """Chinese has one form for one and for many."""
    return _words(one if count == 1 else many)


def _carry(endpoint: str, values: dict[str, Any]) -> None:
    if endpoint in _CARRYING and language() != CHINESE:
        values.setdefault("lang", language())
