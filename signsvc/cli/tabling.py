"""`catalogue check`, `export` and `import`: a retained list as the file that its keeper works on."""

from __future__ import annotations

from pathlib import Path

import click

from signsvc import tables
from signsvc.cli.shared import read_file, settings, write_file
from signsvc.errors import Exit, InputError
from signsvc.policy import load_catalogue, load_pack
from signsvc.policy.lists.changes import Edition
from signsvc.policy.lists.doubts import doubts
from signsvc.policy.packs.pack import TableForm
from signsvc.wiring.home import CATALOGUES, now
from signsvc.wiring.lists import load_lists
from signsvc.wiring.packs import read, source

KINDS: dict[str, tables.Kind] = {".xlsx": "xlsx", ".docx": "docx"}
file_argument = click.argument("file", type=click.Path(path_type=Path))
list_argument = click.argument("list_id", metavar="LIST")


@click.command()
@file_argument
def check(file: Path) -> None:
    """检查一份清单（TOML）能否录入或提出：指出错在哪一行，和应当复核的地方。"""
    found = load_catalogue(read(file, file.name), file.name)
    pack = load_pack(found.jurisdiction, source(settings().home))
    for doubt in doubts(found, pack, now().date()):
        click.echo(f"复核：{doubt}")
    click.echo(
        f"可以使用：{found.holder}，{len(found.matters)} 项，适用组织 {'、'.join(sorted(found.offices))}"
    )


@click.command()
@list_argument
@file_argument
@click.option("--edition", type=int, help="第几版，缺省为今天现行的一版")
def export(list_id: str, file: Path, edition: int | None) -> None:
    """按规定的表格导出清单：FILE 为 .xlsx 或 .docx。"""
    if file.suffix.lower() not in KINDS:
        raise InputError("文件类型不支持：请写 .xlsx 或 .docx")
    chosen = chosen_edition(list_id, edition)
    data = tables.export(chosen.catalogue(), form_of(chosen), KINDS[file.suffix.lower()])
    write_file(file, data)
    click.echo(f"已导出 {chosen.label} 到 {file}")


@click.command(name="import")
@list_argument
@file_argument
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="写成的草稿（TOML）")
def import_table(list_id: str, file: Path, out: Path) -> int:
    """读入改好的表格，与最新一版合并成草稿；补全以后用 propose 提出。"""
    newest = load_lists(settings().home / CATALOGUES).history(list_id).newest
    draft = tables.merge(tables.read(file.name, read_file(file), form_of(newest)), newest.catalogue())
    write_file(out, draft.text.encode())
    for note in draft.notes:
        click.echo(note)
    for gap in draft.incomplete:
        click.echo(f"待补：{gap}")
    click.echo(f"草稿在 {out}" + ("，补全后才能提出" if draft.incomplete else ""))
    return Exit.NOT_ALL if draft.incomplete else Exit.DONE


COMMANDS: tuple[click.Command, ...] = (check, export, import_table)


def chosen_edition(list_id: str, number: int | None) -> Edition:
    history = load_lists(settings().home / CATALOGUES).history(list_id)
    return history.edition(number) if number is not None else history.on(now().date()) or history.newest


def form_of(edition: Edition) -> TableForm:
    """The form that the list's place prescribes."""
    pack = load_pack(edition.jurisdiction, source(settings().home))
    if pack.form is None:
        raise InputError("政策包没有规定清单的表格")
    return pack.form
