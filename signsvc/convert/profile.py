"""LibreOffice's settings for our use: a throw-away profile that runs nothing, fetches nothing and remembers nothing."""

from __future__ import annotations

import json
from pathlib import Path

_COMMON = "/org.openoffice.Office.Common"
# (path, name, value). A setting an older or newer LibreOffice does not know is passed over by it.
_SETTINGS: tuple[tuple[str, str, bool | int | str], ...] = (
    # Linked pictures, file:// as well as http://, are loaded from trusted places only, and there are none.
    (f"{_COMMON}/Security/Scripting", "BlockUntrustedRefererLinks", True),
    (f"{_COMMON}/Security/Scripting", "DisableActiveContent", True),
    (f"{_COMMON}/Security/Scripting", "DisableMacrosExecution", True),
    (f"{_COMMON}/Security/Scripting", "MacroSecurityLevel", 3),
    ("/org.openoffice.Office.Writer/Content/Update", "Link", 2),  # 2: never
    ("/org.openoffice.Office.Writer/Content/Update", "Field", False),
    ("/org.openoffice.Office.Writer/Content/Update", "Chart", False),
    # Second lock on the door where the network could not be cut off: a proxy that does not exist.
    ("/org.openoffice.Inet/Settings", "ooInetProxyType", 2),
    ("/org.openoffice.Inet/Settings", "ooInetHTTPProxyName", "127.0.0.1"),
    ("/org.openoffice.Inet/Settings", "ooInetHTTPProxyPort", 9),
    ("/org.openoffice.Inet/Settings", "ooInetHTTPSProxyName", "127.0.0.1"),
    ("/org.openoffice.Inet/Settings", "ooInetHTTPSProxyPort", 9),
    (f"{_COMMON}/Font/Substitution", "Replacement", False),
    (f"{_COMMON}/History", "PickListSize", 0),
    (f"{_COMMON}/Misc", "FirstRun", False),
    (f"{_COMMON}/Misc", "CrashReport", False),
    (f"{_COMMON}/Misc", "CollectUsageInformation", False),
    (f"{_COMMON}/Misc", "ShowTipOfTheDay", False),
    (f"{_COMMON}/Save/Document", "CreateBackup", False),
    ("/org.openoffice.Office.Recovery/AutoSave", "Enabled", False),
    ("/org.openoffice.Office.Recovery/RecoveryInfo", "Enabled", False),
    ("/org.openoffice.Office.Java/VirtualMachine", "Enable", False),
    # A version newer than the last one used tries out its drawing first, for most of a second: none is newer than this.
    ("/org.openoffice.Setup/Product", "ooSetupLastVersion", "999.9"),
)

# Untagged and without outline: half the size; no form fields or notes: nothing in it may be filled in or hidden.
# Bookmarks as destinations: they tell where each of many documents in a file begins.
_EXPORT: dict[str, bool | int] = {
    "UseLosslessCompression": True,
    "ReduceImageResolution": False,
    "UseTaggedPDF": False,
    "ExportBookmarks": False,
    "ExportBookmarksToPDFDestination": True,
    "ExportFormFields": False,
    "ExportNotes": False,
    "ExportNotesPages": False,
    "ExportPlaceholders": False,
    "SelectPdfVersion": 17,
}


def export_filter() -> str:
    """What follows `--convert-to`."""
    kinds = {True: "boolean", False: "long"}
    options = {
        name: {"type": kinds[isinstance(value, bool)], "value": str(value).lower()}
        for name, value in _EXPORT.items()
    }
    return "pdf:writer_pdf_Export:" + json.dumps(options, separators=(",", ":"))


def write_profile(folder: Path) -> None:
    """Make `folder` a fresh user profile with our settings."""
    user = folder / "user"
    user.mkdir(mode=0o700, parents=True)
    (user / "registrymodifications.xcu").write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n<oor:items xmlns:oor="http://openoffice.org/2001/registry">\n'
        + "".join(_item(*setting) for setting in _SETTINGS)
        + "</oor:items>\n",
        "utf-8",
    )


def _item(path: str, name: str, value: bool | int | str) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return (
        f'<item oor:path="{path}"><prop oor:name="{name}" oor:op="fuse"><value>{text}</value></prop></item>\n'
    )
