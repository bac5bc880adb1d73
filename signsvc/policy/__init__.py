"""What may be issued: offices, the catalogue (保留清单), policy packs, the decision. Pure; the data lies beside it."""

from signsvc.policy.circumstances import Circumstances
from signsvc.policy.decision import decide
from signsvc.policy.lists.catalogue import Catalogue, demo_text, load_catalogue, no_catalogue, printed_basis
from signsvc.policy.offices import find_office, load_offices
from signsvc.policy.packs.documents import Document
from signsvc.policy.packs.pack import Item, Layer, Pack, Rule
from signsvc.policy.packs.reading import (
    NATION,
    Source,
    folder_of,
    is_jurisdiction,
    load_pack,
    parse_layer,
    shipped,
    shipped_jurisdictions,
)

__all__ = [
    "NATION",
    "Catalogue",
    "Circumstances",
    "Document",
    "Item",
    "Layer",
    "Pack",
    "Rule",
    "Source",
    "decide",
    "demo_text",
    "find_office",
    "folder_of",
    "is_jurisdiction",
    "load_catalogue",
    "load_offices",
    "load_pack",
    "no_catalogue",
    "parse_layer",
    "printed_basis",
    "shipped",
    "shipped_jurisdictions",
]
