"""Filling a form: template and values to .docx, with every character's face set."""

from signsvc.fill.check import FontUse, TemplateReport, inspect
from signsvc.fill.fields import CERTIFICATE, NOTICE
from signsvc.fill.form import Form
from signsvc.fill.notice import notice_values
from signsvc.fill.text import text_of
from signsvc.fill.values import qr_png, values

__all__ = [
    "CERTIFICATE",
    "NOTICE",
    "FontUse",
    "Form",
    "TemplateReport",
    "inspect",
    "notice_values",
    "qr_png",
    "text_of",
    "values",
]
