"""Filling the form: template and values to .docx, with every character's face set."""

from signsvc.fill.check import FontUse, TemplateReport, inspect
from signsvc.fill.form import Form
from signsvc.fill.text import text_of
from signsvc.fill.values import qr_png, values

__all__ = ["FontUse", "Form", "TemplateReport", "inspect", "qr_png", "text_of", "values"]
