"""What may be issued: offices, the catalogue (保留清单), policy packs, the decision. Pure; the data lies beside it."""

from signsvc.policy.catalogue import Catalogue, demo_text, load_catalogue, printed_basis
from signsvc.policy.decision import decide
from signsvc.policy.offices import find_office, load_offices
from signsvc.policy.packs import Document, Item, Pack, Rule, load_pack, parse_pack

__all__ = [
    "Catalogue",
    "Document",
    "Item",
    "Pack",
    "Rule",
    "decide",
    "demo_text",
    "find_office",
    "load_catalogue",
    "load_offices",
    "load_pack",
    "parse_pack",
    "printed_basis",
]
