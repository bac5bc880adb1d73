"""The ordinary pipeline: what somebody would write who has docxtpl, LibreOffice and pyHanko at hand.

    python -m bench.ordinary ROWS.jsonl FOLDER --template FORM.docx --keys KEYS --workers N

A row is `{"name", "office", "qr", "values"}`. Each is filled, converted by a call of `soffice`, and signed: nothing is
read back, registered or archived, and no round seal is drawn. It is given what it can use: N
processes, each with a LibreOffice profile of its own, which stays in FOLDER for the next run, and with keys that are
read once.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import segno
from docx.shared import Mm
from docxtpl import DocxTemplate, InlineImage  # type: ignore[import-untyped]
from pyhanko.keys import load_certs_from_pemder, load_private_key_from_pemder
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
from pyhanko.sign.signers import PdfSignatureMetadata, SimpleSigner, sign_pdf
from pyhanko_certvalidator.registry import SimpleCertificateStore

PICTURE, QR = "二维码", Mm(23)


@dataclass(frozen=True)
class Ordinary:
    """Where one process works. `template` is a form with Jinja's fields, set in fonts that are installed."""

    folder: Path
    profile: Path
    template: Path
    keys: Path

    def run(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """A sealed file of each row."""
        for row in rows:
            document = self.folder / f"{row['name']}.docx"
            self.fill(row, document)
            self._convert(document)
            document.unlink()
            self._seal(row["office"], document.with_suffix(".pdf"))

    def fill(self, row: Mapping[str, Any], document: Path) -> None:
        """The form of one row."""
        form = DocxTemplate(self.template)
        picture = io.BytesIO()
        segno.make_qr(row["qr"], error="m").save(picture, kind="png", scale=8)
        form.render({**row["values"], PICTURE: InlineImage(form, picture, width=QR)}, autoescape=True)
        form.save(document)

    def _convert(self, document: Path) -> None:
        profile = f"-env:UserInstallation={self.profile.as_uri()}"
        words = ["soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", str(self.folder)]
        subprocess.run([*words, str(document)], check=True, capture_output=True)

    def _seal(self, office: str, pdf: Path) -> None:
        what = PdfSignatureMetadata(
            field_name="Seal",
            md_algorithm="sha256",
            subfilter=SigSeedSubFilter.PADES,
            certify=True,
            docmdp_permissions=MDPPerm.NO_CHANGES,
        )
        writer = IncrementalPdfFileWriter(io.BytesIO(pdf.read_bytes()))
        pdf.write_bytes(sign_pdf(writer, what, _signer(self.keys, office)).getvalue())


@cache
def _signer(keys: Path, office: str) -> SimpleSigner:
    passphrase = (keys / "passphrase").read_bytes().strip()
    own, *issuers = load_certs_from_pemder([str(keys / f"seal-{office}.pem")])
    return SimpleSigner(
        signing_cert=own,
        signing_key=load_private_key_from_pemder(str(keys / f"seal-{office}.key"), passphrase),
        cert_registry=SimpleCertificateStore.from_certs(issuers),
    )


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("rows", type=Path)
    asked.add_argument("folder", type=Path)
    asked.add_argument("--template", type=Path, required=True)
    asked.add_argument("--keys", type=Path, required=True)
    asked.add_argument("--workers", type=int, required=True)
    given = asked.parse_args()
    rows = [json.loads(line) for line in given.rows.read_text("utf-8").splitlines()]
    shares = range(given.workers)
    work = [
        Ordinary(given.folder, given.folder / f"profile{at}", given.template, given.keys) for at in shares
    ]
    with ProcessPoolExecutor(given.workers) as pool:
        list(pool.map(Ordinary.run, work, [rows[at :: given.workers] for at in shares]))


if __name__ == "__main__":
    main()
