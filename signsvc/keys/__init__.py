"""Keys and certificates: made once by `signsvc init`, loaded once by every other command.

One key, one purpose: sealing, the log, the archive, matching and receipts never share a key, and a process
loads only the roles it needs (the public verification never holds a sealing, log or archive key).
"""

from signsvc.keys.chain import read_roots, revocation_lists
from signsvc.keys.files import PASSPHRASE_FILE, read_passphrase
from signsvc.keys.load import load
from signsvc.keys.logname import certified_log
from signsvc.keys.make import make
from signsvc.keys.ring import KeyRing, Role, SealCertificate, SealKey

__all__ = [
    "PASSPHRASE_FILE",
    "KeyRing",
    "Role",
    "SealCertificate",
    "SealKey",
    "certified_log",
    "load",
    "make",
    "read_passphrase",
    "read_roots",
    "revocation_lists",
]
